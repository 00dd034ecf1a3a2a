//! Relations: one file per family.

mod aggregate;
mod below;
mod columns;
mod generate;
mod grouping;
mod join;
mod leaf;
mod na;
mod pivot;
mod python;
mod python_table;
mod python_table_analysis;
mod reshape;
mod sample;
mod select;
mod set;
mod sort;
mod stat;
mod summary;
mod time_windows;
mod view;
mod with;

use datafusion::logical_expr::LogicalPlan;
use datafusion::logical_expr::logical_plan::{Filter, Projection};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::{Relation, RelationNode};

pub(crate) use select::window_plan;
pub(crate) use sort::limited;
pub(crate) use time_windows::TimeWindows;
pub(crate) use with::{CteInScope, Recursion};

use crate::expr::{Aside, Resolver};
use crate::planner::{Planner, child, df};
use crate::resolved::Resolved;

impl Planner<'_> {
    /// Resolves a relation and remembers what the DataFrame of its plan id gave.
    pub fn relation(&mut self, relation: &Relation) -> Result<Resolved> {
        let around = std::mem::replace(&mut self.place, relation.span);
        let resolved = self.resolved(relation);
        self.place = around;
        resolved
    }

    fn resolved(&mut self, relation: &Relation) -> Result<Resolved> {
        let resolved = match self.cached(relation)? {
            Some(cached) => cached,
            None => {
                let resolved =
                    self.node(&relation.node).map_err(|failure| self.locate_in_text(failure, relation.span))?;
                self.with_cached_plan(resolved)?
            }
        };
        let resolved = Self::checked(resolved)?;
        if let Some(plan_id) = relation.plan_id {
            self.plan_outputs.entry(plan_id).or_default().push(resolved.output.clone());
        }
        Ok(resolved)
    }

    fn node(&mut self, node: &RelationNode) -> Result<Resolved> {
        match node {
            RelationNode::OneRow
            | RelationNode::Table { .. }
            | RelationNode::IdentifierTable { .. }
            | RelationNode::DataSource(_)
            | RelationNode::LocalRelation { .. }
            | RelationNode::CachedLocalRelation { .. }
            | RelationNode::Values(_)
            | RelationNode::Range { .. }
            | RelationNode::CachedRemoteRelation(_)
            | RelationNode::Catalog(_)
            | RelationNode::Command(_)
            | RelationNode::Sql { .. } => self.leaf(node),
            RelationNode::TableFunction(call) => self.table_function(call),
            RelationNode::PythonTableFunction(function) => self.python_table(function, None),
            RelationNode::Project { input, items } => self.select(input, items),
            RelationNode::Filter { input, condition } => self.filter(input, condition),
            RelationNode::Having { input, condition } => self.having(input, condition),
            RelationNode::Qualify { input, condition } => self.qualify(input, condition),
            RelationNode::Sort { input, keys, is_global, all } => self.sort(input, keys, *is_global, *all),
            RelationNode::Limit { input, count } => self.limit(input, count),
            RelationNode::Offset { input, count } => self.offset(input, count),
            RelationNode::Aggregate { input, grouping, items, style } => self.aggregate(input, grouping, items, *style),
            RelationNode::Pivot { input, grouping, column, values, aggregates, style } => {
                self.pivot(input, grouping, column, values, aggregates, *style)
            }
            RelationNode::Unpivot(unpivot) => self.unpivot(unpivot),
            RelationNode::Alias { input, name, columns } => self.alias(input, name, columns),
            RelationNode::Hint { input, .. } | RelationNode::Watermark { input, .. } => self.relation(input),
            RelationNode::Deduplicate { input, columns, .. } => self.deduplicate(input, columns),
            RelationNode::Sample { input, lower, upper, with_replacement, seed } => {
                self.sample(input, (*lower, *upper), *with_replacement, *seed)
            }
            RelationNode::SampleRows { input, count } => self.limit(input, count),
            RelationNode::Repartition { input, count, by, kind } => self.repartition(input, *count, by, *kind),
            RelationNode::LateralView { input, generator, is_outer, table, columns } => {
                self.lateral_view(input, generator, *is_outer, table, columns)
            }
            RelationNode::WithWindows { input, windows } => self.with_windows(input, windows),
            RelationNode::With { input, ctes, is_recursive } => self.with(input, ctes, *is_recursive),
            RelationNode::WithRelations { input, references } => self.with_relations(input, references),
            RelationNode::Join(join) => self.join(join),
            RelationNode::AsOfJoin(join) => self.as_of_join(join),
            RelationNode::SetOperation { left, right, kind, is_all, by_name, allow_missing } => {
                self.set_operation(left, right, *kind, *is_all, (*by_name).then_some(*allow_missing))
            }
            RelationNode::MapPartitions { input, function, is_barrier } => {
                self.map_partitions(input, function, *is_barrier)
            }
            RelationNode::GroupMap { input, grouping, function, sort } => {
                self.group_map(input, grouping, function, sort)
            }
            RelationNode::CoGroupMap { left, left_grouping, right, right_grouping, function } => {
                self.co_group_map((left, left_grouping), (right, right_grouping), function)
            }
            RelationNode::CollectMetrics { input, name, metrics } => self.collect_metrics(input, name, metrics),
            RelationNode::Parse { .. } => Err(SparkError::unsupported("reading CSV or JSON from a DataFrame of text")),
            other => self.data_frame_node(other),
        }
    }

    /// What only the DataFrame API says.
    fn data_frame_node(&mut self, node: &RelationNode) -> Result<Resolved> {
        match node {
            RelationNode::ToDf { input, names } => self.renamed_columns(input, names),
            RelationNode::ToSchema { input, schema } => self.conformed(input, schema),
            RelationNode::WithColumns { input, columns } => self.with_columns(input, columns),
            RelationNode::WithColumnsRenamed { input, renames } => self.with_columns_renamed(input, renames),
            RelationNode::Drop { input, columns, names } => self.drop_columns(input, columns, names),
            RelationNode::FillNa { input, columns, values } => self.fill_na(input, columns, values),
            RelationNode::DropNa { input, columns, min_non_nulls } => self.drop_na(input, columns, *min_non_nulls),
            RelationNode::ReplaceNa { input, columns, replacements } => self.replace_na(input, columns, replacements),
            RelationNode::Summary { input, statistics } => self.summary(input, statistics),
            RelationNode::Describe { input, columns } => self.describe(input, columns),
            RelationNode::Crosstab { input, first, second } => self.crosstab(input, first, second),
            RelationNode::Cov { input, first, second } => {
                self.two_column_statistic(input, "covar_samp", "cov", first, second)
            }
            RelationNode::Corr { input, first, second, .. } => {
                self.two_column_statistic(input, "corr", "corr", first, second)
            }
            RelationNode::ApproxQuantile { input, columns, probabilities, relative_error } => {
                self.approx_quantile(input, columns, probabilities, *relative_error)
            }
            RelationNode::FreqItems { input, columns, support } => self.freq_items(input, columns, *support),
            RelationNode::SampleBy { input, column, fractions, seed } => {
                self.sample_by(input, column, fractions, *seed)
            }
            RelationNode::Transpose { input, index } => self.transpose(input, index.as_ref()),
            RelationNode::Tail { .. } => Err(SparkError::unsupported("tail below another operation")),
            RelationNode::ShowString { .. } | RelationNode::HtmlString { .. } => {
                Err(SparkError::unsupported("the text of a DataFrame below another operation"))
            }
            other => Err(SparkError::internal(format!("no rule resolves {other:?}"))),
        }
    }

    /// WHERE
    fn filter(&mut self, input: &Relation, condition: &firesteel_spec::Expr) -> Result<Resolved> {
        let input = self.relation(input)?;
        let mut resolver = Resolver::new(self, &input.output);
        match resolver.condition(condition) {
            Ok(condition) => {
                let plan = filter_plan(input.plan, condition.expr)?;
                Ok(Resolved { plan, output: input.output, below: None })
            }
            Err(failure) if failure.class() == &error_class::INVALID_WHERE_CONDITION => {
                Err(self.aggregates_in_where(&input, condition).unwrap_or(failure))
            }
            Err(failure) => self.filter_below(input, condition, failure),
        }
    }

    /// What is wrong with a condition that aggregates; the whole query is where.
    fn aggregates_in_where(&mut self, input: &Resolved, condition: &firesteel_spec::Expr) -> Option<SparkError> {
        let mut resolver = Resolver::new(self, &input.output).with_aside(Aside::aggregates());
        let condition = resolver.condition(condition).ok()?;
        let found = resolver.aside.aggregates.unwrap_or_default();
        let shown: Vec<_> = found.into_iter().map(|a| a.attribute.name).collect();
        let failure = SparkError::new(&error_class::INVALID_WHERE_CONDITION)
            .param("condition", format!("\"{}\"", condition.sql))
            .param("expressionList", shown.join(", "));
        Some(failure)
    }

    /// The same rows with these expressions in place of the plan's columns.
    pub(crate) fn project_exprs(
        &mut self,
        input: Resolved,
        exprs: Vec<datafusion::logical_expr::Expr>,
    ) -> Result<Resolved> {
        let plan = LogicalPlan::Projection(df(Projection::try_new(exprs, child(input.plan)))?);
        Ok(Resolved { plan, output: input.output, below: None })
    }
}

/// A filter over a plan.
pub(crate) fn filter_plan(input: LogicalPlan, condition: datafusion::logical_expr::Expr) -> Result<LogicalPlan> {
    Ok(LogicalPlan::Filter(df(Filter::try_new(condition, child(input)))?))
}
