//! UNPIVOT and transpose: columns to rows.

use datafusion::common::ScalarValue;
use firesteel_functions::call::GeneratorKind;
use firesteel_functions::coercion;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::relation::Unpivot;
use firesteel_spec::{DataType, Expr, Relation, StructField};

use super::filter_plan;
use crate::attribute::Attribute;
use crate::expr::{ExtractedGenerator, Item, Resolver};
use crate::planner::{Planner, df};
use crate::resolved::Resolved;

impl Planner<'_> {
    /// UNPIVOT
    pub(super) fn unpivot(&mut self, unpivot: &Unpivot) -> Result<Resolved> {
        let input = self.relation(&unpivot.input)?;
        let mut resolver = Resolver::new(self, &input.output);
        let given_ids = unpivot.ids.as_ref().map(|ids| resolver.items(ids)).transpose()?;
        let mut groups: Vec<(Vec<Item>, Option<String>)> = Vec::new();
        match &unpivot.values {
            Some(values) => {
                for (group, alias) in values {
                    let items = resolver.items(group)?;
                    if group.len() == 1 && items.len() > 1 {
                        groups.extend(items.into_iter().map(|item| (vec![item], None)));
                    } else {
                        groups.push((items, alias.clone()));
                    }
                }
            }
            None => {
                let is_id = |a: &Attribute| given_ids.iter().flatten().any(|i| i.typed.expr == a.expr());
                groups.extend(input.visible().filter(|a| !is_id(a)).map(|a| (vec![Item::pass(a)], None)));
            }
        }
        let ids = match given_ids {
            Some(ids) => ids,
            None => {
                let used = |a: &Attribute| groups.iter().flat_map(|(g, _)| g).any(|i| i.typed.expr == a.expr());
                input.visible().filter(|a| !used(a)).map(Item::pass).collect()
            }
        };
        self.unpivoted(input, ids, groups, unpivot)
    }

    fn unpivoted(
        &mut self,
        input: Resolved,
        ids: Vec<Item>,
        groups: Vec<(Vec<Item>, Option<String>)>,
        unpivot: &Unpivot,
    ) -> Result<Resolved> {
        let width = unpivot.value_names.len();
        let mut types = Vec::new();
        for place in 0..width {
            let of_place: Vec<_> =
                groups.iter().filter_map(|(g, _)| g.get(place)).map(|i| i.typed.data_type.clone()).collect();
            let common = coercion::common_type(&self.context, &of_place).ok_or_else(|| {
                SparkError::new(&error_class::UNPIVOT_VALUE_DATA_TYPE_MISMATCH)
                    .param("types", of_place.iter().map(|t| format!("\"{}\"", t.sql())).collect::<Vec<_>>().join(", "))
            })?;
            types.push(common);
        }
        let mut rows = Vec::new();
        for (group, alias) in &groups {
            let name =
                alias.clone().unwrap_or_else(|| group.iter().map(|i| i.name.clone()).collect::<Vec<_>>().join("_"));
            let mut row = vec![self.string(&unpivot.variable_name)?, self.string(&name)?];
            for ((item, data_type), value_name) in group.iter().zip(&types).zip(&unpivot.value_names) {
                row.push(self.string(value_name)?);
                row.push(self.cast_to(item.typed.clone(), data_type)?);
            }
            rows.push(self.apply("named_struct", row)?);
        }
        let rows = self.apply("array", rows)?;
        let mut columns = vec![self.attribute_of(&unpivot.variable_name, DataType::STRING, false)];
        for (name, data_type) in unpivot.value_names.iter().zip(types) {
            columns.push(self.attribute_of(name, data_type, true));
        }
        let generated =
            ExtractedGenerator { rows: rows.expr, kind: GeneratorKind::Inner, columns: columns.clone(), sql: rows.sql };
        let mut plan = self.unnest(input.plan, &input.output, &generated)?;
        if !unpivot.include_nulls {
            let mut condition = self.apply("isnotnull", vec![columns[1].typed()])?;
            for column in &columns[2..] {
                let present = self.apply("isnotnull", vec![column.typed()])?;
                condition = self.apply("or", vec![condition, present])?;
            }
            plan = filter_plan(plan, condition.expr)?;
        }
        let mut items = ids;
        items.extend(columns.iter().map(Item::pass));
        self.project(plan, columns, items, None)
    }

    /// `df.transpose()`: runs a query, since the new columns are the rows of the index column.
    pub(super) fn transpose(&mut self, input: &Relation, index: Option<&Expr>) -> Result<Resolved> {
        let input = self.relation(input)?;
        let index = match index {
            Some(index) => Resolver::new(self, &input.output).value(index)?,
            None => {
                let first = input.visible().next().map(Attribute::typed);
                let Some(first) = first else { return Ok(input) };
                first
            }
        };
        let rest: Vec<_> = input.visible().filter(|a| a.expr() != index.expr).cloned().collect();
        let types: Vec<_> = rest.iter().map(|a| a.data_type.clone()).collect();
        let common = coercion::common_type(&self.context, &types).ok_or_else(|| {
            SparkError::new(&error_class::TRANSPOSE_NO_LEAST_COMMON_TYPE)
                .param("dt1", format!("\"{}\"", types[0].sql()))
                .param("dt2", format!("\"{}\"", types[types.len() - 1].sql()))
        })?;
        let key = self.cast_to(index, &DataType::STRING)?;
        let order = vec![datafusion::logical_expr::expr::Sort::new(key.expr.clone(), true, true)];
        let mut exprs = vec![key.expr.alias("key#")];
        for column in &rest {
            exprs.push(self.cast_to(column.typed(), &common)?.expr.alias(column.column.clone()));
        }
        let sorted = datafusion::logical_expr::LogicalPlan::Sort(datafusion::logical_expr::logical_plan::Sort {
            expr: order,
            input: std::sync::Arc::new(input.plan),
            fetch: None,
        });
        let table = self.project_exprs(Resolved::new(sorted, Vec::new()), exprs)?;
        let batches = self.env.collect(&table.plan)?;
        let mut fields = vec![StructField::new("key", DataType::STRING, false)];
        let mut columns: Vec<Vec<ScalarValue>> =
            vec![rest.iter().map(|c| ScalarValue::Utf8(Some(c.name.clone()))).collect()];
        for batch in &batches {
            for row in 0..batch.num_rows() {
                let value = |column: usize| df(ScalarValue::try_from_array(batch.column(column), row));
                if let ScalarValue::Utf8(Some(name)) = value(0)? {
                    fields.push(StructField::new(name, common.clone(), true));
                    columns.push((1..=rest.len()).map(value).collect::<Result<_>>()?);
                }
            }
        }
        if rest.is_empty() {
            return self.rows(&fields, Vec::new());
        }
        let arrays = columns.into_iter().map(|c| df(ScalarValue::iter_to_array(c))).collect::<Result<Vec<_>>>()?;
        let schema = arrow::datatypes::Schema::new(
            arrays
                .iter()
                .enumerate()
                .map(|(i, a)| arrow::datatypes::Field::new(format!("c{i}"), a.data_type().clone(), true))
                .collect::<Vec<_>>(),
        );
        let batch = arrow::array::RecordBatch::try_new(std::sync::Arc::new(schema), arrays);
        let batch = batch.map_err(firesteel_functions::errors::from_arrow)?;
        self.rows(&fields, vec![batch])
    }
}
