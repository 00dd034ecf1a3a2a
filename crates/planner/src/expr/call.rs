//! Calls by name: the registry's functions, aggregates and generators set aside, functions written in SQL.

use datafusion::logical_expr::Expr as DfExpr;
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams, NullTreatment};
use firesteel_functions::call::{AggregateCall, Argument, CallModifiers, GeneratorCall, Typed};
use firesteel_functions::origin::Origin;
use firesteel_functions::registry::{self, Build, Definition};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::command::FunctionBody;
use firesteel_spec::expr::FunctionCall;
use firesteel_spec::types::quote_name;
use firesteel_spec::{DataType, Expr, ExprNode, Literal, Span};

use super::input_file::metadata_field;
use super::lambda::DeferredLambda;
use super::name::LAMBDA_VARIABLE;
use super::named_arguments::in_order;
use super::numbers::ROW_NUMBER;
use super::{Extracted, ExtractedGenerator, Resolver};
use crate::attribute::dotted;
use crate::planner::Planner;

impl Resolver<'_, '_> {
    /// Resolves a call where one value is expected.
    pub(super) fn call(&mut self, call: &FunctionCall, span: Option<Span>) -> Result<Typed> {
        if let Some(function) = self.planner.env.sql_function(&call.name) {
            return match &function.body {
                FunctionBody::Python(python) => self.registered_python(python, call),
                _ => self.sql_function(&function, call),
            };
        }
        let Some(name) = builtin_name(&call.name) else { return Err(self.planner.unknown_function(&call.name)) };
        // As pyspark.pandas calls it.
        let name = if name == "distributed_id" { "monotonically_increasing_id".to_owned() } else { name };
        if let Some(field) = metadata_field(&name) {
            return self.input_file(&name, field, call);
        }
        match name.as_str() {
            "grouping" | "grouping_id" => {
                let found = self.grouping(&name, &call.arguments);
                // Spark tells the place of one in a select list only.
                let place = self.planner.text.as_ref().zip(span).filter(|_| !self.aliases_first);
                return found.map_err(|failure| match place {
                    Some((text, span)) => Origin::of_sql(text, span.start, span.stop).locate(failure),
                    None => failure,
                });
            }
            "window" | "session_window" if self.aside.time_windows.is_some() => return self.time_window(&name, call),
            ROW_NUMBER => {
                if let Some(number) = self.row_number() {
                    return Ok(number);
                }
            }
            _ => {}
        }
        let definition = registry::lookup(&name).ok_or_else(|| self.planner.unknown_function(&call.name))?;
        let modified = call.is_distinct || call.filter.is_some();
        match definition.build {
            Build::Scalar(_) | Build::HigherOrder(_) | Build::Generator(_) if modified => {
                Err(SparkError::new(&error_class::INVALID_SQL_SYNTAX_FUNCTION_WITH_UNSUPPORTED_SYNTAX)
                    .param("prettyName", quote_name(&call.name))
                    .param("syntax", if call.is_distinct { "DISTINCT" } else { "FILTER clause" }))
            }
            Build::Scalar(build) => {
                let arguments = self.arguments_of(definition, call)?;
                check_arity(definition, arguments.len())?;
                let arguments = self.compared(definition.name, arguments)?;
                let is_row = call.is_internal && definition.name == "struct";
                let texts: Vec<_> = arguments.iter().filter(|_| is_row).map(|value| value.sql.clone()).collect();
                let built = build(&self.planner.context, arguments)?;
                Ok(if is_row { row(built, &texts) } else { built })
            }
            Build::HigherOrder(build) => self.higher_order(definition, build, &call.arguments),
            Build::Aggregate(_) => self.aggregate(definition, call),
            Build::Generator(_) => self.generator_inside(definition, call),
            Build::Window(_) => Err(self.planner.locate_in_text(
                SparkError::new(&error_class::WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE)
                    .param("funcName", format!("\"{name}()\"")),
                span,
            )),
        }
    }

    /// A built-in function's arguments in the order of its parameters.
    fn arguments_of(&mut self, definition: &Definition, call: &FunctionCall) -> Result<Vec<Typed>> {
        let ordered = in_order(self.planner.names, definition.name, &call.arguments)?;
        let mut values = self.arguments(&ordered)?;
        if definition.name == "struct" && values.len() == ordered.len() {
            for (value, argument) in values.iter_mut().zip(ordered.iter()) {
                name_field(value, argument);
            }
        }
        Ok(values)
    }

    /// Arguments with stars expanded.
    pub(crate) fn arguments(&mut self, arguments: &[Expr]) -> Result<Vec<Typed>> {
        let mut values = Vec::with_capacity(arguments.len());
        for argument in arguments {
            match argument.node.as_ref() {
                ExprNode::Star { .. } | ExprNode::Regex { .. } => {
                    values.extend(self.expand(argument)?.into_iter().map(|item| item.typed));
                }
                _ => values.push(self.value(argument)?),
            }
        }
        Ok(values)
    }

    fn higher_order(
        &mut self,
        definition: &Definition,
        build: for<'a> fn(&firesteel_functions::call::FunctionContext, Vec<Argument<'a>>) -> Result<Typed>,
        arguments: &[Expr],
    ) -> Result<Typed> {
        check_arity(definition, arguments.len())?;
        let context = self.planner.context.clone();
        let mut values = Vec::new();
        let lambdas_from = lambdas_from(definition.name);
        for (index, argument) in arguments.iter().enumerate() {
            values.push(match argument.node.as_ref() {
                ExprNode::Lambda { .. } => None,
                _ if index >= lambdas_from => None,
                _ => Some(self.value(argument)?),
            });
        }
        let shared = std::cell::RefCell::new(self);
        let built = arguments.iter().zip(values).map(|(argument, value)| match (value, argument.node.as_ref()) {
            (None, ExprNode::Lambda { parameters, body }) => {
                Argument::Lambda(Box::new(DeferredLambda { resolver: &shared, parameters, body, is_constant: false }))
            }
            (Some(value), _) => Argument::Value(value),
            (None, _) => {
                let constant = DeferredLambda { resolver: &shared, parameters: &[], body: argument, is_constant: true };
                Argument::Lambda(Box::new(constant))
            }
        });
        let built: Vec<_> = built.collect();
        build(&context, built)
    }

    fn aggregate(&mut self, definition: &'static Definition, call: &FunctionCall) -> Result<Typed> {
        if self.in_aggregate {
            return Err(SparkError::new(&error_class::NESTED_AGGREGATE_FUNCTION));
        }
        if self.aside.aggregates.is_none() {
            return Err(SparkError::new(&error_class::INVALID_WHERE_CONDITION)
                .param("condition", format!("\"{}\"", dotted(&call.name)))
                .param("expressionList", dotted(&call.name)));
        }
        let aliases = std::mem::take(&mut self.aliases);
        self.in_aggregate = true;
        let built = self.aggregate_call(definition, call);
        self.in_aggregate = false;
        self.aliases = aliases;
        let (aggregate, filter) = built?;
        let expr = aggregate_expr(&aggregate, filter);
        self.set_aside_aggregate(expr, &aggregate)
    }

    pub(super) fn set_aside_aggregate(&mut self, expr: DfExpr, aggregate: &AggregateCall) -> Result<Typed> {
        let attribute = self.planner.attribute_of(&aggregate.sql, aggregate.data_type.clone(), aggregate.nullable);
        let known = self.aside.aggregates.get_or_insert_with(Vec::new);
        let attribute = match known.iter().find(|k| k.expr == expr && k.attribute.data_type == attribute.data_type) {
            Some(same) => same.attribute.clone(),
            None => {
                known.push(Extracted { expr, attribute: attribute.clone() });
                attribute
            }
        };
        let mut typed = attribute.typed();
        typed.sql.clone_from(&aggregate.sql);
        match aggregate.finish {
            Some(finish) => finish(&self.planner.context, typed),
            None => Ok(typed),
        }
    }

    /// Builds an aggregate's call and its FILTER, over the input's own columns.
    pub(super) fn aggregate_call(
        &mut self,
        definition: &'static Definition,
        call: &FunctionCall,
    ) -> Result<(AggregateCall, Option<Typed>)> {
        let Build::Aggregate(build) = definition.build else {
            return Err(SparkError::internal(format!("{} is no aggregate", definition.name)));
        };
        let arguments = self.aggregate_arguments(definition, call)?;
        check_arity(definition, arguments.len())?;
        let modifiers = self.modifiers(call)?;
        let filter = call.filter.as_ref().map(|f| self.condition(f)).transpose()?;
        let mut aggregate = build(&self.planner.context, arguments, &modifiers)?;
        if let Some(filter) = &filter {
            aggregate.sql = format!("{} FILTER (WHERE {})", aggregate.sql, filter.sql);
        }
        Ok((aggregate, filter))
    }

    pub(super) fn modifiers(&mut self, call: &FunctionCall) -> Result<CallModifiers> {
        let mut order_by = Vec::new();
        for key in &call.order_by {
            order_by.push((self.value(&key.child)?, key.ascending, key.nulls_first));
        }
        Ok(CallModifiers { is_distinct: call.is_distinct, ignore_nulls: call.ignore_nulls, order_by })
    }

    /// `count(*)` counts rows; elsewhere a star means all columns.
    fn aggregate_arguments(&mut self, definition: &Definition, call: &FunctionCall) -> Result<Vec<Typed>> {
        if let ("count", [only]) = (definition.name, call.arguments.as_slice())
            && let ExprNode::Star { target, .. } = only.node.as_ref()
            && target.is_empty()
            && !call.is_distinct
        {
            return Ok(vec![firesteel_functions::literal::typed(&Literal::Integer(1), &self.planner.context)?]);
        }
        self.arguments_of(definition, call)
    }

    /// Sets a generator aside and gives the columns it fills, under `names` where given.
    pub(crate) fn generator(
        &mut self,
        definition: &Definition,
        call: &FunctionCall,
        names: &[String],
    ) -> Result<Vec<Typed>> {
        if self.aside.generators.is_none() {
            return Err(
                SparkError::new(&error_class::UNSUPPORTED_GENERATOR_OUTSIDE_SELECT).param("plan", definition.name)
            );
        }
        let generated = self.planner_generator(definition, call)?;
        self.refuse_generator_in(&generated.sql)?;
        let columns = self.planner.generator_columns(&generated, names)?;
        let typed = columns.iter().map(crate::attribute::Attribute::typed).collect();
        if let Some(known) = &mut self.aside.generators {
            known.push(ExtractedGenerator { rows: generated.rows, kind: generated.kind, columns, sql: generated.sql });
        }
        Ok(typed)
    }

    /// A generator inside an expression, which whoever resolves the whole expression refuses.
    fn generator_inside(&mut self, definition: &Definition, call: &FunctionCall) -> Result<Typed> {
        let column = self.generator(definition, call, &[])?.into_iter().next();
        self.holds_generator = true;
        let sql = self.aside.generators.iter().flatten().next_back().map(|generator| generator.sql.clone());
        let typed = column.zip(sql).map(|(column, sql)| Typed { sql, ..column });
        typed.ok_or_else(|| SparkError::internal("a generator gives no column"))
    }

    /// Fails where a generator stood inside the expression that was resolved last.
    ///
    /// Errors: `UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS`.
    pub(super) fn refuse_generator_in(&mut self, sql: &str) -> Result<()> {
        if !std::mem::take(&mut self.holds_generator) {
            return Ok(());
        }
        Err(SparkError::new(&error_class::UNSUPPORTED_GENERATOR_NESTED_IN_EXPRESSIONS)
            .param("expression", format!("\"{sql}\"")))
    }

    /// Builds a generator's call.
    pub(crate) fn planner_generator(&mut self, definition: &Definition, call: &FunctionCall) -> Result<GeneratorCall> {
        let Build::Generator(build) = definition.build else {
            return Err(SparkError::internal(format!("{} is no generator", definition.name)));
        };
        let arguments = self.arguments_of(definition, call)?;
        check_arity(definition, arguments.len())?;
        build(&self.planner.context, arguments)
    }
}

impl Planner<'_> {
    /// Calls a built-in scalar function on resolved arguments.
    pub(crate) fn apply(&self, name: &str, arguments: Vec<Typed>) -> Result<Typed> {
        match registry::lookup(name).map(|d| d.build) {
            Some(Build::Scalar(build)) => build(&self.context, arguments),
            _ => Err(SparkError::internal(format!("the scalar function {name} is not in the table"))),
        }
    }

    /// Calls a built-in aggregate on resolved arguments; the result stands over the column it names.
    pub(crate) fn apply_aggregate(
        &mut self,
        name: &str,
        arguments: Vec<Typed>,
        modifiers: &CallModifiers,
    ) -> Result<AppliedAggregate> {
        let Some(Build::Aggregate(build)) = registry::lookup(name).map(|d| d.build) else {
            return Err(SparkError::internal(format!("the aggregate {name} is not in the table")));
        };
        let call = build(&self.context, arguments, modifiers)?;
        let attribute = self.attribute_of(&call.sql, call.data_type.clone(), call.nullable);
        let extracted = Extracted { expr: aggregate_expr(&call, None), attribute: attribute.clone() };
        let mut typed = attribute.typed();
        typed.sql.clone_from(&call.sql);
        let value = match call.finish {
            Some(finish) => finish(&self.context, typed)?,
            None => typed,
        };
        Ok(AppliedAggregate { extracted, value })
    }

    /// The attributes that a generator fills.
    pub(crate) fn generator_columns(
        &mut self,
        call: &GeneratorCall,
        names: &[String],
    ) -> Result<Vec<crate::attribute::Attribute>> {
        if !names.is_empty() && names.len() != call.columns.len() {
            return Err(SparkError::new(&error_class::UDTF_ALIAS_NUMBER_MISMATCH)
                .param("aliasesSize", call.columns.len().to_string())
                .param("aliasesNames", names.join(",")));
        }
        let columns = call.columns.iter().enumerate().map(|(index, field)| {
            let name = names.get(index).unwrap_or(&field.name);
            self.attribute_of(name, field.data_type.clone(), field.nullable)
        });
        Ok(columns.collect())
    }

    /// UNRESOLVED_ROUTINE.
    pub(crate) fn unknown_function(&self, name: &[String]) -> SparkError {
        let path =
            format!("[`system`.`builtin`, `system`.`session`, `{}`.`{}`]", self.context.catalog, self.context.schema);
        SparkError::new(&error_class::UNRESOLVED_ROUTINE)
            .param("routineName", quote_name(name))
            .param("searchPath", path)
    }
}

/// An aggregate applied to resolved arguments.
pub(crate) struct AppliedAggregate {
    /// What the aggregate node computes.
    pub(crate) extracted: Extracted,
    /// The value over the column that holds it.
    pub(crate) value: Typed,
}

/// The aggregate in DataFusion's terms.
pub(crate) fn aggregate_expr(call: &AggregateCall, filter: Option<Typed>) -> DfExpr {
    DfExpr::AggregateFunction(AggregateFunction {
        func: call.function.clone(),
        params: AggregateFunctionParams {
            args: call.arguments.clone(),
            distinct: call.is_distinct,
            filter: filter.map(|f| Box::new(f.expr)),
            order_by: call.order_by.clone(),
            null_treatment: None::<NullTreatment>,
        },
    })
}

/// The built-in that a possibly qualified name means.
pub(crate) fn builtin_name(name: &[String]) -> Option<String> {
    let lower: Vec<String> = name.iter().map(|part| part.to_lowercase()).collect();
    let parts: Vec<&str> = lower.iter().map(String::as_str).collect();
    match parts.as_slice() {
        [name] | ["builtin", name] | ["system", "builtin", name] => Some((*name).to_owned()),
        _ => None,
    }
}

pub(crate) fn check_arity(definition: &Definition, given: usize) -> Result<()> {
    let (fewest, most) = definition.arity;
    if (fewest..=most).contains(&given) { Ok(()) } else { Err(wrong_count(definition.name, definition.arity, given)) }
}

pub(super) fn wrong_count(name: &str, (fewest, most): (usize, usize), given: usize) -> SparkError {
    let expected = match (fewest, most) {
        (fewest, registry::ANY) => format!("> {}", fewest.saturating_sub(1)),
        (fewest, most) if fewest == most => fewest.to_string(),
        (fewest, most) => format!("[{}]", (fewest..=most).map(|n| n.to_string()).collect::<Vec<_>>().join(", ")),
    };
    SparkError::new(&error_class::WRONG_NUM_ARGS_WITHOUT_SUGGESTION)
        .param("functionName", quote_name(&[name.to_owned()]))
        .param("expectedNum", expected)
        .param("actualNum", given.to_string())
        .param("docroot", "https://spark.apache.org/docs/latest")
}

/// Where the lambdas of a higher-order function begin; a value there counts as a lambda that ignores its parameters.
fn lambdas_from(name: &str) -> usize {
    if matches!(name, "aggregate" | "reduce" | "zip_with" | "map_zip_with") { 2 } else { 1 }
}

/// A lambda's parameter as a field of a struct is called what the user calls it.
fn name_field(value: &mut Typed, argument: &Expr) {
    let name = match argument.node.as_ref() {
        ExprNode::LambdaVariable(name) => name,
        ExprNode::Attribute { parts, .. } if parts.len() == 1 => &parts[0],
        _ => return,
    };
    if value.sql == LAMBDA_VARIABLE {
        value.expr = value.expr.clone().alias(name);
    }
}

/// `(a, b)`, which Spark prints as `named_struct(a, a, b, b)`.
fn row(built: Typed, texts: &[String]) -> Typed {
    let DataType::Struct(fields) = &built.data_type else { return built };
    let parts: Vec<_> = fields.iter().zip(texts).map(|(field, text)| format!("{}, {text}", field.name)).collect();
    Typed { sql: format!("named_struct({})", parts.join(", ")), ..built }
}
