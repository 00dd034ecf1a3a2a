//! Errors kept for `FetchErrorDetails`: whole messages, parameters, places in the query, causes.

use std::collections::VecDeque;
use std::error::Error;
use std::sync::{Mutex, PoisonError};

use firesteel_model::{ErrorContext, SparkError};
use spark_connect_proto::fetch_error_details_response::query_context::ContextType;
use spark_connect_proto::fetch_error_details_response::{self as message, QueryContext, SparkThrowable};
use tonic::Status;
use uuid::Uuid;

use super::status;

/// Errors kept in a session at most.
const ERRORS_MAX: usize = 64;
/// Causes told at most.
const CAUSES_MAX: usize = 16;

/// The latest errors of a session, by id.
#[derive(Debug, Default)]
pub(crate) struct ErrorStore(Mutex<VecDeque<(String, SparkError)>>);

impl ErrorStore {
    /// Keeps an error and makes the status that tells its id.
    pub(crate) fn status(&self, error: &SparkError) -> Status {
        let id = Uuid::new_v4().to_string();
        let status = status::of(error, Some(&id));
        let mut errors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if errors.len() >= ERRORS_MAX {
            errors.pop_front();
        }
        errors.push_back((id, error.clone()));
        status
    }

    /// The error and its causes, in order, each but the last pointing at the next; empty when it is not kept.
    pub(crate) fn fetch(&self, id: &str) -> Vec<message::Error> {
        let errors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        errors.iter().find(|(kept, _)| kept == id).map(|(_, error)| chain(error)).unwrap_or_default()
    }
}

fn chain(error: &SparkError) -> Vec<message::Error> {
    let mut chain = vec![of_spark(error)];
    let mut cause = Error::source(error);
    while let Some(error) = cause {
        if chain.len() > CAUSES_MAX {
            break;
        }
        let next = i32::try_from(chain.len()).ok();
        if let Some(last) = chain.last_mut() {
            last.cause_idx = next;
        }
        chain.push(error.downcast_ref::<SparkError>().map_or_else(|| of_other(error), of_spark));
        cause = error.source();
    }
    chain
}

fn of_spark(error: &SparkError) -> message::Error {
    let class = error.class();
    message::Error {
        error_type_hierarchy: error.exception().jvm_classes().iter().map(|&name| name.to_owned()).collect(),
        message: error.to_string(),
        stack_trace: Vec::new(),
        cause_idx: None,
        spark_throwable: Some(SparkThrowable {
            error_class: Some(class.name.to_owned()),
            message_parameters: error.params().iter().cloned().collect(),
            query_contexts: error.contexts().iter().map(context).collect(),
            sql_state: (!class.sql_state.is_empty()).then(|| class.sql_state.to_owned()),
            breaking_change_info: None,
        }),
    }
}

fn of_other(error: &(dyn Error + 'static)) -> message::Error {
    message::Error {
        error_type_hierarchy: vec!["java.lang.Exception".to_owned(), "java.lang.Throwable".to_owned()],
        message: error.to_string(),
        stack_trace: Vec::new(),
        cause_idx: None,
        spark_throwable: None,
    }
}

fn context(context: &ErrorContext) -> QueryContext {
    QueryContext {
        context_type: if context.is_call() { ContextType::Dataframe } else { ContextType::Sql } as i32,
        object_type: context.object_type.clone(),
        object_name: context.object_name.clone(),
        start_index: context.start_index,
        stop_index: context.stop_index,
        fragment: context.fragment.clone(),
        call_site: context.call_site.clone(),
        summary: context.summary.clone(),
    }
}
