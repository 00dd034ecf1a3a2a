//! Relations that give rows to the user's Python functions.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::Field;
use datafusion::common::{DFSchema, DFSchemaRef};
use firesteel_engine::python::MapPartitionsNode;
use firesteel_model::{Result, SparkError};
use firesteel_python::EvalType;
use firesteel_spec::expr::PythonUdf;
use firesteel_spec::types_arrow::arrow_field;
use firesteel_spec::{DataType, Relation};

use crate::attribute::Attribute;
use crate::expr::python_command;
use crate::planner::{Planner, df};
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

    /// Exactly the visible columns, in their order: what a function over whole rows takes.
    fn shown_only(&mut self, input: Resolved) -> Result<Resolved> {
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
    fn python_output(&mut self, function: &PythonUdf) -> Result<Vec<Attribute>> {
        let fields = match self.cast_target(&function.output_type)? {
            DataType::Struct(fields) => fields,
            other => vec![firesteel_spec::StructField::new("value", other, true)],
        };
        let attribute = |field: firesteel_spec::StructField| Attribute {
            metadata: field.metadata.clone(),
            ..self.attribute_of(&field.name, field.data_type, field.nullable)
        };
        Ok(fields.into_iter().map(attribute).collect())
    }
}

/// The schema of a node that gives these columns; a function may give nulls whatever it declares.
fn python_schema(output: &[Attribute]) -> Result<DFSchemaRef> {
    let field = |attribute: &Attribute| arrow_field(&attribute.column, &attribute.data_type, true);
    let fields: Vec<Field> = output.iter().map(field).collect();
    Ok(Arc::new(df(DFSchema::from_unqualified_fields(fields.into(), HashMap::new()))?))
}
