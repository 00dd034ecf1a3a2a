//! Questions about plans.

use firesteel_model::Result;
use firesteel_spec::Relation;
use firesteel_spec::command::ExplainMode;
use spark_connect_proto as proto;
use spark_connect_proto::analyze_plan_request::Analyze as Question;
use spark_connect_proto::analyze_plan_request::explain::ExplainMode as ModeMessage;

use super::plan::plan;
use super::{missing, relation};
use crate::request::{Analyze, StorageLevel};

/// A question about a plan; `None` is the one about the server's version.
pub(crate) fn question(question: Option<Question>) -> Result<Option<Analyze>> {
    Ok(Some(match question.ok_or_else(|| missing("the question about the plan"))? {
        Question::Schema(q) => Analyze::Schema(plan(q.plan)?),
        Question::Explain(q) => {
            let mode = explain_mode(q.explain_mode());
            Analyze::Explain(plan(q.plan)?, mode)
        }
        Question::TreeString(q) => {
            // A level of zero or below shows everything, as in Spark.
            let level = q.level.and_then(|level| usize::try_from(level).ok()).filter(|level| *level > 0);
            Analyze::TreeString(plan(q.plan)?, level)
        }
        Question::IsLocal(q) => Analyze::IsLocal(plan(q.plan)?),
        Question::IsStreaming(q) => Analyze::IsStreaming(plan(q.plan)?),
        Question::InputFiles(q) => Analyze::InputFiles(plan(q.plan)?),
        Question::SparkVersion(_) => return Ok(None),
        Question::DdlParse(q) => Analyze::DdlParse(q.ddl_string),
        Question::JsonToDdl(q) => Analyze::JsonToDdl(q.json_string),
        Question::SameSemantics(q) => Analyze::SameSemantics(plan(q.target_plan)?, plan(q.other_plan)?),
        Question::SemanticHash(q) => Analyze::SemanticHash(plan(q.plan)?),
        Question::Persist(q) => Analyze::Persist(rows(q.relation)?, q.storage_level.map(storage_level)),
        Question::Unpersist(q) => Analyze::Unpersist(rows(q.relation)?, q.blocking.unwrap_or(false)),
        Question::GetStorageLevel(q) => Analyze::GetStorageLevel(rows(q.relation)?),
    }))
}

fn rows(message: Option<proto::Relation>) -> Result<Relation> {
    relation::relation(message.ok_or_else(|| missing("the relation"))?)
}

fn explain_mode(mode: ModeMessage) -> ExplainMode {
    match mode {
        ModeMessage::Simple | ModeMessage::Unspecified => ExplainMode::Simple,
        ModeMessage::Extended => ExplainMode::Extended,
        ModeMessage::Codegen => ExplainMode::Codegen,
        ModeMessage::Cost => ExplainMode::Cost,
        ModeMessage::Formatted => ExplainMode::Formatted,
    }
}

fn storage_level(level: proto::StorageLevel) -> StorageLevel {
    StorageLevel {
        use_disk: level.use_disk,
        use_memory: level.use_memory,
        use_off_heap: level.use_off_heap,
        deserialized: level.deserialized,
        replication: level.replication,
    }
}
