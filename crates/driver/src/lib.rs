//! The driver: sessions, planning and commands, wired to the Connect server and the cluster.
//!
//! ```text
//!   Server (Connect) --+
//!                      +--> DriverSession --> planning (planner, optimiser, physical plan) --> cluster
//!   SqlSession (text) -+         |
//!                                +--> command/   DDL, writes, SHOW, catalog calls
//!                                +--> catalog, sources
//! ```
//!
//! It must not know protobuf or how tasks are placed.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod analyze;
mod application;
mod cache;
#[cfg(test)]
mod codec_tests;
mod command;
mod engine;
mod environment;
mod executors;
mod explain;
mod planning;
mod progress;
mod python;
mod python_source;
mod query;
mod rows;
mod server;
mod session;
mod shuffle;
mod sql_session;

pub use application::EngineConfig;
pub use executors::{ExecutorLaunch, run_executor};
pub use server::Server;
pub use sql_session::{Rows, SqlSession, text_columns};
