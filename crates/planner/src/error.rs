//! Errors the planner raises.

use firesteel_model::{SparkError, error_class};
use firesteel_spec::types::quote_name;

use crate::attribute::{Attribute, suggestions};

/// UNRESOLVED_COLUMN, with the names that come nearest.
pub(crate) fn unresolved_column(parts: &[String], attributes: &[Attribute]) -> SparkError {
    let near = if attributes.is_empty() { Vec::new() } else { suggestions(attributes, parts) };
    if near.is_empty() {
        return SparkError::new(&error_class::UNRESOLVED_COLUMN_WITHOUT_SUGGESTION)
            .param("objectName", quote_name(parts));
    }
    SparkError::new(&error_class::UNRESOLVED_COLUMN_WITH_SUGGESTION)
        .param("objectName", quote_name(parts))
        .param("proposal", near.join(", "))
}

/// AMBIGUOUS_REFERENCE, with what the name could mean.
pub(crate) fn ambiguous(parts: &[String], attributes: &[&Attribute]) -> SparkError {
    let mut names: Vec<_> = attributes.iter().map(|a| a.qualified_name()).collect();
    names.sort();
    SparkError::new(&error_class::AMBIGUOUS_REFERENCE)
        .param("name", quote_name(parts))
        .param("referenceNames", format!("[{}]", names.join(", ")))
}
