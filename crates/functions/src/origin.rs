//! [`Origin`]: where in the user's program a function is called.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use firesteel_model::error_class::{self, ErrorClass, ExceptionKind};
use firesteel_model::{ErrorContext, SparkError};

/// A place in the user's program, or none; travels with a function so that an error while running can tell it.
///
/// It is no part of what a function is: two calls at different places are equal.
#[derive(Clone, Debug, Default)]
pub struct Origin(Option<Place>);

#[derive(Clone, Debug)]
enum Place {
    /// Characters of an SQL text.
    Sql { text: Arc<str>, start: u32, stop: u32 },
    /// A method called in a script.
    Call { method: Arc<str>, call_site: Arc<str> },
    /// Worked out already.
    Context(Arc<ErrorContext>),
}

impl Origin {
    /// The characters from `start` to `stop` of an SQL text.
    pub fn of_sql(text: &Arc<str>, start: u32, stop: u32) -> Self {
        Self(Some(Place::Sql { text: Arc::clone(text), start, stop }))
    }

    /// A method called in a script.
    pub fn of_call(method: &Arc<str>, call_site: &Arc<str>) -> Self {
        Self(Some(Place::Call { method: Arc::clone(method), call_site: Arc::clone(call_site) }))
    }

    /// As an error tells it.
    pub fn context(&self) -> Option<ErrorContext> {
        self.0.as_ref().map(|place| match place {
            Place::Sql { text, start, stop } => ErrorContext::of_sql(text, *start, *stop),
            Place::Call { method, call_site } => ErrorContext::of_call(method, call_site),
            Place::Context(context) => context.as_ref().clone(),
        })
    }

    /// Points an error here, unless it points somewhere already or is of a class of which Spark tells no place.
    pub fn locate(&self, error: SparkError) -> SparkError {
        if !error.contexts().is_empty() || !has_place(error.class()) {
            return error;
        }
        match self.context() {
            Some(context) => error.context(context),
            None => error,
        }
    }
}

/// Errors about values of which Spark tells the place; of others about values it tells none.
const PLACED: &[&ErrorClass] = &[
    &error_class::ARITHMETIC_OVERFLOW,
    &error_class::CAST_INVALID_INPUT,
    &error_class::DIVIDE_BY_ZERO,
    &error_class::INTERNAL_ERROR,
    &error_class::INTERVAL_ARITHMETIC_OVERFLOW_WITHOUT_SUGGESTION,
    &error_class::INTERVAL_ARITHMETIC_OVERFLOW_WITH_SUGGESTION,
    &error_class::INTERVAL_DIVIDED_BY_ZERO,
    &error_class::INVALID_ARRAY_INDEX,
    &error_class::INVALID_ARRAY_INDEX_IN_ELEMENT_AT,
    &error_class::INVALID_INDEX_OF_ZERO,
    &error_class::NUMERIC_VALUE_OUT_OF_RANGE_WITH_SUGGESTION,
    &error_class::REMAINDER_BY_ZERO,
    &error_class::SCALAR_SUBQUERY_TOO_MANY_ROWS,
    &error_class::UNSUPPORTED_FEATURE_FIRESTEEL,
];

fn has_place(class: &ErrorClass) -> bool {
    matches!(class.kind, ExceptionKind::Parse | ExceptionKind::Analysis) || PLACED.contains(&class)
}

impl From<Option<ErrorContext>> for Origin {
    fn from(context: Option<ErrorContext>) -> Self {
        Self(context.map(|context| Place::Context(Arc::new(context))))
    }
}

impl PartialEq for Origin {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for Origin {}

impl Hash for Origin {
    fn hash<H: Hasher>(&self, _state: &mut H) {}
}
