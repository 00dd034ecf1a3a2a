//! Answers to questions about plans.

use std::hash::{DefaultHasher, Hash, Hasher};

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::LogicalPlan;
use firesteel_connect::{Analyze, Analyzed, StorageLevel};
use firesteel_model::{Result, SparkError};
use firesteel_planner::Planned;
use firesteel_sources::FileTable;
use firesteel_spec::types::quote_if_needed;
use firesteel_spec::{DataType, Plan, Relation, RelationNode, StructField};

use crate::cache::{is_same_plan, is_written_alike};
use crate::command::DEFAULT_LEVEL;
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
        Analyze::InputFiles(plan) => Analyzed::Files(input_files(&uncached(session, query(plan)?).await?.plan)?),
        Analyze::DdlParse(text) => match firesteel_sql::parse_data_type(&text) {
            Ok(data_type) => Analyzed::Type(data_type),
            Err(_) => Analyzed::Schema(firesteel_sql::parse_table_schema(&text)?),
        },
        Analyze::JsonToDdl(text) => Analyzed::Text(ddl(&crate::environment::schema_of(&text)?)),
        Analyze::SameSemantics(left, right) => {
            let (left, right) = (query(left)?, query(right)?);
            let plans = (uncached(session, left.clone()).await?, uncached(session, right.clone()).await?);
            let written_alike = is_written_alike(session, &left, &right);
            Analyzed::Flag(written_alike || is_same_plan(&plans.0.plan, &plans.1.plan))
        }
        Analyze::SemanticHash(plan) => Analyzed::Hash(hash(&shape(session, plan).await?)),
        Analyze::Persist(relation, level) => {
            session.application().caches.add(session, &relation, level.unwrap_or(DEFAULT_LEVEL), false).await?;
            Analyzed::Done
        }
        Analyze::Unpersist(relation, _) => {
            session.application().caches.remove(session, &relation).await?;
            Analyzed::Done
        }
        Analyze::GetStorageLevel(relation) => {
            let level = session.application().caches.level(session, &relation).await?;
            Analyzed::StorageLevel(level.unwrap_or(StorageLevel { replication: 1, ..StorageLevel::default() }))
        }
    })
}

async fn planned(session: &DriverSession, plan: Plan) -> Result<Planned> {
    planning::analyzed(session, &query(plan)?).await
}

async fn uncached(session: &DriverSession, relation: Relation) -> Result<Planned> {
    planning::analyzed_uncached(session, &relation).await
}

fn query(plan: Plan) -> Result<Relation> {
    match plan {
        Plan::Query(relation) => Ok(relation),
        Plan::Command(command) => Ok(Relation::new(RelationNode::Command(Box::new(command)))),
    }
}

/// The resolved plan as text; internal names are numbered alike for equal queries.
async fn shape(session: &DriverSession, plan: Plan) -> Result<String> {
    Ok(uncached(session, query(plan)?).await?.plan.display_indent().to_string())
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
