//! The root of a query: what is done with its rows, and the names they get.

use datafusion::logical_expr::LogicalPlan;
use firesteel_model::Result;
use firesteel_spec::{Relation, RelationNode, StructField};

use crate::attribute::Attribute;
use crate::planner::Planner;
use crate::relation::limited;
use crate::resolved::Resolved;

/// A query ready to be optimised and run.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The rows; its columns are exactly `fields`, under internal names.
    pub plan: LogicalPlan,
    /// What the user calls the columns.
    pub fields: Vec<StructField>,
    /// What is done with the rows.
    pub finish: Finish,
    /// What `df.observe` asked for, by name: queries to run when the rows have been delivered.
    pub observations: Vec<(String, Planned)>,
}

/// What is done with the rows of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// They are the result.
    Rows,
    /// The last so many are the result.
    Tail(usize),
    /// `df.show()`: their text is the result. One row more than shown tells whether there are more.
    ShowString {
        /// Rows shown.
        rows: usize,
        /// Characters shown of a value; 0 is all.
        truncate: usize,
        /// One line per value.
        vertical: bool,
    },
    /// A notebook's table.
    HtmlString {
        /// Rows shown.
        rows: usize,
        /// Characters shown of a value; 0 is all.
        truncate: usize,
    },
}

impl Planner<'_> {
    /// Resolves the root of a query.
    pub fn query(&mut self, relation: &Relation) -> Result<Planned> {
        let planned = self.query_once(relation)?;
        if !self.input_files.wants_another() {
            return Ok(planned);
        }
        self.input_files.kept = true;
        self.plan_outputs.clear();
        self.query_once(relation)
    }

    fn query_once(&mut self, relation: &Relation) -> Result<Planned> {
        let (input, finish) = match relation.node.as_ref() {
            RelationNode::ShowString { input, rows, truncate, vertical } => {
                let (rows, truncate) = (at_least_zero(*rows), at_least_zero(*truncate));
                let shown = self.relation(input)?;
                let limited = limited(shown, 0, Some(rows.saturating_add(1)))?;
                (limited, Finish::ShowString { rows, truncate, vertical: *vertical })
            }
            RelationNode::HtmlString { input, rows, truncate } => {
                let (rows, truncate) = (at_least_zero(*rows), at_least_zero(*truncate));
                let shown = self.relation(input)?;
                (limited(shown, 0, Some(rows.saturating_add(1)))?, Finish::HtmlString { rows, truncate })
            }
            RelationNode::Tail { input, count } => {
                let count = self.row_count(count, "tail")?;
                (self.relation(input)?, Finish::Tail(count))
            }
            _ => (self.relation(relation)?, Finish::Rows),
        };
        let mut planned = self.planned(input)?;
        planned.finish = finish;
        for (name, observed) in std::mem::take(&mut self.observations) {
            let observed = self.planned(observed)?;
            planned.observations.push((name, observed));
        }
        Ok(planned)
    }

    /// A resolved relation with just its visible columns.
    pub fn planned(&mut self, resolved: Resolved) -> Result<Planned> {
        let output: Vec<Attribute> = resolved.visible().cloned().collect();
        let is_exact = resolved.plan.schema().fields().iter().map(|f| f.name()).eq(output.iter().map(|a| &a.column));
        let fields = output.iter().map(Attribute::field).collect();
        let mut exprs = Vec::with_capacity(output.len());
        for attribute in &output {
            let expr = attribute.expr();
            let repeated = exprs.contains(&expr);
            exprs.push(if repeated { expr.alias(self.unique(&attribute.name)) } else { expr });
        }
        let plan = if is_exact { resolved.plan } else { self.project_exprs(resolved, exprs)?.plan };
        let plan = self.decorrelated(plan)?;
        Ok(Planned { plan, fields, finish: Finish::Rows, observations: Vec::new() })
    }
}

fn at_least_zero(number: i32) -> usize {
    usize::try_from(number).unwrap_or(0)
}
