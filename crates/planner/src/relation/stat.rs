//! `df.stat`: covariance, correlation, quantiles, frequent items, contingency tables.

use datafusion::common::ScalarValue;
use firesteel_model::Result;
use firesteel_spec::relation::{AggregateStyle, Grouping};
use firesteel_spec::{DataType, Expr, Literal, Relation};

use super::filter_plan;
use crate::attribute::Attribute;
use crate::planner::Planner;
use crate::resolved::Resolved;

impl Planner<'_> {
    /// `stat.cov` and `stat.corr`: one row, one column.
    pub(super) fn two_column_statistic(
        &mut self,
        input: &Relation,
        function: &str,
        name: &str,
        first: &str,
        second: &str,
    ) -> Result<Resolved> {
        let input = self.relation(input)?;
        let columns = self.named_columns(&input, &[first.to_owned(), second.to_owned()])?;
        let mut arguments = Vec::new();
        for column in &columns {
            arguments.push(self.cast_to(column.typed(), &DataType::Double)?);
        }
        self.aggregate_all(input, vec![(function, arguments, name.to_owned())])
    }

    /// `stat.approxQuantile`: one row with an array of arrays.
    pub(super) fn approx_quantile(
        &mut self,
        input: &Relation,
        columns: &[String],
        probabilities: &[f64],
        relative_error: f64,
    ) -> Result<Resolved> {
        let input = self.relation(input)?;
        let columns = self.named_columns(&input, columns)?;
        let shares = probabilities.iter().map(|p| Literal::Double(*p)).collect();
        let shares = firesteel_functions::literal::typed(&Literal::Array(shares, DataType::Double), &self.context)?;
        let accuracy = if relative_error > 0.0 { (1.0 / relative_error).clamp(1.0, 1e9) } else { 1e6 };
        #[expect(clippy::cast_possible_truncation, reason = "clamped to a billion above")]
        let accuracy = self.integer(accuracy as i32)?;
        let mut calls = Vec::new();
        for (index, column) in columns.iter().enumerate() {
            let value = self.cast_to(column.typed(), &DataType::Double)?;
            calls.push(("percentile_approx", vec![value, shares.clone(), accuracy.clone()], format!("q{index}")));
        }
        let row = self.aggregate_all(input, calls)?;
        let quantiles = row.output.iter().map(Attribute::typed).collect();
        let all = self.apply("array", quantiles)?;
        self.project_named(row, vec![("approx_quantile".to_owned(), all)])
    }

    /// `stat.freqItems`: for each column the values in at least `support` of the rows.
    pub(super) fn freq_items(
        &mut self,
        input: &Relation,
        columns: &[String],
        support: Option<f64>,
    ) -> Result<Resolved> {
        let support = firesteel_functions::literal::typed(&Literal::Double(support.unwrap_or(0.01)), &self.context)?;
        let mut row: Option<Resolved> = None;
        for name in columns {
            let items = self.frequent(input, name, support.clone())?;
            row = Some(match row {
                None => items,
                Some(row) => self.beside(row, items)?,
            });
        }
        match row {
            Some(row) => super::set::visible_only(self, row),
            None => self.relation(&Relation::new(firesteel_spec::RelationNode::OneRow)),
        }
    }

    fn frequent(
        &mut self,
        input: &Relation,
        name: &str,
        support: firesteel_functions::call::Typed,
    ) -> Result<Resolved> {
        let total = self.relation(input)?;
        let one = self.integer(1)?;
        let total = self.aggregate_all(total, vec![("count", vec![one], "total".to_owned())])?;
        let key = Expr::column([name]);
        let counted = Expr::call("count", vec![Expr::literal(Literal::Integer(1))]).alias("count");
        let grouping = Grouping::Expressions(vec![key]);
        let input = self.relation(input)?;
        let counts = self.aggregate_over(input, &grouping, &[counted], AggregateStyle::GroupingFirst)?;
        let both = self.beside(counts, total)?;
        let [value, count, total] = [0, 1, 2].map(|index| both.output[index].typed());
        let needed = self.apply("*", vec![total, support])?;
        let is_frequent = self.apply(">=", vec![count, needed])?;
        let plan = filter_plan(both.plan.clone(), is_frequent.expr)?;
        let kept = Resolved::new(plan, both.output);
        self.aggregate_all(kept, vec![("collect_list", vec![value], format!("{name}_freqItems"))])
    }

    /// `stat.crosstab`: how often each pair of values occurs, one column per value of the second.
    pub(super) fn crosstab(&mut self, input: &Relation, first: &str, second: &str) -> Result<Resolved> {
        let values = self.distinct_values(input, &Expr::column([second]))?;
        let key = Expr::new(firesteel_spec::ExprNode::Cast {
            child: Expr::column([first]),
            target: firesteel_spec::expr::CastTarget::Type(DataType::STRING),
            mode: firesteel_spec::expr::CastMode::Session,
        });
        let label = format!("{first}_{second}");
        let or_null =
            |expr: Expr| Expr::call("coalesce", vec![expr, Expr::literal(Literal::String("null".to_owned()))]);
        let mut columns = Vec::new();
        for value in values {
            let name = match &value {
                ScalarValue::Utf8(Some(text)) => text.clone(),
                _ => "null".to_owned(),
            };
            let is_value = Expr::call("<=>", vec![text_of(second), literal_text(&value)]);
            let counted = Expr::call("count_if", vec![is_value]);
            columns.push(counted.alias(name));
        }
        let input = self.relation(input)?;
        let grouping = Grouping::Expressions(vec![or_null(key).alias(label)]);
        self.aggregate_over(input, &grouping, &columns, AggregateStyle::GroupingFirst)
    }

    /// The distinct values of an expression as text, in order; runs a query.
    pub(super) fn distinct_values(&mut self, input: &Relation, expr: &Expr) -> Result<Vec<ScalarValue>> {
        let text = Expr::new(firesteel_spec::ExprNode::Cast {
            child: expr.clone(),
            target: firesteel_spec::expr::CastTarget::Type(DataType::STRING),
            mode: firesteel_spec::expr::CastMode::Session,
        });
        let input = self.relation(input)?;
        let keys = vec![expr.clone().alias("value"), text.alias("text")];
        let grouped = self.aggregate_over(input, &Grouping::Expressions(keys), &[], AggregateStyle::GroupingFirst)?;
        let order = vec![datafusion::logical_expr::expr::Sort::new(grouped.output[0].expr(), true, true)];
        let sorted = datafusion::logical_expr::LogicalPlan::Sort(datafusion::logical_expr::logical_plan::Sort {
            expr: order,
            input: std::sync::Arc::new(grouped.plan),
            fetch: None,
        });
        let text = grouped.output[1].clone();
        let column = self.project_exprs(Resolved::new(sorted, vec![text.clone()]), vec![text.expr()])?;
        let batches = self.env.collect(&column.plan)?;
        let mut values = Vec::new();
        for batch in batches {
            for row in 0..batch.num_rows() {
                values.push(crate::planner::df(ScalarValue::try_from_array(batch.column(0), row))?);
            }
        }
        Ok(values)
    }
}

fn text_of(column: &str) -> Expr {
    Expr::new(firesteel_spec::ExprNode::Cast {
        child: Expr::column([column]),
        target: firesteel_spec::expr::CastTarget::Type(DataType::STRING),
        mode: firesteel_spec::expr::CastMode::Session,
    })
}

/// A text constant, or NULL.
pub(super) fn literal_text(value: &ScalarValue) -> Expr {
    match value {
        ScalarValue::Utf8(Some(text)) => Expr::literal(Literal::String(text.clone())),
        _ => Expr::literal(Literal::Null(DataType::STRING)),
    }
}
