//! Relations as written.

use std::sync::Arc;

use bytes::Bytes;

use crate::command::{CatalogOp, Command};
use crate::expr::{Expr, FunctionCall, PythonUdf, SortKey, Span, WindowSpec};
use crate::types::StructField;

/// A relation, the DataFrame it came from and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Relation {
    /// What it is.
    pub node: Box<RelationNode>,
    /// The client's id of the DataFrame, to which `df.a` refers.
    pub plan_id: Option<i64>,
    /// Where it stands in the SQL text.
    pub span: Option<Span>,
}

/// A schema given by the user: Spark's JSON, or DDL text.
#[derive(Clone, Debug, PartialEq)]
pub enum SchemaText {
    /// Fields.
    Fields(Vec<StructField>),
    /// `a INT, b STRING`, or the JSON of a StructType.
    Text(String),
}

/// What a relation is.
#[derive(Clone, Debug, PartialEq)]
pub enum RelationNode {
    // Leaves.
    /// One row without columns: SELECT without FROM.
    OneRow,
    /// A table, view or CTE by name, or a path (`parquet.`/a/b``).
    Table { name: Vec<String>, options: Vec<(String, String)>, is_streaming: bool, time_travel: Option<TimeTravel> },
    /// `IDENTIFIER(e)` as a table name.
    IdentifierTable { name: Expr },
    /// `spark.read.format(..).load(..)`
    DataSource(DataSource),
    /// Rows sent by the client as an Arrow IPC stream; `schema` may rename and retype.
    LocalRelation { data: Option<Bytes>, schema: Option<String> },
    /// Rows sent before as artifacts: hashes of Arrow streams, in order.
    CachedLocalRelation { data_hashes: Vec<String>, schema_hash: Option<String> },
    /// `VALUES (..), (..)`
    Values(Vec<Vec<Expr>>),
    /// `spark.range`
    Range { start: Option<i64>, end: i64, step: i64, partitions: Option<i32> },
    /// A checkpointed DataFrame, by id.
    CachedRemoteRelation(String),
    /// A table function: `range(3)`, `explode(..)`, one written in Python.
    TableFunction(FunctionCall),
    /// A Python table function sent inline.
    PythonTableFunction(Arc<PythonUdf>),
    /// A catalog call that answers with rows.
    Catalog(CatalogOp),
    /// A command whose result is the relation's rows (`spark.sql("SHOW TABLES")`).
    Command(Box<Command>),
    /// SQL text inside a plan, with its arguments.
    Sql { text: String, named: Vec<(String, Expr)>, positional: Vec<Expr> },

    // One input.
    /// SELECT list over an input; the input is `OneRow` for `SELECT 1`.
    Project { input: Relation, items: Vec<Expr> },
    /// WHERE
    Filter { input: Relation, condition: Expr },
    /// HAVING, which may use what the aggregate below computes from.
    Having { input: Relation, condition: Expr },
    /// QUALIFY-like filter over window functions.
    Qualify { input: Relation, condition: Expr },
    /// ORDER BY (global) or SORT BY.
    Sort { input: Relation, keys: Vec<SortKey>, is_global: bool, all: Option<OrderByAll> },
    /// LIMIT
    Limit { input: Relation, count: Expr },
    /// OFFSET
    Offset { input: Relation, count: Expr },
    /// The last rows.
    Tail { input: Relation, count: Expr },
    /// GROUP BY. `items` is the SELECT list for SQL; for a DataFrame the grouping columns come first by themselves.
    Aggregate { input: Relation, grouping: Grouping, items: Vec<Expr>, style: AggregateStyle },
    /// PIVOT
    Pivot {
        input: Relation,
        grouping: Vec<Expr>,
        column: Expr,
        values: Vec<Expr>,
        aggregates: Vec<Expr>,
        style: AggregateStyle,
    },
    /// UNPIVOT; `ids` is `None` where all other columns are meant, `values` likewise.
    Unpivot(Box<Unpivot>),
    /// `df.transpose()`
    Transpose { input: Relation, index: Option<Expr> },
    /// `(..) AS t(a, b)`
    Alias { input: Relation, name: Vec<String>, columns: Vec<String> },
    /// `df.alias` with hints and such below is `Alias`; a hint itself is this.
    Hint { input: Relation, name: String, parameters: Vec<Expr> },
    /// DISTINCT and dropDuplicates; no columns mean all.
    Deduplicate { input: Relation, columns: Vec<String>, within_watermark: bool },
    /// TABLESAMPLE and df.sample
    Sample { input: Relation, lower: f64, upper: f64, with_replacement: bool, seed: Option<i64> },
    /// TABLESAMPLE (n ROWS)
    SampleRows { input: Relation, count: Expr },
    /// repartition, coalesce, DISTRIBUTE BY. `count` may be absent.
    Repartition { input: Relation, count: Option<i32>, by: Vec<Expr>, kind: RepartitionKind },
    /// `toDF(names)`
    ToDf { input: Relation, names: Vec<String> },
    /// `df.to(schema)`
    ToSchema { input: Relation, schema: SchemaText },
    /// `withColumns`: aliases replace columns of the same name or are added.
    WithColumns { input: Relation, columns: Vec<Expr> },
    /// `withColumnsRenamed`
    WithColumnsRenamed { input: Relation, renames: Vec<(String, String)> },
    /// `drop`
    Drop { input: Relation, columns: Vec<Expr>, names: Vec<String> },
    /// LATERAL VIEW
    LateralView { input: Relation, generator: FunctionCall, is_outer: bool, table: Vec<String>, columns: Vec<String> },
    /// The WINDOW clause of a query, for `NamedWindow` inside the input.
    WithWindows { input: Relation, windows: Vec<(String, WindowSpec)> },
    /// WITH
    With { input: Relation, ctes: Vec<Cte>, is_recursive: bool },
    /// Relations to which subqueries of the root refer by plan id.
    WithRelations { input: Relation, references: Vec<Relation> },
    /// `withWatermark`
    Watermark { input: Relation, column: String, delay: String },
    /// `df.observe`
    CollectMetrics { input: Relation, name: String, metrics: Vec<Expr> },
    /// `spark.read.csv(df)`, `spark.read.json(df)`
    Parse { input: Relation, is_csv: bool, schema: Option<SchemaText>, options: Vec<(String, String)> },
    /// The text that `df.show()` prints, as one row.
    ShowString { input: Relation, rows: i32, truncate: i32, vertical: bool },
    /// The HTML that a notebook shows, as one row.
    HtmlString { input: Relation, rows: i32, truncate: i32 },
    /// na.fill
    FillNa { input: Relation, columns: Vec<String>, values: Vec<Expr> },
    /// na.drop
    DropNa { input: Relation, columns: Vec<String>, min_non_nulls: Option<i32> },
    /// na.replace
    ReplaceNa { input: Relation, columns: Vec<String>, replacements: Vec<(Expr, Expr)> },
    /// summary
    Summary { input: Relation, statistics: Vec<String> },
    /// describe
    Describe { input: Relation, columns: Vec<String> },
    /// stat.crosstab
    Crosstab { input: Relation, first: String, second: String },
    /// stat.cov
    Cov { input: Relation, first: String, second: String },
    /// stat.corr
    Corr { input: Relation, first: String, second: String, method: Option<String> },
    /// stat.approxQuantile
    ApproxQuantile { input: Relation, columns: Vec<String>, probabilities: Vec<f64>, relative_error: f64 },
    /// stat.freqItems
    FreqItems { input: Relation, columns: Vec<String>, support: Option<f64> },
    /// stat.sampleBy
    SampleBy { input: Relation, column: Expr, fractions: Vec<(Expr, f64)>, seed: Option<i64> },
    /// mapInPandas, mapInArrow
    MapPartitions { input: Relation, function: Arc<PythonUdf>, is_barrier: bool },
    /// applyInPandas and its like
    GroupMap { input: Relation, grouping: Vec<Expr>, function: Arc<PythonUdf>, sort: Vec<Expr> },
    /// cogroup.applyInPandas
    CoGroupMap {
        left: Relation,
        left_grouping: Vec<Expr>,
        right: Relation,
        right_grouping: Vec<Expr>,
        function: Arc<PythonUdf>,
    },

    // Two inputs.
    /// JOIN
    Join(Box<Join>),
    /// pandas' merge_asof
    AsOfJoin(Box<AsOfJoin>),
    /// UNION, INTERSECT, EXCEPT
    SetOperation { left: Relation, right: Relation, kind: SetKind, is_all: bool, by_name: bool, allow_missing: bool },
}

/// `spark.read` as the client sends it.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DataSource {
    /// `csv`, `parquet` ...; the session's default when absent.
    pub format: Option<String>,
    /// The user's schema.
    pub schema: Option<SchemaText>,
    /// Options as given.
    pub options: Vec<(String, String)>,
    /// Paths and globs.
    pub paths: Vec<String>,
    /// JDBC predicates.
    pub predicates: Vec<String>,
    /// readStream
    pub is_streaming: bool,
}

/// VERSION AS OF, TIMESTAMP AS OF
#[derive(Clone, Debug, PartialEq)]
pub enum TimeTravel {
    /// A version.
    Version(String),
    /// A moment.
    Timestamp(Expr),
}

/// What is grouped by.
#[derive(Clone, Debug, PartialEq)]
pub enum Grouping {
    /// Plain expressions; none is a global aggregate.
    Expressions(Vec<Expr>),
    /// GROUP BY ALL
    All,
    /// ROLLUP, CUBE and GROUPING SETS among plain expressions.
    Elements(Vec<GroupingElement>),
}

/// An element of GROUP BY.
#[derive(Clone, Debug, PartialEq)]
pub enum GroupingElement {
    /// A plain expression.
    Expression(Expr),
    /// ROLLUP over sets of expressions.
    Rollup(Vec<Vec<Expr>>),
    /// CUBE over sets of expressions.
    Cube(Vec<Vec<Expr>>),
    /// Keys that may be in sets said elsewhere: `GROUP BY a, b GROUPING SETS (..)`.
    Keys(Vec<Expr>),
    /// GROUPING SETS, which nest.
    Sets(Vec<GroupingSet>),
}

/// A member of GROUPING SETS.
#[derive(Clone, Debug, PartialEq)]
pub enum GroupingSet {
    /// `(a, b)`
    Set(Vec<Expr>),
    /// A nested ROLLUP, CUBE or GROUPING SETS.
    Nested(GroupingElement),
}

/// Which columns an aggregate gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AggregateStyle {
    /// Just the items (SQL).
    ItemsOnly,
    /// The grouping columns, then the items (DataFrame).
    GroupingFirst,
    /// The same; a number among the grouping columns is the place of a column of the input (`|> AGGREGATE`).
    GroupingFirstByPlace,
}

/// ORDER BY ALL
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderByAll {
    /// Ascending unless DESC.
    pub ascending: bool,
    /// Where nulls go.
    pub nulls_first: bool,
}

/// UNPIVOT
#[derive(Clone, Debug, PartialEq)]
pub struct Unpivot {
    /// What is unpivoted.
    pub input: Relation,
    /// Columns kept.
    pub ids: Option<Vec<Expr>>,
    /// Sets of columns turned into rows, each with an alias.
    pub values: Option<Vec<(Vec<Expr>, Option<String>)>>,
    /// Name of the column that tells which.
    pub variable_name: String,
    /// Names of the value columns.
    pub value_names: Vec<String>,
    /// Whether rows of nulls stay.
    pub include_nulls: bool,
}

/// How rows move in a repartition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RepartitionKind {
    /// `repartition`: evenly, or by hash of the expressions.
    Shuffle,
    /// `coalesce`: partitions are merged where they are.
    Coalesce,
    /// `repartitionByRange`
    Range,
    /// `repartitionById`: the expression is the partition's number.
    ById,
    /// A hint: the engine may do better.
    Rebalance,
}

/// A common table expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Cte {
    /// Its name.
    pub name: String,
    /// Its columns' names, if given.
    pub columns: Vec<String>,
    /// Its query.
    pub query: Relation,
    /// MAX RECURSION LEVEL n
    pub max_recursion: Option<u32>,
}

/// JOIN
#[derive(Clone, Debug, PartialEq)]
pub struct Join {
    /// Left input.
    pub left: Relation,
    /// Right input.
    pub right: Relation,
    /// Which rows are kept.
    pub kind: JoinKind,
    /// What is matched.
    pub condition: JoinCondition,
    /// Whether the right side may use columns of the left.
    pub is_lateral: bool,
}

/// Which rows a join keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinKind {
    /// INNER
    Inner,
    /// CROSS
    Cross,
    /// LEFT OUTER
    Left,
    /// RIGHT OUTER
    Right,
    /// FULL OUTER
    Full,
    /// LEFT SEMI
    LeftSemi,
    /// LEFT ANTI
    LeftAnti,
}

/// What a join matches.
#[derive(Clone, Debug, PartialEq)]
pub enum JoinCondition {
    /// Nothing.
    None,
    /// ON
    On(Expr),
    /// USING
    Using(Vec<String>),
    /// NATURAL
    Natural,
}

/// pandas' merge_asof
#[derive(Clone, Debug, PartialEq)]
pub struct AsOfJoin {
    /// Left input.
    pub left: Relation,
    /// Right input.
    pub right: Relation,
    /// The left side's moment.
    pub left_as_of: Expr,
    /// The right side's moment.
    pub right_as_of: Expr,
    /// What else must match.
    pub condition: JoinCondition,
    /// `inner` or `left`.
    pub kind: JoinKind,
    /// How far apart they may be.
    pub tolerance: Option<Expr>,
    /// Whether equal moments match.
    pub allow_exact_matches: bool,
    /// `backward`, `forward` or `nearest`.
    pub direction: String,
}

/// A set operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetKind {
    /// UNION
    Union,
    /// INTERSECT
    Intersect,
    /// EXCEPT
    Except,
}

impl Relation {
    /// A relation without id or place.
    pub fn new(node: RelationNode) -> Self {
        Self { node: Box::new(node), plan_id: None, span: None }
    }

    /// A relation at a place.
    pub fn at(node: RelationNode, span: Span) -> Self {
        Self { node: Box::new(node), plan_id: None, span: Some(span) }
    }
}
