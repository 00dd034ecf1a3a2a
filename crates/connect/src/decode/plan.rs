//! Whole plans, plain or compressed.

use std::io::Read;

use bytes::Bytes;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::Plan;
use spark_connect_proto as proto;
use spark_connect_proto::plan::OpType;
use spark_connect_proto::plan::compressed_operation::OpType as CompressedType;

use super::command::{Execution, command};
use super::missing;
use super::relation::relation;
use crate::request::Request;
use crate::wire::nesting;

/// A compressed plan may grow to this size.
const PLAIN_BYTES_MAX: u64 = 1 << 30;

/// The plan with any compression taken off.
///
/// Errors: `CONNECT_INVALID_PLAN.CANNOT_PARSE`, on which the client sends plain plans from then on.
pub(crate) fn plain(plan: Option<proto::Plan>) -> Result<OpType> {
    let operation = plan.and_then(|plan| plan.op_type).ok_or_else(|| missing("the plan"))?;
    let OpType::CompressedOperation(compressed) = operation else { return Ok(operation) };
    if compressed.compression_codec() != proto::CompressionCodec::Zstd {
        return Err(cannot_parse("the plan's compression codec is unknown"));
    }
    let kind = compressed.op_type();
    let bytes = decompress(&compressed.data)?;
    match kind {
        CompressedType::Relation => Ok(OpType::Root(parse(bytes)?)),
        CompressedType::Command => Ok(OpType::Command(parse(bytes)?)),
        CompressedType::Unspecified => Err(cannot_parse("the kind of the compressed plan is missing")),
    }
}

/// A plan to be executed.
pub(crate) fn execution(plan: OpType) -> Result<Execution> {
    match plan {
        OpType::Root(root) => Ok(Execution::Run(Request::Query(relation(root)?))),
        OpType::Command(message) => command(message),
        OpType::CompressedOperation(_) => Err(cannot_parse("the plan is compressed twice")),
    }
}

/// A plan to be analysed.
pub(crate) fn plan(message: Option<proto::Plan>) -> Result<Plan> {
    match execution(plain(message)?)? {
        Execution::Run(Request::Query(root) | Request::Sql(root)) => Ok(Plan::Query(root)),
        Execution::Run(Request::Command(command)) => Ok(Plan::Command(command)),
        Execution::Reply(_) => Err(SparkError::unsupported("analysing this command")),
    }
}

fn decompress(data: &Bytes) -> Result<Bytes> {
    let wrong = |error: std::io::Error| cannot_parse("the plan cannot be decompressed").source(error);
    let mut plain = Vec::new();
    let decoder = zstd::stream::read::Decoder::new(data.as_ref()).map_err(wrong)?;
    decoder.take(PLAIN_BYTES_MAX + 1).read_to_end(&mut plain).map_err(wrong)?;
    if plain.len() as u64 > PLAIN_BYTES_MAX {
        return Err(cannot_parse("the decompressed plan is too large"));
    }
    Ok(plain.into())
}

fn parse<M: prost::Message + Default>(bytes: Bytes) -> Result<M> {
    nesting::decode(bytes).map_err(|error| cannot_parse(&error.to_string()))
}

fn cannot_parse(message: &str) -> SparkError {
    SparkError::new(&error_class::CONNECT_INVALID_PLAN).param("errorMsg", message)
}
