//! Relations that give rows to the user's Python functions.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::Field;
use datafusion::common::{DFSchema, DFSchemaRef};
use datafusion::logical_expr::{Expr as DfExpr, LogicalPlan, Projection};
use firesteel_engine::python::{
    CoGroupNode, CoGroupSide, CoGroupWork, GroupFunction, GroupNode, GroupResult, GroupWork, MapPartitionsNode,
};
use firesteel_model::{Result, SparkError};
use firesteel_python::{Argument, EvalType};
use firesteel_spec::expr::{CastTarget, PythonUdf};
use firesteel_spec::types_arrow::arrow_field;
use firesteel_spec::{DataType, Expr, Relation, StructField};

use crate::attribute::Attribute;
use crate::expr::{Resolver, python_command};
use crate::planner::{Planner, child, df};
use crate::resolved::Resolved;

impl Planner<'_> {
    /// `mapInPandas`, `mapInArrow`
    pub(super) fn map_partitions(
        &mut self,
        input: &Relation,
        function: &PythonUdf,
        is_barrier: bool,
    ) -> Result<Resolved> {
        if is_barrier {
            return Err(SparkError::unsupported("barrier execution (mapInPandas and mapInArrow with barrier=True)"));
        }
        let eval_type = EvalType(function.eval_type);
        if ![EvalType::MAP_PANDAS_ITER, EvalType::MAP_ARROW_ITER].contains(&eval_type) {
            return Err(SparkError::unsupported(format!("Python evaluation type {} over partitions", eval_type.0)));
        }
        let input = self.relation(input)?;
        let input = self.shown_only(input)?;
        let output = self.python_output(function)?;
        let node = MapPartitionsNode {
            names: input.output.iter().map(|attribute| attribute.name.clone()).collect(),
            input: Arc::new(input.plan),
            command: python_command(function),
            session: self.env.python()?,
            schema: python_schema(&output)?,
        };
        Ok(Resolved::new(node.into_plan(), output))
    }

    /// `applyInPandas`, `applyInArrow`
    pub(super) fn group_map(
        &mut self,
        input: &Relation,
        grouping: &[Expr],
        function: &PythonUdf,
        sort: &[Expr],
    ) -> Result<Resolved> {
        const KINDS: [EvalType; 4] = [
            EvalType::GROUPED_MAP_PANDAS,
            EvalType::GROUPED_MAP_PANDAS_ITER,
            EvalType::GROUPED_MAP_ARROW,
            EvalType::GROUPED_MAP_ARROW_ITER,
        ];
        let eval_type = EvalType(function.eval_type);
        if !KINDS.contains(&eval_type) || !sort.is_empty() {
            return Err(SparkError::unsupported(format!("Python evaluation type {} over groups", eval_type.0)));
        }
        let Keyed { plan, side, .. } = self.keyed(input, grouping)?;
        let output = self.python_output(function)?;
        let work = GroupWork {
            eval_type,
            session: self.env.python()?,
            keys: side.keys.clone(),
            order: Vec::new(),
            columns: side.names.iter().cloned().enumerate().collect(),
            functions: vec![GroupFunction {
                command: python_command(function),
                arguments: side.offsets().into_iter().map(Argument::positional).collect(),
            }],
            result: GroupResult::Rows,
        };
        let node = GroupNode { input: Arc::new(plan), work, schema: python_schema(&output)? };
        Ok(Resolved::new(node.into_plan(), output))
    }

    /// `cogroup(..).applyInPandas`, `cogroup(..).applyInArrow`
    pub(super) fn co_group_map(
        &mut self,
        (left, left_grouping): (&Relation, &[Expr]),
        (right, right_grouping): (&Relation, &[Expr]),
        function: &PythonUdf,
    ) -> Result<Resolved> {
        let eval_type = EvalType(function.eval_type);
        if ![EvalType::COGROUPED_MAP_PANDAS, EvalType::COGROUPED_MAP_ARROW].contains(&eval_type) {
            return Err(SparkError::unsupported(format!("Python evaluation type {} over two groups", eval_type.0)));
        }
        let left = self.keyed(left, left_grouping)?;
        let right = self.keyed(right, right_grouping)?;
        if left.types != right.types {
            return Err(SparkError::unsupported("a cogroup by keys of different types"));
        }
        let output = self.python_output(function)?;
        let node = CoGroupNode {
            left: Arc::new(left.plan),
            right: Arc::new(right.plan),
            work: CoGroupWork {
                command: python_command(function),
                session: self.env.python()?,
                left: left.side,
                right: right.side,
            },
            schema: python_schema(&output)?,
        };
        Ok(Resolved::new(node.into_plan(), output))
    }

    /// The visible columns of a relation, then those keys that are none of them.
    fn keyed(&mut self, input: &Relation, grouping: &[Expr]) -> Result<Keyed> {
        let input = self.relation(input)?;
        let keys = Resolver::new(self, &input.output).values(grouping)?;
        let shown = self.shown_only(input)?;
        let mut columns: Vec<DfExpr> = shown.output.iter().map(Attribute::expr).collect();
        let mut names: Vec<String> = shown.output.iter().map(|attribute| attribute.name.clone()).collect();
        let (values, mut places) = (columns.len(), Vec::new());
        for key in &keys {
            let place = columns.iter().position(|column| *column == key.expr).unwrap_or_else(|| {
                columns.push(key.expr.clone());
                names.push(key.sql.clone());
                columns.len() - 1
            });
            places.push(place);
        }
        let plan = match columns.len() == values {
            true => shown.plan,
            false => {
                let named = columns.into_iter().enumerate().map(|(place, column)| match place < values {
                    true => column,
                    false => column.alias(self.unique("key")),
                });
                let named = named.collect();
                LogicalPlan::Projection(df(Projection::try_new(named, child(shown.plan)))?)
            }
        };
        let types = keys.into_iter().map(|key| key.data_type).collect();
        Ok(Keyed { plan, types, side: CoGroupSide { keys: places, names, values } })
    }

    /// Exactly the visible columns, in their order: what a function over whole rows takes.
    pub(super) fn shown_only(&mut self, input: Resolved) -> Result<Resolved> {
        let planned = self.planned(input)?;
        let columns: Vec<String> = planned.plan.schema().fields().iter().map(|field| field.name().clone()).collect();
        let output = planned.fields.into_iter().zip(columns).map(|(field, column)| Attribute {
            column,
            name: field.name,
            qualifier: Vec::new(),
            data_type: field.data_type,
            nullable: field.nullable,
            metadata: field.metadata,
            is_hidden: false,
        });
        Ok(Resolved::new(planned.plan, output.collect()))
    }

    /// The columns that a function gives which gives rows.
    pub(super) fn python_output(&mut self, function: &PythonUdf) -> Result<Vec<Attribute>> {
        let fields = match function.returns()? {
            CastTarget::Type(DataType::Struct(fields)) => fields.clone(),
            CastTarget::Type(other) => vec![StructField::new("value", other.clone(), true)],
            CastTarget::Ddl(text) => firesteel_sql::parse_table_schema(text)?,
        };
        Ok(self.output_of(fields))
    }

    /// New columns for rows of a function's own.
    pub(super) fn output_of(&mut self, fields: Vec<StructField>) -> Vec<Attribute> {
        let attribute = |field: StructField| Attribute {
            metadata: field.metadata.clone(),
            ..self.attribute_of(&field.name, field.data_type, field.nullable)
        };
        fields.into_iter().map(attribute).collect()
    }
}

/// A relation with its keys among its columns.
struct Keyed {
    plan: LogicalPlan,
    /// Of the keys.
    types: Vec<DataType>,
    side: CoGroupSide,
}

/// The schema of a node that gives these columns; a function may give nulls whatever it declares.
pub(super) fn python_schema(output: &[Attribute]) -> Result<DFSchemaRef> {
    let field = |attribute: &Attribute| arrow_field(&attribute.column, &attribute.data_type, true);
    let fields: Vec<Field> = output.iter().map(field).collect();
    Ok(Arc::new(df(DFSchema::from_unqualified_fields(fields.into(), HashMap::new()))?))
}
