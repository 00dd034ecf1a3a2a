//! Gives every row of a task the number of its partition.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use arrow::record_batch::RecordBatch;
use datafusion::common::{Result, internal_err};
use datafusion::physical_expr::PhysicalExpr;

use super::range::RangeFinder;
use super::{OutputScheme, murmur3};

/// One for each attempt: round-robin counts on from batch to batch.
pub(crate) enum Router {
    /// Every row goes to this partition.
    Whole(usize),
    Hash(Vec<Arc<dyn PhysicalExpr>>, usize),
    ById(Arc<dyn PhysicalExpr>, usize),
    RoundRobin {
        next: usize,
        partitions: usize,
    },
    Range(RangeFinder),
}

impl Router {
    pub(crate) fn new(scheme: &OutputScheme, task: usize) -> Result<Self> {
        Ok(match scheme {
            OutputScheme::Single | OutputScheme::Sampled(..) => Self::Whole(0),
            OutputScheme::Whole(_) => Self::Whole(task),
            OutputScheme::Hash(exprs, partitions) => Self::Hash(exprs.clone(), *partitions),
            OutputScheme::ById(expr, partitions) => Self::ById(Arc::clone(expr), *partitions),
            OutputScheme::RoundRobin(partitions) => {
                let partitions = (*partitions).max(1);
                Self::RoundRobin { next: task % partitions, partitions }
            }
            OutputScheme::Range(ordering, _, Some(bounds)) => Self::Range(RangeFinder::new(ordering, bounds)?),
            OutputScheme::Range(_, _, None) => return internal_err!("a range exchange ran without bounds"),
        })
    }

    /// `Err` holds the one partition to which all rows go.
    pub(crate) fn route(&mut self, batch: &RecordBatch) -> Result<std::result::Result<Vec<u32>, usize>> {
        let rows = batch.num_rows();
        let routes = match self {
            Self::Whole(partition) => return Ok(Err(*partition)),
            Self::Hash(exprs, partitions) => {
                let evaluate = |expr: &Arc<dyn PhysicalExpr>| expr.evaluate(batch)?.into_array(rows);
                let columns: Vec<ArrayRef> = exprs.iter().map(evaluate).collect::<Result<_>>()?;
                let hashes = murmur3::hash_columns(&columns, rows)?;
                hashes.into_iter().map(|hash| murmur3::partition_of(hash, *partitions) as u32).collect()
            }
            Self::ById(expr, partitions) => {
                let ids = cast(&expr.evaluate(batch)?.into_array(rows)?, &DataType::Int64)?;
                let ids = ids.as_primitive::<Int64Type>();
                let modulus = i64::try_from(*partitions).unwrap_or(i64::MAX).max(1);
                let route = |row| if ids.is_null(row) { 0 } else { ids.value(row).rem_euclid(modulus) };
                (0..rows).map(|row| route(row) as u32).collect()
            }
            Self::RoundRobin { next, partitions } => {
                let first = *next;
                *next = (first + rows) % *partitions;
                (first..first + rows).map(|position| (position % *partitions) as u32).collect()
            }
            Self::Range(finder) => finder.ranges(batch)?,
        };
        Ok(Ok(routes))
    }
}
