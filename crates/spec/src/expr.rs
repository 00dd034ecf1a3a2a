//! Expressions as written.

use std::sync::Arc;

use firesteel_model::{Result, SparkError};

use crate::literal::Literal;
use crate::relation::Relation;
use crate::types::DataType;

/// Where an expression or relation stands in the SQL text; characters from 0, `stop` inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First character.
    pub start: u32,
    /// Last character.
    pub stop: u32,
}

/// An expression and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub node: Box<ExprNode>,
    /// Where it stands in the SQL text; `None` when it came from a DataFrame.
    pub span: Option<Span>,
    /// Where a script made it; `None` when it came from SQL text, or when the client does not tell.
    pub call_site: Option<Arc<CallSite>>,
}

/// A method of the DataFrame API that a script called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallSite {
    /// The method.
    pub method: Arc<str>,
    /// File and line.
    pub place: Arc<str>,
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprNode {
    /// A constant.
    Literal(Literal),
    /// A column by name. `plan_id` ties it to one DataFrame (`df.a`); parts are unquoted.
    Attribute { parts: Vec<String>, plan_id: Option<i64>, is_metadata: bool },
    /// `*`, `t.*`, with `EXCEPT (..)` and `REPLACE (..)`.
    Star { target: Vec<String>, plan_id: Option<i64>, except: Vec<Vec<String>>, replace: Vec<(String, Expr)> },
    /// `df.colRegex("`a.*`")`
    Regex { pattern: String, target: Vec<String>, plan_id: Option<i64> },
    /// A call by name, built-in or registered: operators too (`+`, `and`, `==`, `isnull`, `in`, `like`, `rlike`,
    /// `between` are lowered to the function names that Spark uses in Connect).
    Function(FunctionCall),
    /// `CAST(e AS t)`, `TRY_CAST`
    Cast { child: Expr, target: CastTarget, mode: CastMode },
    /// `e AS name`, or several names for a generator; `metadata` is JSON.
    Alias { child: Expr, names: Vec<String>, metadata: Option<String> },
    /// `CASE [operand] WHEN .. THEN .. ELSE .. END`
    Case { operand: Option<Expr>, branches: Vec<(Expr, Expr)>, otherwise: Option<Expr> },
    /// `x -> body`
    Lambda { parameters: Vec<String>, body: Expr },
    /// A parameter of a lambda.
    LambdaVariable(String),
    /// `f(..) OVER (..)`
    Window { function: Expr, window: WindowSpec },
    /// `OVER w`, to be looked up in the query's WINDOW clause.
    NamedWindow { function: Expr, name: String },
    /// `e.field`, `e[0]`, `e['k']`
    Extract { child: Expr, key: Expr },
    /// `withField` and `dropFields`
    UpdateField { child: Expr, field: String, value: Option<Expr> },
    /// A sort key inside an aggregate or a sort.
    SortKey(SortKey),
    /// `(SELECT ..)` as one value.
    ScalarSubquery(Box<Relation>),
    /// `EXISTS (SELECT ..)`
    Exists(Box<Relation>),
    /// `a IN (SELECT ..)`
    InSubquery { values: Vec<Expr>, query: Box<Relation> },
    /// A table given to a table function: `TABLE(t) PARTITION BY ..`
    TableArgument { query: Box<Relation>, partition_by: Vec<Expr>, order_by: Vec<SortKey>, single_partition: bool },
    /// A subquery by the plan id of a relation listed in `WithRelations`.
    SubqueryReference { plan_id: i64, kind: SubqueryKind },
    /// A named argument of a call: `f(a => 1)`
    NamedArgument { name: String, value: Expr },
    /// A parameter marker: `:name`, or `?` by its place.
    Parameter(ParameterMarker),
    /// A Python function sent inline.
    PythonUdf(Arc<PythonUdf>),
    /// `F.expr(text)`: an expression in SQL text, parsed where the SQL parser is at hand.
    SqlText(String),
    /// `IDENTIFIER(e)`, as a column or function name.
    Identifier { name: Expr, arguments: Option<Vec<Expr>> },
    /// `DEFAULT` in an INSERT, UPDATE or MERGE.
    Default,
}

/// A call by name.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionCall {
    /// Its name, possibly qualified, unquoted, as written.
    pub name: Vec<String>,
    /// Its arguments.
    pub arguments: Vec<Expr>,
    /// `DISTINCT`
    pub is_distinct: bool,
    /// `FILTER (WHERE ..)`
    pub filter: Option<Expr>,
    /// `IGNORE NULLS` is true, `RESPECT NULLS` is false.
    pub ignore_nulls: Option<bool>,
    /// `WITHIN GROUP (ORDER BY ..)`
    pub order_by: Vec<SortKey>,
    /// From a DataFrame: only built-in functions are meant (`F.col(..) + 1`, an operator).
    pub is_internal: bool,
}

/// A parameter marker.
#[derive(Clone, Debug, PartialEq)]
pub enum ParameterMarker {
    /// `:name`
    Named(String),
    /// `?`, by its place in the text.
    Positional(u32),
}

/// What a cast aims at: DDL text is parsed where the SQL parser is at hand.
#[derive(Clone, Debug, PartialEq)]
pub enum CastTarget {
    /// A type.
    Type(DataType),
    /// A type in DDL text, as `col.cast("decimal(10,2)")` sends it.
    Ddl(String),
}

/// What a failed cast does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CastMode {
    /// As the session says: error under ANSI, else NULL.
    Session,
    /// Always an error.
    Ansi,
    /// Always NULL.
    Try,
    /// Always an error, also for text that is too long for a CHAR or VARCHAR; CHAR is padded: a value on its way into
    /// a table.
    Store,
}

/// What a subquery stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum SubqueryKind {
    /// One value.
    Scalar,
    /// Whether there are rows.
    Exists,
    /// Whether these values are among the rows.
    In(Vec<Expr>),
    /// A table argument.
    Table { partition_by: Vec<Expr>, order_by: Vec<SortKey>, single_partition: bool },
}

/// A sort key.
#[derive(Clone, Debug, PartialEq)]
pub struct SortKey {
    /// What is sorted by.
    pub child: Expr,
    /// Ascending unless DESC.
    pub ascending: bool,
    /// Where nulls go; first when ascending and last when descending unless said.
    pub nulls_first: bool,
}

/// What stands in OVER.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct WindowSpec {
    /// A window named in the WINDOW clause that this one refines.
    pub base: Option<String>,
    /// PARTITION BY
    pub partition_by: Vec<Expr>,
    /// ORDER BY
    pub order_by: Vec<SortKey>,
    /// ROWS or RANGE.
    pub frame: Option<WindowFrame>,
}

/// A window frame.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowFrame {
    /// ROWS, else RANGE.
    pub is_rows: bool,
    /// Lower bound.
    pub lower: FrameBound,
    /// Upper bound.
    pub upper: FrameBound,
}

/// An end of a window frame.
#[derive(Clone, Debug, PartialEq)]
pub enum FrameBound {
    /// CURRENT ROW
    CurrentRow,
    /// UNBOUNDED PRECEDING, or FOLLOWING for the upper bound.
    Unbounded,
    /// An offset: negative is PRECEDING, positive FOLLOWING.
    Offset(Expr),
}

/// A Python function as the client pickled it.
#[derive(Clone, Debug, PartialEq)]
pub struct PythonUdf {
    /// Its name.
    pub name: String,
    /// Its arguments.
    pub arguments: Vec<Expr>,
    /// Whether equal inputs give equal outputs.
    pub deterministic: bool,
    /// PySpark's evaluation type.
    pub eval_type: i32,
    /// The type it returns; of a table function none where its `analyze` method says it.
    pub output_type: Option<CastTarget>,
    /// The pickled command, passed on unread.
    pub command: Vec<u8>,
    /// The client's Python version.
    pub python_version: String,
    /// DISTINCT in an aggregate.
    pub is_distinct: bool,
}

impl PythonUdf {
    /// The type it returns, where that is known before its arguments are.
    pub fn returns(&self) -> Result<&CastTarget> {
        self.output_type.as_ref().ok_or_else(|| SparkError::internal(format!("{} gives no type", self.name)))
    }
}

/// A data source written in Python, as the client pickled it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PythonSource {
    /// Its name.
    pub name: String,
    /// The pickled class, passed on unread.
    pub command: Vec<u8>,
    /// The client's Python version.
    pub python_version: String,
}

impl Expr {
    /// An expression without a place.
    pub fn new(node: ExprNode) -> Self {
        Self { node: Box::new(node), span: None, call_site: None }
    }

    /// An expression at a place.
    pub fn at(node: ExprNode, span: Span) -> Self {
        Self { node: Box::new(node), span: Some(span), call_site: None }
    }

    /// A constant.
    pub fn literal(literal: Literal) -> Self {
        Self::new(ExprNode::Literal(literal))
    }

    /// A column by its unquoted name parts.
    pub fn column<S: Into<String>>(parts: impl IntoIterator<Item = S>) -> Self {
        let parts = parts.into_iter().map(Into::into).collect();
        Self::new(ExprNode::Attribute { parts, plan_id: None, is_metadata: false })
    }

    /// A call of a built-in function.
    pub fn call(name: &str, arguments: Vec<Self>) -> Self {
        Self::new(ExprNode::Function(FunctionCall::builtin(name, arguments)))
    }

    /// The expression under another name.
    #[must_use]
    pub fn alias(self, name: impl Into<String>) -> Self {
        let (span, call_site) = (self.span, self.call_site.clone());
        let node = ExprNode::Alias { child: self, names: vec![name.into()], metadata: None };
        Self { node: Box::new(node), span, call_site }
    }

    /// `*`
    pub fn star() -> Self {
        Self::new(ExprNode::Star { target: Vec::new(), plan_id: None, except: Vec::new(), replace: Vec::new() })
    }
}

impl FunctionCall {
    /// A plain call of a built-in function.
    pub fn builtin(name: &str, arguments: Vec<Expr>) -> Self {
        Self { name: vec![name.to_owned()], arguments, is_internal: true, ..Self::named(Vec::new(), Vec::new()) }
    }

    /// A plain call of a function by its name as written.
    pub fn named(name: Vec<String>, arguments: Vec<Expr>) -> Self {
        Self {
            name,
            arguments,
            is_distinct: false,
            filter: None,
            ignore_nulls: None,
            order_by: Vec::new(),
            is_internal: false,
        }
    }
}

impl SortKey {
    /// Spark's default order: nulls first ascending, last descending.
    pub fn new(child: Expr, ascending: bool) -> Self {
        Self { child, ascending, nulls_first: ascending }
    }
}
