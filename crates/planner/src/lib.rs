//! Resolves an unresolved plan into DataFusion's logical plan.
//!
//! ```text
//!   spec::Relation --Planner--> Resolved { LogicalPlan over unique column names, output: what the user calls them }
//!                     |
//!                     +-- expr/      names, calls, casts, windows, lambdas, subqueries
//!                     +-- relation/  one file per family of relations
//!                     +-- decorrelate/  correlated subqueries to joins, last
//!                     +-- Environment: tables, files, settings, asked of the session
//! ```
//!
//! Every column gets a unique internal name (`price#7`); the user's names, which may repeat or differ by case, live in
//! [`Attribute`] and come back only at the boundary. Types are Spark's and are settled here: DataFusion's own coercion
//! finds nothing to do. It must not know Connect, sessions or how tasks run.

mod attribute;
mod cached;
mod decorrelate;
mod environment;
mod error;
mod expr;
mod finish;
mod planner;
mod relation;
mod resolved;

pub use attribute::Attribute;
pub use cached::{CachedPlan, CachedRelation, ResolvedFragment};
pub use environment::{Environment, StoredView, TableSource};
pub use finish::{Finish, Planned};
pub use planner::Planner;
pub use resolved::Resolved;
