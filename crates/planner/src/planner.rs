//! The planner's state over one statement.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::DFSchema;
use datafusion::logical_expr::LogicalPlan;
use firesteel_functions::call::{FunctionContext, Typed};
use firesteel_functions::origin::Origin;
use firesteel_model::conf::ConfKey;
use firesteel_model::runtime_conf::parse_bool;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::expr::WindowSpec;
use firesteel_spec::{DataType, Expr, Relation, Span};

use crate::attribute::{Attribute, NameMatch};
use crate::environment::Environment;
use crate::expr::InputFiles;
use crate::relation::{CteInScope, Recursion};
use crate::resolved::Resolved;

/// Resolves one statement.
///
/// Flow: the session makes one, calls [`Planner::query`] and throws it away. Guarantees: internal column names are
/// unique over its lifetime.
pub struct Planner<'e> {
    pub(crate) env: &'e dyn Environment,
    pub(crate) context: FunctionContext,
    pub(crate) names: NameMatch,
    /// The SQL text being resolved, for positions in errors.
    pub(crate) text: Option<Arc<str>>,
    /// What each DataFrame that the client numbered gave, wherever it stood.
    pub(crate) plan_outputs: HashMap<i64, Vec<Vec<Attribute>>>,
    /// WITH clauses around, innermost last.
    pub(crate) ctes: Vec<CteInScope>,
    /// Recursive CTEs whose step is being resolved, innermost last.
    pub(crate) recursions: Vec<Recursion>,
    /// What `df.observe` asked for, by name.
    pub(crate) observations: Vec<(String, Resolved)>,
    /// The queries around a subquery, innermost last.
    pub(crate) outer: Vec<OuterScope>,
    /// WINDOW clauses around.
    pub(crate) windows: Vec<(String, WindowSpec)>,
    /// Relations that subqueries name by plan id.
    pub(crate) references: HashMap<i64, Relation>,
    /// Parameters of lambdas around, innermost last: the user's name and the column.
    pub(crate) lambdas: Vec<(String, Attribute)>,
    /// Where the relation being resolved stands in the text.
    pub(crate) place: Option<Span>,
    /// The schema of names in the stored view being expanded.
    pub(crate) view_schema: Option<String>,
    /// Views and SQL texts being expanded, against recursion without end.
    pub(crate) depth: usize,
    /// What is asked and known of the files that rows are from.
    pub(crate) input_files: InputFiles,
    next_id: u64,
}

/// What a query around a subquery gives it.
#[derive(Clone, Debug, Default)]
pub(crate) struct OuterScope {
    /// Its columns.
    pub(crate) attributes: Vec<Attribute>,
    /// Parameters of the SQL function around, over the columns of the query that calls it.
    pub(crate) parameters: Vec<(String, Typed)>,
    /// Columns that the parameters may hold.
    pub(crate) beneath: Vec<Attribute>,
}

impl OuterScope {
    /// A query's columns.
    pub(crate) fn of(attributes: &[Attribute]) -> Self {
        Self { attributes: attributes.to_vec(), ..Self::default() }
    }
}

/// Views within views deeper than this are refused, as in Spark.
const NESTING_MAX: usize = 100;

impl<'e> Planner<'e> {
    /// Whether a boolean setting holds.
    pub(crate) fn is_on(&self, key: &ConfKey) -> bool {
        let value = self.env.conf(key.name);
        value.as_deref().or(key.default).and_then(parse_bool).unwrap_or(false)
    }

    /// A planner for one statement of a session.
    pub fn new(env: &'e dyn Environment, context: FunctionContext, case_sensitive: bool) -> Self {
        Self {
            env,
            context,
            names: NameMatch { case_sensitive },
            text: None,
            plan_outputs: HashMap::new(),
            ctes: Vec::new(),
            recursions: Vec::new(),
            observations: Vec::new(),
            outer: Vec::new(),
            windows: Vec::new(),
            references: HashMap::new(),
            lambdas: Vec::new(),
            place: None,
            view_schema: None,
            depth: 0,
            input_files: InputFiles::default(),
            next_id: 0,
        }
    }

    /// Names the SQL text that spans refer to.
    #[must_use]
    pub fn with_text(mut self, text: &str) -> Self {
        self.text = Some(text.into());
        self
    }

    /// A unique column name that still tells what it holds.
    pub(crate) fn unique(&mut self, name: &str) -> String {
        self.next_id += 1;
        let short: String = name.chars().take(40).collect();
        format!("{short}#{}", self.next_id)
    }

    /// An attribute for a computed column.
    pub(crate) fn attribute(&mut self, name: &str, typed: &Typed) -> Attribute {
        self.attribute_of(name, typed.data_type.clone(), typed.nullable)
    }

    /// An attribute of a type.
    pub(crate) fn attribute_of(&mut self, name: &str, data_type: DataType, nullable: bool) -> Attribute {
        Attribute {
            column: self.unique(name),
            name: name.to_owned(),
            qualifier: Vec::new(),
            data_type,
            nullable,
            metadata: None,
            is_hidden: false,
        }
    }

    /// The place of an expression in the user's program, as far as it is known.
    pub(crate) fn origin(&self, expr: &Expr) -> Option<Origin> {
        if let Some(call) = &expr.call_site {
            return Some(Origin::of_call(&call.method, &call.place));
        }
        let (text, span) = (self.text.as_ref()?, expr.span?);
        Some(Origin::of_sql(text, span.start, span.stop))
    }

    /// Points an error at the expression, unless it points somewhere already.
    pub(crate) fn locate(&self, failure: SparkError, expr: &Expr) -> SparkError {
        match self.origin(expr).filter(|_| has_place(&failure)) {
            Some(origin) => origin.locate(failure),
            None => failure,
        }
    }

    /// Points an error at a part of the SQL text, unless it points somewhere already.
    pub(crate) fn locate_in_text(&self, failure: SparkError, span: Option<Span>) -> SparkError {
        match self.text.as_ref().zip(span).filter(|_| has_place(&failure)) {
            Some((text, span)) => Origin::of_sql(text, span.start, span.stop).locate(failure),
            None => failure,
        }
    }

    /// Runs `work` one level deeper.
    pub(crate) fn nested<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= NESTING_MAX {
            return Err(SparkError::unsupported(format!("views nested deeper than {NESTING_MAX}")));
        }
        self.depth += 1;
        let result = work(self);
        self.depth -= 1;
        result
    }

    /// Checks that every visible attribute is a column of the plan: a defect of ours otherwise.
    pub(crate) fn checked(resolved: Resolved) -> Result<Resolved> {
        let schema: &DFSchema = resolved.plan.schema();
        for attribute in &resolved.output {
            if !schema.has_column_with_unqualified_name(&attribute.column) {
                return Err(SparkError::internal(format!(
                    "column {} is not in {:?}",
                    attribute.column,
                    schema.field_names()
                )));
            }
        }
        Ok(resolved)
    }
}

/// Whether Spark says where an error of this class is.
fn has_place(failure: &SparkError) -> bool {
    let without = [
        &error_class::AMBIGUOUS_LATERAL_COLUMN_ALIAS,
        &error_class::CANNOT_UP_CAST_DATATYPE,
        &error_class::COLUMN_ALREADY_EXISTS,
        &error_class::GROUPING_COLUMN_MISMATCH,
        &error_class::INCOMPATIBLE_VIEW_SCHEMA_CHANGE,
        &error_class::INVALID_EXTRACT_BASE_FIELD_TYPE,
        &error_class::INVALID_FORMAT_ESC_IN_THE_MIDDLE,
        &error_class::INVALID_RECURSIVE_CTE,
        &error_class::INVALID_USAGE_OF_STAR_OR_REGEX,
        &error_class::MISSING_AGGREGATION,
        &error_class::MISSING_WINDOW_SPECIFICATION,
        &error_class::UDTF_ALIAS_NUMBER_MISMATCH,
        &error_class::UNSUPPORTED_GENERATOR_MULTI_GENERATOR,
        &error_class::UNSUPPORTED_GENERATOR_NESTED_IN_EXPRESSIONS,
        &error_class::UNSUPPORTED_GENERATOR_OUTSIDE_SELECT,
        &error_class::UNSUPPORTED_GROUPING_EXPRESSION,
        &error_class::WRONG_NUM_ARGS_WITH_SUGGESTION,
    ];
    // Functions that take any number of arguments count them themselves, which Spark does without a place.
    let is_open_count = |(name, value): &(String, String)| name == "expectedNum" && value.starts_with("> ");
    !without.contains(&failure.class()) && !failure.params().iter().any(is_open_count)
}

/// Turns DataFusion's error into Spark's.
pub(crate) fn df<T>(result: datafusion::common::Result<T>) -> Result<T> {
    result.map_err(firesteel_functions::errors::from_datafusion)
}

/// A plan as a child.
pub(crate) fn child(plan: LogicalPlan) -> std::sync::Arc<LogicalPlan> {
    std::sync::Arc::new(plan)
}
