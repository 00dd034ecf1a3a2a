//! Nodes that call the user's Python functions: what a function is, and an entry for each node.

mod groups;
mod rows;
mod sources;
mod tables;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::compute::SortOptions;
use datafusion::common::{DataFusionError, Result};
use firesteel_functions::errors::to_datafusion;
use firesteel_model::SparkError;
use firesteel_python::{Argument, EvalType, PythonCommand, PythonSession};
use prost::Message;

use crate::codec::wire::{lacks, number};

pub(super) use groups::{CoGroup, Group};
pub(super) use rows::{Evaluate, MapPartitions};
pub(super) use sources::Scan;
pub(super) use tables::Table;

/// A function as the client pickled it.
#[derive(Clone, PartialEq, Message)]
struct CommandNode {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(sint32, tag = "2")]
    eval_type: i32,
    #[prost(bytes = "vec", tag = "3")]
    command: Vec<u8>,
    #[prost(string, tag = "4")]
    python_version: String,
}

impl CommandNode {
    fn of(command: &PythonCommand) -> Self {
        let PythonCommand { name, eval_type, command, python_version } = command.clone();
        Self { name, eval_type: eval_type.0, command, python_version }
    }

    fn read(node: Option<Self>) -> Result<Arc<PythonCommand>> {
        Ok(node.ok_or_else(|| lacks("a Python function"))?.into_command())
    }

    fn into_command(self) -> Arc<PythonCommand> {
        let Self { name, eval_type, command, python_version } = self;
        Arc::new(PythonCommand { name, eval_type: EvalType(eval_type), command, python_version })
    }
}

#[derive(Clone, PartialEq, Message)]
struct ArgumentNode {
    #[prost(uint64, tag = "1")]
    offset: u64,
    #[prost(string, optional, tag = "2")]
    name: Option<String>,
}

fn arguments_of(arguments: &[Argument]) -> Vec<ArgumentNode> {
    let node = |argument: &Argument| ArgumentNode { offset: argument.offset as u64, name: argument.name.clone() };
    arguments.iter().map(node).collect()
}

fn arguments(nodes: Vec<ArgumentNode>) -> Result<Vec<Argument>> {
    nodes.into_iter().map(|node| Ok(Argument { offset: number(node.offset)?, name: node.name })).collect()
}

/// A column by its place, and how it is sorted.
#[derive(Clone, PartialEq, Message)]
struct KeyNode {
    #[prost(uint64, tag = "1")]
    place: u64,
    #[prost(bool, tag = "2")]
    descending: bool,
    #[prost(bool, tag = "3")]
    nulls_first: bool,
}

fn order_of(order: &[(usize, SortOptions)]) -> Vec<KeyNode> {
    let node = |(place, options): &(usize, SortOptions)| {
        let SortOptions { descending, nulls_first } = *options;
        KeyNode { place: *place as u64, descending, nulls_first }
    };
    order.iter().map(node).collect()
}

fn order(nodes: &[KeyNode]) -> Result<Vec<(usize, SortOptions)>> {
    let key = |node: &KeyNode| {
        let options = SortOptions { descending: node.descending, nulls_first: node.nulls_first };
        Ok((number(node.place)?, options))
    };
    nodes.iter().map(key).collect()
}

fn places_of(places: &[usize]) -> Vec<u64> {
    places.iter().map(|place| *place as u64).collect()
}

fn places(places: Vec<u64>) -> Result<Vec<usize>> {
    places.into_iter().map(number).collect()
}

/// What the functions of a session share, as JSON.
fn session_to_bytes(session: &PythonSession) -> Result<Vec<u8>> {
    serde_json::to_vec(session).map_err(broken)
}

fn session_from_bytes(bytes: &[u8]) -> Result<Arc<PythonSession>> {
    serde_json::from_slice(bytes).map(Arc::new).map_err(broken)
}

fn broken(error: serde_json::Error) -> DataFusionError {
    to_datafusion(SparkError::internal("a Python function came over the wire broken").source(error))
}
