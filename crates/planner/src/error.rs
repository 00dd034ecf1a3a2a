//! Errors the planner raises, and where in the text they point.

use firesteel_model::{ErrorContext, SparkError, error_class};
use firesteel_spec::Span;

use crate::attribute::{Attribute, quoted, suggestions};

/// The fragment of the statement that an error is about.
pub(crate) fn context(text: Option<&str>, span: Option<Span>) -> Option<ErrorContext> {
    let (text, span) = (text?, span?);
    let length = (span.stop + 1).saturating_sub(span.start) as usize;
    Some(ErrorContext {
        object_type: String::new(),
        object_name: String::new(),
        start_index: i32::try_from(span.start).unwrap_or(i32::MAX),
        stop_index: i32::try_from(span.stop).unwrap_or(i32::MAX),
        fragment: text.chars().skip(span.start as usize).take(length).collect(),
    })
}

/// UNRESOLVED_COLUMN, with the names that come nearest.
pub(crate) fn unresolved_column(parts: &[String], attributes: &[Attribute]) -> SparkError {
    let near = if attributes.is_empty() { Vec::new() } else { suggestions(attributes, parts) };
    if near.is_empty() {
        return SparkError::new(&error_class::UNRESOLVED_COLUMN_WITHOUT_SUGGESTION).param("objectName", quoted(parts));
    }
    SparkError::new(&error_class::UNRESOLVED_COLUMN_WITH_SUGGESTION)
        .param("objectName", quoted(parts))
        .param("proposal", near.join(", "))
}

/// AMBIGUOUS_REFERENCE, with what the name could mean.
pub(crate) fn ambiguous(parts: &[String], attributes: &[&Attribute]) -> SparkError {
    let mut names: Vec<_> = attributes.iter().map(|a| a.qualified_name()).collect();
    names.sort();
    SparkError::new(&error_class::AMBIGUOUS_REFERENCE)
        .param("name", quoted(parts))
        .param("referenceNames", format!("[{}]", names.join(", ")))
}
