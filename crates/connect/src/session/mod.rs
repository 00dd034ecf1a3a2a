//! Sessions: isolated by user and session id, opened on first use, closed when idle or released.

mod holder;
mod manager;

pub(crate) use holder::SessionHolder;
pub(crate) use manager::SessionManager;
