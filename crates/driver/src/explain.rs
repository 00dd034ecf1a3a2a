//! EXPLAIN: plans as text, under Spark's headings.

use datafusion::physical_plan::displayable;
use firesteel_model::Result;
use firesteel_spec::Relation;
use firesteel_spec::command::ExplainMode;

use crate::planning::{self, Prepared};
use crate::session::DriverSession;

/// The plans of a query.
pub(crate) async fn explain(session: &DriverSession, relation: &Relation, mode: ExplainMode) -> Result<String> {
    let prepared = planning::explained(session, relation).await?;
    Ok(text(&prepared, relation, mode))
}

fn text(prepared: &Prepared, relation: &Relation, mode: ExplainMode) -> String {
    let physical = displayable(prepared.physical.as_ref()).indent(false).to_string();
    let analyzed = prepared.planned.plan.display_indent().to_string();
    let optimized = prepared.optimized.display_indent().to_string();
    let section = |title: &str, body: &str| format!("== {title} ==\n{}\n", body.trim_end());
    match mode {
        ExplainMode::Simple | ExplainMode::Formatted => section("Physical Plan", &physical),
        ExplainMode::Extended => [
            section("Parsed Logical Plan", &format!("{:?}", relation.node)),
            section("Analyzed Logical Plan", &format!("{}\n{analyzed}", columns(prepared))),
            section("Optimized Logical Plan", &optimized),
            section("Physical Plan", &physical),
        ]
        .join("\n"),
        ExplainMode::Codegen => "Found 0 WholeStageCodegen subtrees.\n".to_owned(),
        ExplainMode::Cost => {
            let with_statistics = displayable(prepared.physical.as_ref()).set_show_statistics(true).indent(false);
            [section("Optimized Logical Plan", &optimized), section("Physical Plan", &with_statistics.to_string())]
                .join("\n")
        }
    }
}

fn columns(prepared: &Prepared) -> String {
    let fields = prepared.planned.fields.iter();
    fields.map(|f| format!("{}: {}", f.name, f.data_type.simple_string())).collect::<Vec<_>>().join(", ")
}
