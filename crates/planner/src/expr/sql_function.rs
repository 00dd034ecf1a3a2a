//! Functions written in SQL: the body with the arguments in place of the parameters.

use firesteel_functions::call::Typed;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::command::{CreateFunction, FunctionBody};
use firesteel_spec::expr::{CastMode, FunctionCall};
use firesteel_spec::types::{quote_if_needed, quote_name};
use firesteel_spec::{Expr, ExprNode};

use super::Resolver;
use crate::attribute::Attribute;

impl Resolver<'_, '_> {
    /// A call of a function written in SQL.
    pub(super) fn sql_function(&mut self, function: &CreateFunction, call: &FunctionCall) -> Result<Typed> {
        if function.returns_table.is_some() {
            return Err(SparkError::new(&error_class::NOT_A_SCALAR_FUNCTION)
                .param("functionName", quote_name(&self.full_name(function))));
        }
        let arguments = self.bound_arguments(function, &call.arguments)?;
        let shown: Vec<_> = arguments.iter().take(call.arguments.len()).map(|a| a.sql.as_str()).collect();
        let sql = format!("{}({})", self.printed_name(function), shown.join(", "));
        let mut parameters = Vec::new();
        for (parameter, value) in function.parameters.iter().zip(&arguments) {
            let cast = self.cast(value.clone(), &parameter.data_type, CastMode::Session)?;
            parameters.push((parameter.name.clone(), Typed { sql: parameter.name.clone(), ..cast }));
        }
        let columns = self.columns_within_reach();
        let outer_parameters = std::mem::replace(&mut self.parameters, parameters);
        let outer_columns = std::mem::replace(&mut self.parameter_columns, columns);
        let (input, aliases) = (std::mem::take(&mut self.input), std::mem::take(&mut self.aliases));
        let text = self.planner.text.take();
        let result = match &function.body {
            FunctionBody::Expression(body, _) => self.value(body),
            FunctionBody::Query(query, _) => self.scalar_subquery(query),
            FunctionBody::Python(_) => Err(SparkError::internal("a Python function was taken for one in SQL")),
            FunctionBody::JvmClass(class) => {
                Err(SparkError::unsupported(format!("functions in JVM classes ({class})")))
            }
        };
        (self.input, self.aliases, self.planner.text) = (input, aliases, text);
        (self.parameters, self.parameter_columns) = (outer_parameters, outer_columns);
        let result = result?;
        let result = match &function.returns {
            Some(data_type) => self.cast(result, data_type, CastMode::Session)?,
            None => result,
        };
        Ok(Typed { sql, ..result })
    }

    /// The value of every parameter: by position, by name, or its default.
    fn bound_arguments(&mut self, function: &CreateFunction, arguments: &[Expr]) -> Result<Vec<Typed>> {
        if arguments.len() > function.parameters.len() {
            return Err(self.wrong_arguments(function, arguments.len()));
        }
        let names = self.planner.names;
        let mut values = Vec::new();
        for (index, parameter) in function.parameters.iter().enumerate() {
            let by_name = arguments.iter().find_map(|argument| match argument.node.as_ref() {
                ExprNode::NamedArgument { name, value } if names.same(name, &parameter.name) => Some(value),
                _ => None,
            });
            let by_position =
                arguments.get(index).filter(|a| !matches!(a.node.as_ref(), ExprNode::NamedArgument { .. }));
            let value = match (by_name.or(by_position), &parameter.default) {
                (Some(argument), _) => self.value(argument)?,
                (None, Some((default, _))) => self.value(default)?,
                (None, None) => return Err(self.wrong_arguments(function, arguments.len())),
            };
            values.push(value);
        }
        Ok(values)
    }

    fn wrong_arguments(&self, function: &CreateFunction, given: usize) -> SparkError {
        let name = if function.is_temporary { function.name.clone() } else { self.full_name(function) };
        SparkError::new(&error_class::WRONG_NUM_ARGS_WITHOUT_SUGGESTION)
            .param("functionName", quote_name(&name))
            .param("expectedNum", function.parameters.len().to_string())
            .param("actualNum", given.to_string())
            .param("docroot", "https://spark.apache.org/docs/latest")
    }

    /// Columns that an argument may hold: of the input, and of what is set aside.
    fn columns_within_reach(&self) -> Vec<Attribute> {
        let aside = &self.aside;
        let extracted = aside.aggregates.iter().flatten().chain(aside.windows.iter().flatten());
        let extracted = extracted.map(|extracted| extracted.attribute.clone());
        let generated = aside.generators.iter().flatten().flat_map(|generator| generator.columns.clone());
        let input = self.input.iter().cloned();
        input.chain(extracted).chain(generated).chain(self.parameter_columns.iter().cloned()).collect()
    }

    fn full_name(&self, function: &CreateFunction) -> Vec<String> {
        let context = &self.planner.context;
        match function.name.as_slice() {
            [name] => vec![context.catalog.to_string(), context.schema.to_string(), name.clone()],
            [schema, name] => vec![context.catalog.to_string(), schema.clone(), name.clone()],
            other => other.to_vec(),
        }
    }

    /// How a column's name shows the function: with its schema, unless it is temporary.
    fn printed_name(&self, function: &CreateFunction) -> String {
        let name = match function.is_temporary {
            true => function.name.last().cloned().into_iter().collect(),
            false => self.full_name(function),
        };
        name.iter().map(|part| quote_if_needed(part)).collect::<Vec<_>>().join(".")
    }
}
