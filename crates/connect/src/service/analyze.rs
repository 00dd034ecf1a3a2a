//! AnalyzePlan.

use firesteel_model::{Result, SparkError};
use firesteel_spec::DataType;
use spark_connect_proto as proto;
use spark_connect_proto::analyze_plan_request::Analyze as Question;
use spark_connect_proto::analyze_plan_response::{self as response, Result as Answer};

use crate::decode::analyze::question;
use crate::encode::data_type::{data_type, schema};
use crate::request::{Analyzed, StorageLevel};
use crate::session::SessionHolder;

/// The version of Spark whose protocol and behaviour this is.
const SPARK_VERSION: &str = "4.2.0";

/// Which question was asked, after its content has been decoded.
#[derive(Clone, Copy)]
enum Kind {
    Schema,
    Explain,
    TreeString,
    IsLocal,
    IsStreaming,
    InputFiles,
    DdlParse,
    JsonToDdl,
    SameSemantics,
    SemanticHash,
    Persist,
    Unpersist,
    GetStorageLevel,
}

/// Answers a question about a plan.
pub(crate) async fn answer(
    session: &SessionHolder,
    request: proto::AnalyzePlanRequest,
) -> Result<proto::AnalyzePlanResponse> {
    let kind = request.analyze.as_ref().and_then(kind);
    let result = match (question(request.analyze)?, kind) {
        (Some(question), Some(kind)) => encode(kind, session.session.analyze(question).await?)?,
        _ => Answer::SparkVersion(response::SparkVersion { version: SPARK_VERSION.to_owned() }),
    };
    Ok(proto::AnalyzePlanResponse {
        session_id: session.key.session_id.clone(),
        server_side_session_id: session.server_side_id.clone(),
        result: Some(result),
    })
}

fn kind(question: &Question) -> Option<Kind> {
    Some(match question {
        Question::Schema(_) => Kind::Schema,
        Question::Explain(_) => Kind::Explain,
        Question::TreeString(_) => Kind::TreeString,
        Question::IsLocal(_) => Kind::IsLocal,
        Question::IsStreaming(_) => Kind::IsStreaming,
        Question::InputFiles(_) => Kind::InputFiles,
        Question::SparkVersion(_) => return None,
        Question::DdlParse(_) => Kind::DdlParse,
        Question::JsonToDdl(_) => Kind::JsonToDdl,
        Question::SameSemantics(_) => Kind::SameSemantics,
        Question::SemanticHash(_) => Kind::SemanticHash,
        Question::Persist(_) => Kind::Persist,
        Question::Unpersist(_) => Kind::Unpersist,
        Question::GetStorageLevel(_) => Kind::GetStorageLevel,
    })
}

fn encode(kind: Kind, answer: Analyzed) -> Result<Answer> {
    Ok(match (kind, answer) {
        (Kind::Schema, Analyzed::Schema(fields)) => Answer::Schema(response::Schema { schema: Some(schema(&fields)) }),
        (Kind::DdlParse, Analyzed::Schema(fields)) => {
            Answer::DdlParse(response::DdlParse { parsed: Some(data_type(&DataType::Struct(fields))) })
        }
        (Kind::DdlParse, Analyzed::Type(of)) => Answer::DdlParse(response::DdlParse { parsed: Some(data_type(&of)) }),
        (Kind::Explain, Analyzed::Text(explain_string)) => Answer::Explain(response::Explain { explain_string }),
        (Kind::TreeString, Analyzed::Text(tree_string)) => Answer::TreeString(response::TreeString { tree_string }),
        (Kind::JsonToDdl, Analyzed::Text(ddl_string)) => Answer::JsonToDdl(response::JsonToDdl { ddl_string }),
        (Kind::IsLocal, Analyzed::Flag(is_local)) => Answer::IsLocal(response::IsLocal { is_local }),
        (Kind::IsStreaming, Analyzed::Flag(is_streaming)) => {
            Answer::IsStreaming(response::IsStreaming { is_streaming })
        }
        (Kind::SameSemantics, Analyzed::Flag(result)) => Answer::SameSemantics(response::SameSemantics { result }),
        (Kind::InputFiles, Analyzed::Files(files)) => Answer::InputFiles(response::InputFiles { files }),
        (Kind::SemanticHash, Analyzed::Hash(result)) => Answer::SemanticHash(response::SemanticHash { result }),
        (Kind::Persist, Analyzed::Done) => Answer::Persist(response::Persist {}),
        (Kind::Unpersist, Analyzed::Done) => Answer::Unpersist(response::Unpersist {}),
        (Kind::GetStorageLevel, Analyzed::StorageLevel(level)) => {
            Answer::GetStorageLevel(response::GetStorageLevel { storage_level: Some(storage_level(level)) })
        }
        (_, other) => return Err(SparkError::internal(format!("an answer to another question: {other:?}"))),
    })
}

fn storage_level(level: StorageLevel) -> proto::StorageLevel {
    proto::StorageLevel {
        use_disk: level.use_disk,
        use_memory: level.use_memory,
        use_off_heap: level.use_off_heap,
        deserialized: level.deserialized,
        replication: level.replication,
    }
}
