//! What the planner gives to a function and what it gets back.

use std::sync::Arc;

use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::{AggregateUDF, Expr, WindowFunctionDefinition};
use firesteel_model::Result;
use firesteel_spec::{DataType, StructField};

use crate::origin::Origin;

/// Session settings that change what functions do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FunctionContext {
    /// `spark.sql.ansi.enabled`
    pub ansi: bool,
    /// `spark.sql.session.timeZone`
    pub time_zone: Arc<str>,
    /// `current_timestamp()` of this query, microseconds since the epoch.
    pub now_us: i64,
    /// `current_user()`
    pub user: Arc<str>,
    /// `current_catalog()`
    pub catalog: Arc<str>,
    /// `current_schema()`
    pub schema: Arc<str>,
    /// Whether TIMESTAMP in casts and literals means TIMESTAMP_NTZ.
    pub timestamp_is_ntz: bool,
    /// Whether a key given twice to a map keeps its last value (`spark.sql.mapKeyDedupPolicy`), or is an error.
    pub keeps_last_key: bool,
    /// `spark.sql.decimalOperations.allowPrecisionLoss`
    pub allows_precision_loss: bool,
    /// The call that is being built.
    pub origin: Origin,
}

/// A resolved expression with its Spark type.
#[derive(Clone, Debug)]
pub struct Typed {
    /// The expression; its Arrow type is always `to_arrow(&data_type)`.
    pub expr: Expr,
    /// Its Spark type.
    pub data_type: DataType,
    /// Whether it may be null.
    pub nullable: bool,
    /// How Spark prints it in column names and messages: `(a + 1)`, `count(1)`.
    pub sql: String,
}

/// A lambda whose body is resolved once the function knows the types of its parameters.
pub trait LambdaBody {
    /// How many parameters it takes.
    fn arity(&self) -> usize;
    /// A value in a lambda's place, which takes any parameters and uses none.
    fn is_constant(&self) -> bool {
        false
    }
    /// Resolves the body; parameters are `(type, nullable)` in order. In the body, parameter `i` is the column
    /// `Column::new_unqualified(names[i])` of the given names. Outer columns may appear too.
    fn resolve(&mut self, names: &[String], parameters: &[(DataType, bool)]) -> Result<Typed>;
    /// The parameters as the user named them, for column names.
    fn user_names(&self) -> Vec<String>;
}

/// An argument of a call.
pub enum Argument<'a> {
    /// A value.
    Value(Typed),
    /// A lambda.
    Lambda(Box<dyn LambdaBody + 'a>),
}

/// What stands around the arguments of an aggregate or window call.
#[derive(Clone, Debug, Default)]
pub struct CallModifiers {
    /// DISTINCT
    pub is_distinct: bool,
    /// IGNORE NULLS is true.
    pub ignore_nulls: Option<bool>,
    /// WITHIN GROUP (ORDER BY ..), resolved.
    pub order_by: Vec<(Typed, bool, bool)>,
}

/// A resolved aggregate, before FILTER and OVER are added by the planner.
#[derive(Clone, Debug)]
pub struct AggregateCall {
    /// The implementation.
    pub function: Arc<AggregateUDF>,
    /// Its arguments, coerced.
    pub arguments: Vec<Expr>,
    /// DISTINCT, where the implementation still has to do it.
    pub is_distinct: bool,
    /// Order of the rows that it needs.
    pub order_by: Vec<Sort>,
    /// Type of the aggregate itself.
    pub data_type: DataType,
    /// Whether it may be null.
    pub nullable: bool,
    /// What is done with its value afterwards (`avg` of decimals is a division), given the column that holds it.
    pub finish: Option<fn(&FunctionContext, Typed) -> Result<Typed>>,
    /// How Spark prints the call.
    pub sql: String,
}

/// A resolved window function, before OVER.
#[derive(Clone, Debug)]
pub struct WindowCall {
    /// The implementation.
    pub function: WindowFunctionDefinition,
    /// Its arguments, coerced.
    pub arguments: Vec<Expr>,
    /// IGNORE NULLS
    pub ignore_nulls: bool,
    /// Its type.
    pub data_type: DataType,
    /// Whether it may be null.
    pub nullable: bool,
    /// How Spark prints the call.
    pub sql: String,
    /// Functions such as `rank` see ROWS from the partition's start to the current row; this is how Spark prints it.
    pub fixed_frame: Option<String>,
    /// Whether OVER must have ORDER BY.
    pub needs_order: bool,
}

/// A resolved generator: one row in, any number of rows out.
#[derive(Clone, Debug)]
pub struct GeneratorCall {
    /// Which one.
    pub kind: GeneratorKind,
    /// An expression that gives a list of structs: one struct per output row, one field per output column.
    pub rows: Expr,
    /// The columns it gives, under Spark's default names (`col`, `pos`, `key`, `value`).
    pub columns: Vec<StructField>,
    /// How Spark prints the call.
    pub sql: String,
}

/// Whether a generator keeps rows that generate nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GeneratorKind {
    /// `explode`
    Inner,
    /// `explode_outer`: one row of nulls.
    Outer,
}
