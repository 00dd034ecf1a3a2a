//! What a client can ask, decoded, and the answers to questions about plans.

use firesteel_spec::command::ExplainMode;
use firesteel_spec::{Command, Plan, Relation, StructField};

/// Something to run.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// A DataFrame whose rows are wanted.
    Query(Relation),
    /// A command.
    Command(Command),
    /// `spark.sql(..)`: a `Sql` relation, possibly below `WithRelations`. A query is only analysed, a command is run.
    Sql(Relation),
}

/// A question about a plan.
#[derive(Clone, Debug, PartialEq)]
pub enum Analyze {
    /// `df.schema`
    Schema(Plan),
    /// `df.explain()`
    Explain(Plan, ExplainMode),
    /// `df.printSchema()`, down to a level.
    TreeString(Plan, Option<usize>),
    /// `df.isLocal()`
    IsLocal(Plan),
    /// `df.isStreaming`
    IsStreaming(Plan),
    /// `df.inputFiles()`
    InputFiles(Plan),
    /// A schema in DDL text.
    DdlParse(String),
    /// A schema in JSON, wanted as DDL text.
    JsonToDdl(String),
    /// `df.sameSemantics(other)`
    SameSemantics(Plan, Plan),
    /// `df.semanticHash()`
    SemanticHash(Plan),
    /// `df.persist()`
    Persist(Relation, Option<StorageLevel>),
    /// `df.unpersist()`, waiting for the blocks to go or not.
    Unpersist(Relation, bool),
    /// `df.storageLevel`
    GetStorageLevel(Relation),
}

/// The answer to a question about a plan.
#[derive(Clone, Debug, PartialEq)]
pub enum Analyzed {
    /// To `Schema` and `DdlParse` of a table schema.
    Schema(Vec<StructField>),
    /// To `DdlParse` of a single type.
    Type(firesteel_spec::DataType),
    /// To `Explain`, `TreeString` and `JsonToDdl`.
    Text(String),
    /// To `IsLocal`, `IsStreaming` and `SameSemantics`.
    Flag(bool),
    /// To `InputFiles`.
    Files(Vec<String>),
    /// To `SemanticHash`.
    Hash(i32),
    /// To `Persist` and `Unpersist`.
    Done,
    /// To `GetStorageLevel`.
    StorageLevel(StorageLevel),
}

/// Where cached rows are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct StorageLevel {
    /// On disk.
    pub use_disk: bool,
    /// In memory.
    pub use_memory: bool,
    /// Outside the heap.
    pub use_off_heap: bool,
    /// As objects rather than bytes.
    pub deserialized: bool,
    /// Copies.
    pub replication: i32,
}
