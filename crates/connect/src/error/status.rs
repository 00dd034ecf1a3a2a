//! [`SparkError`] into a gRPC status with `google.rpc` details.

use std::collections::HashMap;

use firesteel_model::{SparkError, error_class};
use prost::Message;
use prost_types::Any;
use serde_json::{Map, Value};
use tonic::{Code, Status};

/// The message in the status, as it is counted in an HTTP header; the whole of it is fetched by the error's id.
const MESSAGE_COST_MAX: usize = 2048;
/// Message parameters beyond this size are fetched too.
const PARAMETERS_BYTES_MAX: usize = 1024;

const ERROR_INFO_URL: &str = "type.googleapis.com/google.rpc.ErrorInfo";
const DOMAIN: &str = "org.apache.spark";

/// `google.rpc.Status`
#[derive(Clone, PartialEq, Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// `google.rpc.ErrorInfo`
#[derive(Clone, PartialEq, Message)]
struct ErrorInfo {
    #[prost(string, tag = "1")]
    reason: String,
    #[prost(string, tag = "2")]
    domain: String,
    #[prost(map = "string, string", tag = "3")]
    metadata: HashMap<String, String>,
}

/// The status for an error; `error_id` where its details can be fetched.
pub(crate) fn of(error: &SparkError, error_id: Option<&str>) -> Status {
    let message = abbreviate(&error.to_string());
    let info = ErrorInfo {
        reason: error.exception().jvm_classes().first().copied().unwrap_or_default().to_owned(),
        domain: DOMAIN.to_owned(),
        metadata: metadata(error, error_id),
    };
    // Spark answers INTERNAL for every failure of its own; the client tells them apart by the details.
    let code = Code::Internal;
    let details = RpcStatus {
        code: code as i32,
        message: message.clone(),
        details: vec![Any { type_url: ERROR_INFO_URL.to_owned(), value: info.encode_to_vec() }],
    };
    Status::with_details(code, message, details.encode_to_vec().into())
}

/// The status for a message that cannot be read.
pub(crate) fn unreadable(reason: &str) -> Status {
    of(&SparkError::new(&error_class::CONNECT_INVALID_PLAN).param("errorMsg", reason), None)
}

fn metadata(error: &SparkError, error_id: Option<&str>) -> HashMap<String, String> {
    let classes: Vec<Value> = error.exception().jvm_classes().iter().map(|&class| class.into()).collect();
    let mut metadata = HashMap::from([
        ("classes".to_owned(), Value::Array(classes).to_string()),
        ("errorClass".to_owned(), error.class().name.to_owned()),
    ]);
    if !error.class().sql_state.is_empty() {
        metadata.insert("sqlState".to_owned(), error.class().sql_state.to_owned());
    }
    let parameters: Map<String, Value> =
        error.params().iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    let parameters = Value::Object(parameters).to_string();
    if parameters.len() <= PARAMETERS_BYTES_MAX {
        metadata.insert("messageParameters".to_owned(), parameters);
    }
    if let Some(error_id) = error_id {
        metadata.insert("errorId".to_owned(), error_id.to_owned());
    }
    metadata
}

/// Cuts a message so that it fits into a header, where a byte outside plain ASCII takes three.
fn abbreviate(message: &str) -> String {
    let mut cost = 0;
    for (at, letter) in message.char_indices() {
        cost += if (' '..='~').contains(&letter) && letter != '%' { 1 } else { 3 * letter.len_utf8() };
        if cost > MESSAGE_COST_MAX {
            return format!("{}...", &message[..at]);
        }
    }
    message.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_carries_class_parameters_and_state() {
        let error = SparkError::new(&error_class::TABLE_OR_VIEW_NOT_FOUND).param("relationName", "`t`");
        let status = of(&error, Some("id"));
        assert_eq!((status.code(), status.message()), (Code::Internal, error.to_string().as_str()));
        let details = RpcStatus::decode(status.details()).unwrap();
        assert_eq!(details.message, status.message());
        let info = ErrorInfo::decode(details.details[0].value.as_slice()).unwrap();
        assert_eq!(info.metadata["errorClass"], "TABLE_OR_VIEW_NOT_FOUND");
        assert_eq!(info.metadata["sqlState"], "42P01");
        assert_eq!(info.metadata["messageParameters"], r#"{"relationName":"`t`"}"#);
        assert_eq!(info.metadata["errorId"], "id");
        assert!(info.metadata["classes"].starts_with(r#"["org.apache.spark.sql.AnalysisException""#));
    }

    #[test]
    fn long_messages_are_cut_to_a_header() {
        for letter in ["x", "ü", "漢", "\n"] {
            let cut = abbreviate(&letter.repeat(5000));
            assert!(cut.ends_with("...") && cut.len() <= MESSAGE_COST_MAX + 3, "{letter}");
        }
        assert_eq!(abbreviate("short"), "short");
    }
}
