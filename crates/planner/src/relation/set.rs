//! UNION, INTERSECT, EXCEPT, DISTINCT.

use std::sync::Arc;

use datafusion::common::NullEquality;
use datafusion::logical_expr::logical_plan::{Distinct, DistinctOn, Join, JoinConstraint, Union};
use datafusion::logical_expr::{Expr as DfExpr, JoinType, LogicalPlan};
use firesteel_functions::call::{CallModifiers, Typed};
use firesteel_functions::coercion;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::relation::SetKind;
use firesteel_spec::types::quote_name;
use firesteel_spec::{DataType, Relation};

use super::select::{named, window_plan};
use crate::attribute::Attribute;
use crate::error;
use crate::planner::{Planner, child, df};
use crate::resolved::Resolved;

impl Planner<'_> {
    /// A set operation; `by_name` holds whether missing columns become nulls.
    pub(super) fn set_operation(
        &mut self,
        left: &Relation,
        right: &Relation,
        kind: SetKind,
        is_all: bool,
        by_name: Option<bool>,
    ) -> Result<Resolved> {
        let (left, right) = (self.relation(left)?, self.relation(right)?);
        self.input_files.lost |= left.output.iter().chain(&right.output).any(Attribute::tells_file);
        let (left, right) = match by_name {
            Some(allow_missing) => self.matched_by_name(left, right, allow_missing)?,
            None => (visible_only(self, left)?, visible_only(self, right)?),
        };
        let (left, right) = self.same_columns(left, right, kind)?;
        match (kind, is_all) {
            (SetKind::Union, true) => union(left, right),
            (SetKind::Union, false) => union(left, right).map(distinct),
            (SetKind::Intersect, true) => self.multiset(left, right, JoinType::LeftSemi),
            (SetKind::Except, true) => self.multiset(left, right, JoinType::LeftAnti),
            (SetKind::Intersect, false) => membership(distinct(left), right, JoinType::LeftSemi),
            (SetKind::Except, false) => membership(distinct(left), right, JoinType::LeftAnti),
        }
    }

    /// Casts both sides to common types; the right side's columns get the names that a union joins by position.
    fn same_columns(&mut self, left: Resolved, right: Resolved, kind: SetKind) -> Result<(Resolved, Resolved)> {
        let operator = match kind {
            SetKind::Union => "UNION",
            SetKind::Intersect => "INTERSECT",
            SetKind::Except => "EXCEPT",
        };
        if left.output.len() != right.output.len() {
            return Err(SparkError::new(&error_class::NUM_COLUMNS_MISMATCH)
                .param("operator", operator)
                .param("firstNumColumns", left.output.len().to_string())
                .param("invalidOrdinalNum", "second")
                .param("invalidNumColumns", right.output.len().to_string()));
        }
        let (mut left_values, mut right_values, mut output) = (Vec::new(), Vec::new(), Vec::new());
        for (index, (l, r)) in left.output.iter().zip(&right.output).enumerate() {
            let common = coercion::common_type(&self.context, &[l.data_type.clone(), r.data_type.clone()]);
            let common = common.ok_or_else(|| {
                SparkError::new(&error_class::INCOMPATIBLE_COLUMN_TYPE)
                    .param("operator", operator)
                    .param("columnOrdinalNumber", ordinal(index))
                    .param("tableOrdinalNumber", "second")
                    .param("dataType1", format!("\"{}\"", r.data_type.sql()))
                    .param("dataType2", format!("\"{}\"", l.data_type.sql()))
                    .param("hint", "")
            })?;
            let left_value = self.cast_to(l.typed(), &common)?;
            let right_value = self.cast_to(r.typed(), &common)?;
            let nullable = l.nullable || r.nullable;
            output.push(Attribute {
                nullable,
                metadata: l.metadata.clone(),
                ..self.attribute_of(&l.name, common, nullable)
            });
            left_values.push(left_value);
            right_values.push(right_value);
        }
        let exprs =
            |values: Vec<Typed>| values.into_iter().zip(&output).map(|(v, a)| named(v, a)).collect::<Vec<DfExpr>>();
        let (left_exprs, right_exprs) = (exprs(left_values), exprs(right_values));
        let left = self.project_exprs(left, left_exprs)?.with_output(output.clone());
        let right = self.project_exprs(right, right_exprs)?.with_output(output);
        Ok((left, right))
    }

    fn matched_by_name(
        &mut self,
        left: Resolved,
        right: Resolved,
        allow_missing: bool,
    ) -> Result<(Resolved, Resolved)> {
        let names = self.names;
        let left_columns: Vec<_> = left.visible().cloned().collect();
        let right_columns: Vec<_> = right.visible().cloned().collect();
        let in_right = |name: &str| right_columns.iter().find(|a| names.same(&a.name, name));
        let missing = left_columns.iter().find(|a| in_right(&a.name).is_none());
        let extra: Vec<_> = right_columns
            .iter()
            .filter(|r| !left_columns.iter().any(|l| names.same(&l.name, &r.name)))
            .cloned()
            .collect();
        if !allow_missing && (missing.is_some() || left_columns.len() != right_columns.len()) {
            if let Some(missing) = missing {
                return Err(error::unresolved_column(std::slice::from_ref(&missing.name), &right_columns));
            }
            return Err(SparkError::new(&error_class::NUM_COLUMNS_MISMATCH)
                .param("operator", "UNION")
                .param("firstNumColumns", left_columns.len().to_string())
                .param("invalidOrdinalNum", "second")
                .param("invalidNumColumns", right_columns.len().to_string()));
        }
        let mut left_values: Vec<_> = left_columns.iter().map(|a| (a.name.clone(), a.typed())).collect();
        let mut right_values = Vec::new();
        for column in &left_columns {
            let value = match in_right(&column.name) {
                Some(found) => found.typed(),
                None => self.null_of(&column.data_type)?,
            };
            right_values.push((column.name.clone(), value));
        }
        for column in extra {
            left_values.push((column.name.clone(), self.null_of(&column.data_type)?));
            right_values.push((column.name.clone(), column.typed()));
        }
        Ok((self.project_named(left, left_values)?, self.project_named(right, right_values)?))
    }

    /// INTERSECT ALL and EXCEPT ALL: the nth copy of a row is matched with the nth copy of the other side.
    fn multiset(&mut self, left: Resolved, right: Resolved, kind: JoinType) -> Result<Resolved> {
        let output = left.output.clone();
        let (left, right) = (self.numbered(left)?, self.numbered(right)?);
        let joined = membership(left, right, kind)?;
        let columns = output.iter().map(Attribute::expr).collect();
        self.project_exprs(Resolved::new(joined.plan, output), columns)
    }

    fn numbered(&mut self, input: Resolved) -> Result<Resolved> {
        let keys: Vec<Typed> = input.output.iter().map(Attribute::typed).collect();
        let number = self.row_number(keys, Vec::new())?;
        let mut output = input.output.clone();
        output.push(Attribute { column: "copy#".to_owned(), ..number.attribute.clone() });
        let plan = window_plan(
            input.plan,
            vec![crate::expr::Extracted { attribute: output[output.len() - 1].clone(), ..number }],
        )?;
        Ok(Resolved::new(plan, output))
    }

    /// DISTINCT, and dropDuplicates over some columns.
    pub(super) fn deduplicate(&mut self, input: &Relation, columns: &[String]) -> Result<Resolved> {
        let input = self.relation(input)?;
        let input = visible_only(self, input)?;
        if columns.is_empty() {
            for attribute in &input.output {
                if matches!(attribute.data_type, DataType::Map(..)) {
                    return Err(SparkError::new(&error_class::UNSUPPORTED_FEATURE_SET_OPERATION_ON_MAP_TYPE)
                        .param("colName", quote_name(std::slice::from_ref(&attribute.name)))
                        .param("dataType", format!("\"{}\"", attribute.data_type.sql())));
                }
            }
            return Ok(distinct(input));
        }
        let mut keys = Vec::new();
        for name in columns {
            let found: Vec<_> =
                input.visible().filter(|a| self.names.same(&a.name, name)).map(Attribute::expr).collect();
            if found.is_empty() {
                return Err(error::unresolved_column(std::slice::from_ref(name), &input.output));
            }
            keys.extend(found);
        }
        let select = input.output.iter().map(Attribute::expr).collect();
        let on = df(DistinctOn::try_new(keys, select, None, child(input.plan)))?;
        Ok(Resolved { plan: LogicalPlan::Distinct(Distinct::On(on)), output: input.output, below: None })
    }

    /// A NULL of a type.
    pub(crate) fn null_of(&self, data_type: &DataType) -> Result<Typed> {
        firesteel_functions::literal::typed(&firesteel_spec::Literal::Null(data_type.clone()), &self.context)
    }

    /// An INT constant.
    pub(crate) fn integer(&self, value: i32) -> Result<Typed> {
        firesteel_functions::literal::typed(&firesteel_spec::Literal::Integer(value), &self.context)
    }

    /// `row_number() OVER (PARTITION BY keys ORDER BY order)`
    pub(crate) fn row_number(
        &mut self,
        keys: Vec<Typed>,
        order: Vec<datafusion::logical_expr::expr::Sort>,
    ) -> Result<crate::expr::Extracted> {
        self.row_number_over(keys.into_iter().map(|key| key.expr).collect(), order)
    }

    /// The same over keys that are plain expressions.
    pub(crate) fn row_number_over(
        &mut self,
        keys: Vec<DfExpr>,
        order: Vec<datafusion::logical_expr::expr::Sort>,
    ) -> Result<crate::expr::Extracted> {
        use datafusion::common::ScalarValue;
        use datafusion::logical_expr::expr::{WindowFunction, WindowFunctionParams};
        use datafusion::logical_expr::{WindowFrame, WindowFrameBound, WindowFrameUnits};
        use firesteel_functions::registry::{self, Build};
        let Some(Build::Window(build)) = registry::lookup("row_number").map(|d| d.build) else {
            return Err(SparkError::internal("row_number is not in the table"));
        };
        let call = build(&self.context, Vec::new(), &CallModifiers::default())?;
        let start = WindowFrameBound::Preceding(ScalarValue::UInt64(None));
        let order_by = if order.is_empty() {
            keys.iter().map(|k| datafusion::logical_expr::expr::Sort::new(k.clone(), true, true)).collect()
        } else {
            order
        };
        let expr = DfExpr::from(WindowFunction {
            fun: call.function,
            params: WindowFunctionParams {
                args: call.arguments,
                partition_by: keys,
                order_by,
                window_frame: WindowFrame::new_bounds(WindowFrameUnits::Rows, start, WindowFrameBound::CurrentRow),
                filter: None,
                null_treatment: None,
                distinct: false,
            },
        });
        let attribute = self.attribute_of("row_number", call.data_type, false);
        Ok(crate::expr::Extracted { expr, attribute })
    }
}

/// Drops hidden columns from the plan.
pub(crate) fn visible_only(planner: &mut Planner<'_>, input: Resolved) -> Result<Resolved> {
    let output: Vec<_> = input.visible().cloned().collect();
    if output.len() == input.plan.schema().fields().len() {
        return Ok(Resolved { output, below: None, ..input });
    }
    let columns = output.iter().map(Attribute::expr).collect();
    Ok(planner.project_exprs(input, columns)?.with_output(output))
}

fn union(left: Resolved, right: Resolved) -> Result<Resolved> {
    let mut inputs = Vec::new();
    for plan in [left.plan, right.plan] {
        match plan {
            LogicalPlan::Union(union) => inputs.extend(union.inputs),
            other => inputs.push(child(other)),
        }
    }
    let plan = LogicalPlan::Union(df(Union::try_new_with_loose_types(inputs))?);
    Ok(Resolved { plan, output: left.output, below: None })
}

fn distinct(input: Resolved) -> Resolved {
    let plan = LogicalPlan::Distinct(Distinct::All(Arc::new(input.plan)));
    Resolved { plan, output: input.output, below: None }
}

/// Rows of the left side that are (semi) or are not (anti) on the right; nulls equal nulls.
fn membership(left: Resolved, right: Resolved, kind: JoinType) -> Result<Resolved> {
    let renamed: Vec<DfExpr> = right.output.iter().map(|a| a.expr().alias(format!("{}'", a.column))).collect();
    let right_plan = LogicalPlan::Projection(df(datafusion::logical_expr::logical_plan::Projection::try_new(
        renamed,
        child(right.plan),
    ))?);
    let on = left
        .output
        .iter()
        .map(|a| {
            let other = datafusion::common::Column::new_unqualified(format!("{}'", a.column));
            (a.expr(), DfExpr::Column(other))
        })
        .collect();
    let join = Join::try_new(
        child(left.plan),
        child(right_plan),
        on,
        None,
        kind,
        JoinConstraint::On,
        NullEquality::NullEqualsNull,
        false,
    );
    Ok(Resolved { plan: LogicalPlan::Join(df(join)?), output: left.output, below: None })
}

fn ordinal(index: usize) -> String {
    const WORDS: [&str; 10] =
        ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"];
    WORDS.get(index).map_or_else(|| format!("{}th", index + 1), |word| (*word).to_owned())
}
