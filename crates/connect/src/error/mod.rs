//! Errors on their way to the client: a status with details, the rest fetched later.

pub(crate) mod details;
pub(crate) mod status;
