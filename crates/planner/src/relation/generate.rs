//! Generators: LATERAL VIEW, `explode` in a select list, table functions.

use datafusion::common::{Column, NullHandling, UnnestOptions};
use datafusion::logical_expr::logical_plan::{Projection, Unnest};
use datafusion::logical_expr::{Expr as DfExpr, LogicalPlan};
use firesteel_functions::call::GeneratorKind;
use firesteel_functions::registry::{self, Build};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::command::{ColumnDefinition, FunctionBody};
use firesteel_spec::expr::FunctionCall;
use firesteel_spec::types::quote_name;
use firesteel_spec::{Expr, Relation, RelationNode};

use crate::attribute::Attribute;
use crate::expr::{Aside, ExtractedGenerator, Resolver, builtin_name, called_with};
use crate::planner::{OuterScope, Planner, child, df};
use crate::resolved::Resolved;

impl Planner<'_> {
    /// LATERAL VIEW
    pub(super) fn lateral_view(
        &mut self,
        input: &Relation,
        call: &FunctionCall,
        is_outer: bool,
        table: &[String],
        columns: &[String],
    ) -> Result<Resolved> {
        let input = self.relation(input)?;
        let generated = self.generator_of(&input.output, call, columns)?;
        let mut generated = generated;
        if is_outer {
            generated.kind = GeneratorKind::Outer;
        }
        for column in &mut generated.columns {
            column.qualifier = table.to_vec();
            column.nullable |= is_outer;
        }
        let plan = self.unnest(input.plan, &input.output, &generated)?;
        let mut output = input.output;
        output.extend(generated.columns);
        Ok(Resolved::new(plan, output))
    }

    fn generator_of(
        &mut self,
        input: &[Attribute],
        call: &FunctionCall,
        names: &[String],
    ) -> Result<ExtractedGenerator> {
        let definition = builtin_name(&call.name).and_then(|name| registry::lookup(&name));
        let definition = definition.ok_or_else(|| self.unknown_function(&call.name))?;
        let aside = Aside { generators: Some(Vec::new()), ..Aside::default() };
        let mut resolver = Resolver::new(self, input).with_aside(aside);
        resolver.generator(definition, call, names)?;
        let generated = resolver.aside.generators.unwrap_or_default().pop();
        generated.ok_or_else(|| SparkError::internal("a generator was not set aside"))
    }

    /// Unnests the generators of a select list.
    pub(super) fn unnest_all(
        &mut self,
        plan: LogicalPlan,
        columns: &[Attribute],
        aside: &Aside,
    ) -> Result<LogicalPlan> {
        let mut known = columns.to_vec();
        aside.generators.iter().flatten().try_fold(plan, |plan, generated| {
            let plan = self.unnest(plan, &known, generated)?;
            known.extend(generated.columns.iter().cloned());
            Ok(plan)
        })
    }

    /// One row per generated row, beside the input's columns.
    pub(super) fn unnest(
        &mut self,
        plan: LogicalPlan,
        columns: &[Attribute],
        generated: &ExtractedGenerator,
    ) -> Result<LogicalPlan> {
        let list = self.unique("generated");
        let mut exprs: Vec<DfExpr> = distinct_columns(columns);
        exprs.push(generated.rows.clone().alias(list.clone()));
        let projected = LogicalPlan::Projection(df(Projection::try_new(exprs, child(plan)))?);
        let null_handling = match generated.kind {
            GeneratorKind::Inner => NullHandling::Drop,
            GeneratorKind::Outer => NullHandling::PreserveAndExpandEmpty,
        };
        let options = UnnestOptions { null_handling, recursions: Vec::new() };
        let unnest = df(Unnest::try_new(child(projected), vec![Column::new_unqualified(list.clone())], options))?;
        let row = DfExpr::Column(Column::new_unqualified(list));
        let mut exprs: Vec<DfExpr> = distinct_columns(columns);
        for (index, column) in generated.columns.iter().enumerate() {
            let field = firesteel_functions::families::structs::field_at(row.clone(), index)?;
            exprs.push(field.alias(column.column.clone()));
        }
        Ok(LogicalPlan::Projection(df(Projection::try_new(exprs, child(LogicalPlan::Unnest(unnest))))?))
    }

    /// `range(..)`, `explode(..)` and SQL table functions in FROM.
    pub(super) fn table_function(&mut self, call: &FunctionCall) -> Result<Resolved> {
        if let Some(function) = self.env.sql_function(&call.name) {
            return match &function.body {
                FunctionBody::Python(python) => self.python_table(&called_with(python, &call.arguments), None),
                _ => self.sql_table_function(&function, &call.arguments),
            };
        }
        match builtin_name(&call.name).as_deref() {
            Some("range") => self.range_function(&call.arguments),
            Some(name) if registry::lookup(name).is_some_and(|d| matches!(d.build, Build::Generator(_))) => {
                let empty = self.relation(&Relation::new(RelationNode::OneRow))?;
                let generated = self.generator_of(&[], call, &[])?;
                let plan = self.unnest(empty.plan, &[], &generated)?;
                Ok(Resolved::new(plan, generated.columns))
            }
            _ => {
                Err(SparkError::new(&error_class::UNRESOLVABLE_TABLE_VALUED_FUNCTION)
                    .param("name", quote_name(&call.name)))
            }
        }
    }

    fn range_function(&mut self, arguments: &[Expr]) -> Result<Resolved> {
        let mut numbers = Vec::new();
        for argument in arguments {
            let typed = Resolver::new(self, &[]).value(argument)?;
            let typed = self.cast_to(typed, &firesteel_spec::DataType::Long)?;
            match self.constant(&typed)? {
                datafusion::common::ScalarValue::Int64(Some(number)) => numbers.push(number),
                _ => {
                    return Err(SparkError::new(&error_class::UNEXPECTED_INPUT_TYPE)
                        .param("functionName", "`range`")
                        .param("paramIndex", (numbers.len() + 1).to_string())
                        .param("inputSql", format!("\"{}\"", typed.sql)));
                }
            }
        }
        let (start, end, step, partitions) = match numbers.as_slice() {
            [end] => (0, *end, 1, None),
            [start, end] => (*start, *end, 1, None),
            [start, end, step] => (*start, *end, *step, None),
            [start, end, step, partitions] => (*start, *end, *step, i32::try_from(*partitions).ok()),
            _ => {
                return Err(SparkError::new(&error_class::WRONG_NUM_ARGS_WITHOUT_SUGGESTION)
                    .param("functionName", "`range`")
                    .param("expectedNum", "[1, 2, 3, 4]")
                    .param("actualNum", numbers.len().to_string())
                    .param("docroot", "https://spark.apache.org/docs/latest"));
            }
        };
        self.relation(&Relation::new(RelationNode::Range { start: Some(start), end, step, partitions }))
    }

    fn sql_table_function(
        &mut self,
        function: &firesteel_spec::command::CreateFunction,
        arguments: &[Expr],
    ) -> Result<Resolved> {
        let FunctionBody::Query(query, _) = &function.body else {
            return Err(
                SparkError::new(&error_class::NOT_A_TABLE_FUNCTION).param("functionName", quote_name(&function.name))
            );
        };
        let outer = self.outer.pop();
        let mut bound = Vec::new();
        for (index, parameter) in function.parameters.iter().enumerate() {
            let default = parameter.default.as_ref().map(|(expr, _)| expr);
            let value = arguments.get(index).or(default).ok_or_else(|| {
                SparkError::new(&error_class::REQUIRED_PARAMETER_NOT_FOUND)
                    .param("routineName", quote_name(&function.name))
                    .param("parameterName", format!("`{}`", parameter.name))
                    .param("index", index.to_string())
            })?;
            let value = Resolver::new(self, outer.as_ref().map_or(&[][..], |scope| &scope.attributes)).value(value)?;
            let value = self.cast_to(value, &parameter.data_type)?;
            bound.push((parameter.name.clone(), value));
        }
        self.outer.extend(outer);
        let one_row = self.relation(&Relation::new(RelationNode::OneRow))?;
        let parameters = self.project_named(one_row, bound)?;
        self.outer.push(OuterScope::of(&parameters.output));
        let body = self.nested(|planner| planner.relation(query));
        self.outer.pop();
        let body = body?;
        let subquery = LogicalPlan::Subquery(crate::expr::subquery(&body));
        let join = datafusion::logical_expr::logical_plan::Join::try_new(
            child(parameters.plan),
            child(subquery),
            Vec::new(),
            None,
            datafusion::logical_expr::JoinType::Inner,
            datafusion::logical_expr::logical_plan::JoinConstraint::On,
            datafusion::common::NullEquality::NullEqualsNothing,
            false,
        );
        let body = Resolved::new(LogicalPlan::Join(df(join)?), body.output);
        self.returned_table(body, function.returns_table.as_deref().unwrap_or_default())
    }

    /// The columns of a table function's body under the names and types of RETURNS TABLE, if it names any.
    fn returned_table(&mut self, body: Resolved, columns: &[ColumnDefinition]) -> Result<Resolved> {
        if columns.len() != body.output.len() {
            return Ok(body);
        }
        let mut values = Vec::with_capacity(columns.len());
        for (column, attribute) in columns.iter().zip(&body.output) {
            values.push((column.name.clone(), self.cast_to(attribute.typed(), &column.data_type)?));
        }
        self.project_named(body, values)
    }
}

fn distinct_columns(columns: &[Attribute]) -> Vec<DfExpr> {
    let mut exprs: Vec<DfExpr> = Vec::with_capacity(columns.len());
    for column in columns {
        if !exprs.contains(&column.expr()) {
            exprs.push(column.expr());
        }
    }
    exprs
}
