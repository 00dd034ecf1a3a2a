//! Answers to questions about plans.

use std::hash::{DefaultHasher, Hash, Hasher};

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::LogicalPlan;
use firesteel_connect::{Analyze, Analyzed};
use firesteel_model::{Result, SparkError};
use firesteel_planner::Planned;
use firesteel_sources::FileTable;
use firesteel_spec::types::quote_if_needed;
use firesteel_spec::{DataType, Plan, Relation, RelationNode, StructField};

use crate::session::DriverSession;
use crate::{explain, planning};

pub(crate) async fn answer(session: &DriverSession, question: Analyze) -> Result<Analyzed> {
    Ok(match question {
        Analyze::Schema(plan) => Analyzed::Schema(planned(session, plan).await?.fields),
        Analyze::Explain(plan, mode) => {
            let text = explain::explain(session, &query(plan)?, mode).await?;
            Analyzed::Text(text)
        }
        Analyze::TreeString(plan, level) => {
            let fields = planned(session, plan).await?.fields;
            Analyzed::Text(DataType::tree_string(&fields, level))
        }
        Analyze::IsLocal(plan) => {
            let is_local = matches!(
                query(plan)?.node.as_ref(),
                RelationNode::LocalRelation { .. }
                    | RelationNode::CachedLocalRelation { .. }
                    | RelationNode::Command(_)
            );
            Analyzed::Flag(is_local)
        }
        Analyze::IsStreaming(plan) => {
            planned(session, plan).await?;
            Analyzed::Flag(false)
        }
        Analyze::InputFiles(plan) => Analyzed::Files(input_files(&planned(session, plan).await?.plan)?),
        Analyze::DdlParse(text) => match firesteel_sql::parse_data_type(&text) {
            Ok(data_type) => Analyzed::Type(data_type),
            Err(_) => Analyzed::Schema(firesteel_sql::parse_table_schema(&text)?),
        },
        Analyze::JsonToDdl(text) => Analyzed::Text(ddl(&crate::environment::schema_of(&text)?)),
        Analyze::SameSemantics(left, right) => {
            let (left, right) = (shape(session, left).await?, shape(session, right).await?);
            Analyzed::Flag(left == right)
        }
        Analyze::SemanticHash(plan) => Analyzed::Hash(hash(&shape(session, plan).await?)),
        Analyze::Persist(relation, level) => {
            let shape = shape(session, Plan::Query(relation)).await?;
            session.set_storage_level(shape, Some(level.unwrap_or_default()));
            Analyzed::Done
        }
        Analyze::Unpersist(relation, _) => {
            let shape = shape(session, Plan::Query(relation)).await?;
            session.set_storage_level(shape, None);
            Analyzed::Done
        }
        Analyze::GetStorageLevel(relation) => {
            let shape = shape(session, Plan::Query(relation)).await?;
            Analyzed::StorageLevel(session.storage_level(&shape))
        }
    })
}

async fn planned(session: &DriverSession, plan: Plan) -> Result<Planned> {
    planning::analyzed(session, &query(plan)?).await
}

fn query(plan: Plan) -> Result<Relation> {
    match plan {
        Plan::Query(relation) => Ok(relation),
        Plan::Command(command) => Ok(Relation::new(RelationNode::Command(Box::new(command)))),
    }
}

/// The resolved plan as text; internal names are numbered alike for equal queries.
async fn shape(session: &DriverSession, plan: Plan) -> Result<String> {
    Ok(planned(session, plan).await?.plan.display_indent().to_string())
}

fn hash(text: &str) -> i32 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let bytes = hasher.finish().to_le_bytes();
    i32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

fn input_files(plan: &LogicalPlan) -> Result<Vec<String>> {
    let mut files = Vec::new();
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node
            && let Ok(provider) = source_as_provider(&scan.source)
            && let Some(table) = (provider.as_ref() as &dyn std::any::Any).downcast_ref::<FileTable>()
        {
            files.extend(table.input_files());
        }
        Ok(TreeNodeRecursion::Continue)
    })
    .map_err(|source| SparkError::internal("the files of a plan cannot be listed").source(source))?;
    files.sort();
    files.dedup();
    Ok(files)
}

fn ddl(fields: &[StructField]) -> String {
    let column = |field: &StructField| {
        let not_null = if field.nullable { "" } else { " NOT NULL" };
        let comment = field.comment().map(|text| format!(" COMMENT '{text}'")).unwrap_or_default();
        format!("{} {}{not_null}{comment}", quote_if_needed(&field.name), field.data_type.sql())
    };
    fields.iter().map(column).collect::<Vec<_>>().join(",")
}
