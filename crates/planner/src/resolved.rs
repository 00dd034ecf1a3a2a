//! A resolved relation: a logical plan and what the user calls its columns.

use std::sync::Arc;

use datafusion::logical_expr::{Expr, LogicalPlan};

use crate::attribute::Attribute;

/// A resolved relation.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// Over unique column names; each attribute's column is in its schema, which may hold more.
    pub plan: LogicalPlan,
    /// What the user sees, hidden attributes last.
    pub output: Vec<Attribute>,
    /// How to reach columns that were projected away, for ORDER BY and HAVING.
    pub(crate) below: Option<Arc<Below>>,
}

/// The select list and its input, so that a sort or filter above can use what was not selected.
#[derive(Clone, Debug)]
pub(crate) struct Below {
    /// The input's plan.
    pub(crate) plan: LogicalPlan,
    /// The input's columns.
    pub(crate) output: Vec<Attribute>,
    /// The select list, named by internal names.
    pub(crate) items: Vec<Expr>,
    /// For a select list over GROUP BY: how to compute another aggregate.
    pub(crate) aggregate: Option<AggregateBelow>,
    /// HAVING, over the columns of the select list.
    pub(crate) filters: Vec<Expr>,
}

/// GROUP BY below a select list.
#[derive(Clone, Debug)]
pub(crate) struct AggregateBelow {
    /// The plan that is grouped.
    pub(crate) input: LogicalPlan,
    /// Its columns.
    pub(crate) input_output: Vec<Attribute>,
    /// Grouping expressions over the input and the columns that hold them.
    pub(crate) groups: Vec<(Expr, Attribute)>,
    /// The grouping as DataFusion has it.
    pub(crate) group_exprs: Vec<Expr>,
    /// Column of Spark's grouping id, where there are grouping sets.
    pub(crate) grouping_id: Option<Attribute>,
    /// Aggregates computed so far, each aliased to its column.
    pub(crate) aggregates: Vec<Expr>,
}

impl Below {
    /// The same under one more HAVING.
    pub(crate) fn filtered(&self, condition: Expr) -> Self {
        let mut filters = self.filters.clone();
        filters.push(condition);
        Self { filters, ..self.clone() }
    }
}

impl Resolved {
    /// A relation whose columns are all that can be seen.
    pub(crate) fn new(plan: LogicalPlan, output: Vec<Attribute>) -> Self {
        Self { plan, output, below: None }
    }

    /// The attributes that `*` means.
    pub fn visible(&self) -> impl Iterator<Item = &Attribute> {
        self.output.iter().filter(|a| !a.is_hidden)
    }

    /// The same rows under other names.
    pub(crate) fn with_output(self, output: Vec<Attribute>) -> Self {
        Self { output, ..self }
    }
}
