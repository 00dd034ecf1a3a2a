//! The unresolved plan: one tree for Spark Connect messages and for SQL text.
//!
//! ```text
//!   connect (protobuf) --decode--+
//!                                +--> Relation / Expr / Command --> planner
//!   sql (text) ---------parse----+
//! ```
//!
//! Nothing here is resolved: names are as written, types are as asked for. It must not know DataFusion or protobuf.

mod catalog_call;
pub mod command;
pub mod expr;
mod inputs;
pub mod literal;
pub mod relation;
mod script;
mod show;
pub mod spatial;
pub mod types;
pub mod types_arrow;
mod types_json;
mod view;

pub use command::{CatalogOp, Command};
pub use expr::{Expr, ExprNode, Span};
pub use literal::Literal;
pub use relation::{Relation, RelationNode};
pub use types::{DataType, StructField};

/// What a client sends or a SQL statement says: something to compute or something to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Plan {
    /// A query.
    Query(Relation),
    /// A command.
    Command(Command),
}
