//! Results into messages: types, constants, Arrow batches.

pub(crate) mod batch;
pub(crate) mod data_type;
pub(crate) mod literal;
pub(crate) mod relabel;
