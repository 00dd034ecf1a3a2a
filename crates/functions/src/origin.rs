//! [`Origin`]: where in the user's program a function is called.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

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

    /// Points an error here, unless it points somewhere already.
    pub fn locate(&self, error: SparkError) -> SparkError {
        if !error.contexts().is_empty() {
            return error;
        }
        match self.context() {
            Some(context) => error.context(context),
            None => error,
        }
    }
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
