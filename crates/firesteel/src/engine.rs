//! The seam to the driver: the only names of it that the commands use.

pub(crate) use firesteel_driver::{EngineConfig, ExecutorLaunch, Rows, Server, SqlSession, run_executor, text_columns};
