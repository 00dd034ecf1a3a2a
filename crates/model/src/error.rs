//! [`SparkError`]: the one error a user of Firesteel sees.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error_class::{self, ErrorClass, ExceptionKind};
use crate::error_context::ErrorContext;

/// The result of anything that can fail in Spark's terms.
pub type Result<T, E = SparkError> = std::result::Result<T, E>;

/// Causes of an error that travel with it.
const CAUSES_MAX: usize = 16;

/// An error with Spark's class, SQLSTATE, parameters and position.
///
/// Guarantees: it is cheap to clone, keeps its type from the task to the Python exception, and is classified by
/// [`ErrorClass`] alone, never by its text.
#[derive(Clone)]
pub struct SparkError(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    class: &'static ErrorClass,
    kind: ExceptionKind,
    params: Vec<(String, String)>,
    contexts: Vec<ErrorContext>,
    position: Option<(u32, u32)>,
    retryable: bool,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl SparkError {
    /// An error of `class`, raised in Spark as the class's own kind of exception.
    pub fn new(class: &'static ErrorClass) -> Self {
        Self(Arc::new(Inner {
            class,
            kind: class.kind,
            params: Vec::new(),
            contexts: Vec::new(),
            position: None,
            retryable: false,
            source: None,
        }))
    }

    /// A defect of ours, in words; Spark's `INTERNAL_ERROR`.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(&crate::error_class::INTERNAL_ERROR).param("message", message)
    }

    /// Something Spark does that we do not do, by name; `UNSUPPORTED_FEATURE.FIRESTEEL`.
    pub fn unsupported(feature: impl Into<String>) -> Self {
        Self::new(&crate::error_class::UNSUPPORTED_FEATURE_FIRESTEEL).param("feature", feature)
    }

    /// Adds a message parameter; the class's template names it as `<name>`.
    #[must_use]
    pub fn param(mut self, name: &str, value: impl Into<String>) -> Self {
        self.inner().params.push((name.to_owned(), value.into()));
        self
    }

    /// Raises it as another kind of exception than the class's usual one.
    #[must_use]
    pub fn kind(mut self, kind: ExceptionKind) -> Self {
        self.inner().kind = kind;
        self
    }

    /// Adds the place in the query that it is about.
    #[must_use]
    pub fn context(mut self, context: ErrorContext) -> Self {
        self.inner().contexts.push(context);
        self
    }

    /// Line (from 1) and column (from 0) of a syntax error.
    #[must_use]
    pub fn position(mut self, line: u32, column: u32) -> Self {
        self.inner().position = Some((line, column));
        self
    }

    /// Marks it as worth another attempt of the task: the fault lay outside query and data.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.inner().retryable = true;
        self
    }

    /// Keeps the error that caused it.
    #[must_use]
    pub fn source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.inner().source = Some(Arc::new(source));
        self
    }

    /// Its row in the table of error classes.
    pub fn class(&self) -> &'static ErrorClass {
        self.0.class
    }

    /// The JVM exception that Spark raises.
    pub fn exception(&self) -> ExceptionKind {
        self.0.kind
    }

    /// Message parameters, in the order given.
    pub fn params(&self) -> &[(String, String)] {
        &self.0.params
    }

    /// Places in the query that it is about.
    pub fn contexts(&self) -> &[ErrorContext] {
        &self.0.contexts
    }

    /// Whether another attempt may succeed.
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// The message without class and SQLSTATE.
    pub fn detail(&self) -> String {
        let mut text = self.0.class.template.to_owned();
        for (name, value) in &self.0.params {
            text = text.replace(&format!("<{name}>"), value);
        }
        text
    }

    fn inner(&mut self) -> &mut Inner {
        Arc::make_mut(&mut self.0)
    }
}

/// A [`SparkError`] on its way to another process. Of what caused it the text is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PortableError {
    class: String,
    kind: ExceptionKind,
    params: Vec<(String, String)>,
    contexts: Vec<ErrorContext>,
    position: Option<(u32, u32)>,
    retryable: bool,
    causes: Vec<String>,
}

/// The text of an error in another process.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
struct RemoteCause {
    text: String,
    source: Option<Box<RemoteCause>>,
}

impl PortableError {
    /// As bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Plain data always has a JSON form.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// From bytes; an error about them where they make no sense.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let broken = |error| Self::from(&SparkError::internal("an error came over the wire broken").source(error));
        serde_json::from_slice(bytes).unwrap_or_else(broken)
    }
}

impl From<&SparkError> for PortableError {
    fn from(error: &SparkError) -> Self {
        let inner = &error.0;
        let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
        Self {
            class: inner.class.name.to_owned(),
            kind: inner.kind,
            params: inner.params.clone(),
            contexts: inner.contexts.clone(),
            position: inner.position,
            retryable: inner.retryable,
            causes: causes.take(CAUSES_MAX).map(ToString::to_string).collect(),
        }
    }
}

impl From<PortableError> for SparkError {
    fn from(error: PortableError) -> Self {
        let known = error_class::ALL.iter().find(|class| class.name == error.class);
        let Some(class) = known.copied() else {
            return Self::internal(format!("an error of the unknown class {}: {:?}", error.class, error.params));
        };
        let causes = error.causes.into_iter().rev();
        let source = causes.fold(None, |source, text| Some(Box::new(RemoteCause { text, source })));
        Self(Arc::new(Inner {
            class,
            kind: error.kind,
            params: error.params,
            contexts: error.contexts,
            position: error.position,
            retryable: error.retryable,
            source: source.map(|cause| Arc::from(cause as Box<dyn std::error::Error + Send + Sync>)),
        }))
    }
}

/// `[CLASS] message SQLSTATE: 42000`, then the position or the place in the program, as Spark prints it.
impl fmt::Display for SparkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}", self.0.class.name, self.detail())?;
        if !self.0.class.sql_state.is_empty() {
            write!(f, " SQLSTATE: {}", self.0.class.sql_state)?;
        }
        if let Some((line, column)) = self.0.position {
            write!(f, " (line {line}, pos {column})")?;
        }
        for context in &self.0.contexts {
            write!(f, "\n{}", context.summary.trim_end_matches('\n'))?;
        }
        Ok(())
    }
}

impl fmt::Debug for SparkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl std::error::Error for SparkError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
