//! Expressions: from names and calls to typed DataFusion expressions.
//!
//! ```text
//!   Resolver::value(expr) --+-- name     columns, struct fields, lateral aliases, outer columns, variables
//!                           +-- call     functions by name; aggregates, windows and generators are set aside
//!                           +-- input_file  the file that a row is from
//!                           +-- python   the user's Python functions
//!                           +-- window   OVER; frame: its ROWS and RANGE
//!                           +-- numbers  rows numbered in order
//!                           +-- lambda   x -> ..
//!                           +-- subquery scalar, EXISTS, IN
//!   Resolver::items(list)  ----- items    select lists: stars, several names for one generator
//! ```

mod call;
mod char_column;
mod frame;
mod input_file;
mod items;
mod lambda;
mod name;
mod named_arguments;
mod numbers;
mod python;
mod sql_function;
mod subquery;
mod whole_window;
mod window;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::Expr as DfExpr;
use firesteel_functions::call::{GeneratorKind, Typed};
use firesteel_functions::{cast, literal};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::expr::{CastMode, CastTarget, ParameterMarker};
use firesteel_spec::{DataType, Expr, ExprNode};

pub(crate) use call::{builtin_name, check_arity};
pub(crate) use input_file::InputFiles;
pub(crate) use items::Item;
pub(crate) use numbers::{number_plan, settled_plan, steady_plan};
pub(crate) use python::{called_with, python_command};
pub(crate) use subquery::subquery;

use crate::attribute::Attribute;
use crate::planner::Planner;
use crate::relation::TimeWindows;

/// Something computed by a node below the expression and read through a column.
#[derive(Clone, Debug)]
pub(crate) struct Extracted {
    /// What is computed, not aliased.
    pub(crate) expr: DfExpr,
    /// The column that holds it.
    pub(crate) attribute: Attribute,
}

/// A generator set aside from a select list.
#[derive(Clone, Debug)]
pub(crate) struct ExtractedGenerator {
    /// The list of structs to unnest.
    pub(crate) rows: DfExpr,
    /// Whether rows that generate nothing stay.
    pub(crate) kind: GeneratorKind,
    /// The columns it gives.
    pub(crate) columns: Vec<Attribute>,
    /// How Spark prints the call.
    pub(crate) sql: String,
}

/// Where aggregates, window functions, generators, windows of time and numbers of rows go; `None` where they are not
/// allowed.
#[derive(Debug, Default)]
pub(crate) struct Aside {
    pub(crate) aggregates: Option<Vec<Extracted>>,
    pub(crate) windows: Option<Vec<Extracted>>,
    pub(crate) generators: Option<Vec<ExtractedGenerator>>,
    pub(crate) time_windows: Option<TimeWindows>,
    pub(crate) numbers: Option<Vec<Attribute>>,
}

impl Aside {
    /// What stands in a select list, over groups too.
    pub(crate) fn everything() -> Self {
        Self {
            aggregates: Some(Vec::new()),
            windows: Some(Vec::new()),
            generators: Some(Vec::new()),
            time_windows: Some(TimeWindows::default()),
            numbers: None,
        }
    }

    /// All of them: a select list over rows.
    pub(crate) fn of_rows() -> Self {
        Self { numbers: Some(Vec::new()), ..Self::everything() }
    }

    /// Aggregates only: HAVING.
    pub(crate) fn aggregates() -> Self {
        Self { aggregates: Some(Vec::new()), ..Self::default() }
    }
}

/// Resolves expressions over the columns of one relation.
pub(crate) struct Resolver<'p, 'e> {
    pub(crate) planner: &'p mut Planner<'e>,
    pub(crate) input: &'p [Attribute],
    pub(crate) aside: Aside,
    /// Aliases of earlier items of the same select list.
    pub(crate) aliases: Vec<(String, Typed)>,
    /// Outside aggregates those aliases win over columns of the input: ORDER BY over GROUP BY.
    pub(crate) aliases_first: bool,
    /// Whether later items of the select list may name the columns of a generator: not beside aggregates.
    pub(crate) names_generated: bool,
    /// Grouping expressions and their columns, for `grouping(..)`.
    pub(crate) groups: Vec<(DfExpr, Attribute)>,
    /// Parameters of the SQL function whose body is being resolved, over the columns of the query that calls it.
    pub(crate) parameters: Vec<(String, Typed)>,
    /// Columns that the parameters may hold.
    pub(crate) parameter_columns: Vec<Attribute>,
    /// Names that were found, for errors that come later.
    pub(crate) names_found: Vec<FoundName>,
    /// Inside the arguments of an aggregate, where another one is refused.
    in_aggregate: bool,
    /// A generator stood inside the expression that is being resolved, which is refused.
    holds_generator: bool,
}

/// A column that a name found.
#[derive(Clone, Debug)]
pub(crate) struct FoundName {
    pub(crate) column: String,
    pub(crate) parts: Vec<String>,
    pub(crate) span: Option<firesteel_spec::Span>,
}

impl<'p, 'e> Resolver<'p, 'e> {
    /// Over these columns, with nothing set aside.
    pub(crate) fn new(planner: &'p mut Planner<'e>, input: &'p [Attribute]) -> Self {
        Self {
            planner,
            input,
            aside: Aside::default(),
            aliases: Vec::new(),
            aliases_first: false,
            names_generated: true,
            groups: Vec::new(),
            parameters: Vec::new(),
            parameter_columns: Vec::new(),
            names_found: Vec::new(),
            in_aggregate: false,
            holds_generator: false,
        }
    }

    /// The same, setting aside what `aside` allows.
    pub(crate) fn with_aside(mut self, aside: Aside) -> Self {
        self.aside = aside;
        self
    }

    /// Resolves an expression that stands for one value.
    pub(crate) fn value(&mut self, expr: &Expr) -> Result<Typed> {
        let origin = self.planner.origin(expr);
        let outer = origin.map(|origin| std::mem::replace(&mut self.planner.context.origin, origin));
        let resolved = self.node(expr).map_err(|failure| self.planner.locate(failure, expr));
        if let Some(outer) = outer {
            self.planner.context.origin = outer;
        }
        resolved
    }

    /// Resolves several.
    pub(crate) fn values(&mut self, exprs: &[Expr]) -> Result<Vec<Typed>> {
        exprs.iter().map(|e| self.value(e)).collect()
    }

    /// Resolves a condition: boolean, or text or NULL that becomes boolean.
    pub(crate) fn condition(&mut self, expr: &Expr) -> Result<Typed> {
        let condition = self.value(expr)?;
        match condition.data_type {
            DataType::Boolean => Ok(condition),
            DataType::Null => self.cast(condition, &DataType::Boolean, CastMode::Session),
            _ => {
                let failure = SparkError::new(&error_class::DATATYPE_MISMATCH_FILTER_NOT_BOOLEAN)
                    .param("sqlExpr", format!("\"{}\"", condition.sql))
                    .param("filter", format!("\"{}\"", condition.sql))
                    .param("type", format!("\"{}\"", condition.data_type.sql()));
                Err(self.planner.locate(failure, expr))
            }
        }
    }

    fn node(&mut self, expr: &Expr) -> Result<Typed> {
        match expr.node.as_ref() {
            ExprNode::Literal(value) => literal::typed(value, &self.planner.context),
            ExprNode::Attribute { parts, plan_id, is_metadata } => match self.internal(parts, *is_metadata) {
                Some(column) => Ok(column),
                None => self.noted_name(parts, *plan_id, expr.span),
            },
            ExprNode::Function(call) => self.call(call, expr.span),
            ExprNode::Cast { child, target, mode } => {
                let child = self.value(child)?;
                let target = self.planner.cast_target(target)?;
                self.cast(child, &target, *mode)
            }
            ExprNode::Alias { child, names, .. } => {
                let mut typed = self.value(child)?;
                if let [name] = names.as_slice() {
                    typed.sql = format!("{} AS {}", typed.sql, firesteel_spec::types::quote_if_needed(name));
                    // A struct takes its field's name from here.
                    typed.expr = typed.expr.alias(name.clone());
                }
                Ok(typed)
            }
            ExprNode::Case { operand, branches, otherwise } => {
                self.case(operand.as_ref(), branches, otherwise.as_ref())
            }
            ExprNode::Extract { child, key } => {
                let (child, key) = (self.value(child)?, self.value(key)?);
                firesteel_functions::families::extract::build(&self.planner.context, child, key)
            }
            ExprNode::UpdateField { child, field, value } => self.updated_field(child, field, value.as_ref()),
            ExprNode::Window { function, window } => self.window(function, window),
            ExprNode::NamedWindow { function, name } => {
                let window = self.planner.named_window(name)?;
                self.window(function, &window)
            }
            ExprNode::ScalarSubquery(query) => self.scalar_subquery(query),
            ExprNode::Exists(query) => self.exists(query),
            ExprNode::InSubquery { values, query } => self.in_subquery(values, query),
            ExprNode::SubqueryReference { plan_id, kind } => self.subquery_reference(*plan_id, kind),
            ExprNode::NamedArgument { value, .. } => self.value(value),
            ExprNode::Parameter(marker) => Err(unbound(marker)),
            ExprNode::Identifier { name, arguments } => self.identifier(name, arguments.as_deref(), expr.span),
            ExprNode::LambdaVariable(name) => self.name(std::slice::from_ref(name), None),
            ExprNode::SortKey(key) => self.value(&key.child),
            ExprNode::Star { .. } | ExprNode::Regex { .. } => {
                Err(SparkError::new(&error_class::INVALID_USAGE_OF_STAR_OR_REGEX)
                    .param("elem", "'*'")
                    .param("prettyName", "expression"))
            }
            ExprNode::Lambda { .. } => Err(SparkError::unsupported("a lambda outside a higher-order function")),
            ExprNode::SqlText(text) => {
                let parsed = firesteel_sql::parse_expression(text)?;
                self.value(&parsed)
            }
            ExprNode::PythonUdf(function) => self.python_call(function),
            ExprNode::TableArgument { .. } => Err(SparkError::unsupported("a TABLE argument outside a table function")),
            ExprNode::Default => Err(SparkError::new(&error_class::DEFAULT_PLACEMENT_INVALID)),
        }
    }

    fn updated_field(&mut self, child: &Expr, field: &str, value: Option<&Expr>) -> Result<Typed> {
        let child = self.value(child)?;
        match value {
            Some(value) => {
                let value = self.value(value)?;
                firesteel_functions::families::structs::with_field(&self.planner.context, child, field, value)
            }
            None => firesteel_functions::families::structs::drop_field(&self.planner.context, child, field),
        }
    }

    /// A name, and where it stood, for errors that come later.
    fn noted_name(
        &mut self,
        parts: &[String],
        plan_id: Option<i64>,
        span: Option<firesteel_spec::Span>,
    ) -> Result<Typed> {
        let typed = self.name(parts, plan_id)?;
        for column in typed.expr.column_refs() {
            self.names_found.push(FoundName { column: column.name.clone(), parts: parts.to_vec(), span });
        }
        Ok(typed)
    }

    fn case(&mut self, operand: Option<&Expr>, branches: &[(Expr, Expr)], otherwise: Option<&Expr>) -> Result<Typed> {
        let operand = operand.map(|o| self.value(o)).transpose()?;
        let mut arguments = Vec::with_capacity(branches.len() * 2 + 1);
        for (when, then) in branches {
            let when = match &operand {
                Some(operand) => {
                    let when = self.value(when)?;
                    self.planner.apply("==", vec![operand.clone(), when])?
                }
                None => self.condition(when)?,
            };
            arguments.push(when);
            arguments.push(self.value(then)?);
        }
        if let Some(otherwise) = otherwise {
            arguments.push(self.value(otherwise)?);
        }
        self.planner.apply("when", arguments)
    }

    pub(crate) fn cast(&self, child: Typed, target: &DataType, mode: CastMode) -> Result<Typed> {
        cast::cast(&self.planner.context, child, target, mode)
    }

    fn identifier(
        &mut self,
        name: &Expr,
        arguments: Option<&[Expr]>,
        span: Option<firesteel_spec::Span>,
    ) -> Result<Typed> {
        let parts = self.planner.identifier_parts(name)?;
        match arguments {
            None => self.name(&parts, None),
            Some(arguments) => {
                let call = firesteel_spec::expr::FunctionCall::named(parts, arguments.to_vec());
                self.call(&call, span)
            }
        }
    }
}

impl Planner<'_> {
    /// The type a cast aims at.
    pub(crate) fn cast_target(&self, target: &CastTarget) -> Result<DataType> {
        match target {
            CastTarget::Type(data_type) => Ok(data_type.clone()),
            CastTarget::Ddl(text) => firesteel_sql::parse_data_type(text),
        }
    }

    /// The parts of the name that `IDENTIFIER(text)` gives; the text must be constant.
    pub(crate) fn identifier_parts(&mut self, name: &Expr) -> Result<Vec<String>> {
        let Typed { expr, data_type, sql, .. } = Resolver::new(self, &[]).value(name)?;
        let simplified = datafusion::optimizer::simplify_expressions::ExprSimplifier::new(
            datafusion::logical_expr::simplify::SimplifyContext::default(),
        )
        .simplify(expr);
        let failure = match simplified {
            Ok(DfExpr::Literal(ScalarValue::Utf8(Some(text)), _)) if data_type.is_string() => {
                return firesteel_sql::parse_multipart_identifier(&text);
            }
            Ok(DfExpr::Literal(value, _)) if value.is_null() => {
                SparkError::new(&error_class::NOT_A_CONSTANT_STRING_NULL)
            }
            Ok(_) if !data_type.is_string() => SparkError::new(&error_class::NOT_A_CONSTANT_STRING_WRONG_TYPE)
                .param("dataType", data_type.simple_string()),
            _ => SparkError::new(&error_class::NOT_A_CONSTANT_STRING),
        };
        Err(self.locate(failure.param("name", "IDENTIFIER").param("expr", sql), name))
    }
}

/// A parameter marker that the parser found no argument for.
fn unbound(marker: &ParameterMarker) -> SparkError {
    let name = match marker {
        ParameterMarker::Named(name) => name.clone(),
        ParameterMarker::Positional(place) => format!("_{place}"),
    };
    SparkError::new(&error_class::UNBOUND_SQL_PARAMETER).param("name", name)
}
