//! The outputs that hold a cached query's rows, and which of them are there.

use std::sync::Arc;

use firesteel_engine::exec::CachedRows;
use firesteel_executor::KeptRows;
use firesteel_model::ids::TaskAttempt;
use firesteel_model::{Result, SparkError};
use firesteel_shuffle::{Hold, MapOutput};

/// One task's rows in the store.
#[derive(Clone, Debug)]
struct Block {
    output: MapOutput,
    /// Keeps them there.
    _rows: Arc<KeptRows>,
}

/// By the order of the tasks; those that were never computed, or are known to be lost, are missing.
#[derive(Debug, Default)]
pub(super) struct Blocks(Vec<Option<Block>>);

/// The same while they are held for a query.
#[derive(Debug, Default)]
pub(super) struct Found(Vec<Option<(Block, Hold)>>);

impl Blocks {
    /// Holds all that are there.
    pub(super) fn held(&self, hold: impl Fn(TaskAttempt) -> Option<Hold>) -> Found {
        let held = |block: &Option<Block>| {
            let block = block.as_ref()?;
            Some((block.clone(), hold(block.output.attempt)?))
        };
        Found(self.0.iter().map(held).collect())
    }
}

impl Found {
    /// Whether there are all rows, or so many of the first.
    pub(super) fn suffice(&self, limit: Option<usize>) -> bool {
        let first = self.0.iter().map_while(Option::as_ref);
        let is_complete = !self.0.is_empty() && self.0.iter().all(Option::is_some);
        is_complete
            || limit.is_some_and(|limit| first.map(|(block, _)| block.output.rows()).sum::<u64>() >= limit as u64)
    }

    /// Whether they can be outputs of a plan that leaves so many.
    pub(super) fn fits(&self, outputs: usize) -> bool {
        self.0.is_empty() || self.0.len() == outputs
    }

    pub(super) fn resize(&mut self, outputs: usize) {
        self.0.resize_with(outputs, || None);
    }

    pub(super) fn missing(&self) -> Vec<usize> {
        self.0.iter().enumerate().filter(|(_, block)| block.is_none()).map(|(index, _)| index).collect()
    }

    /// Puts what a job computed where it was missing.
    pub(super) fn put(&mut self, places: &[usize], rows: KeptRows, holds: Vec<Hold>) {
        let rows = Arc::new(rows);
        for ((place, output), hold) in places.iter().zip(&rows.outputs).zip(holds) {
            if let Some(slot) = self.0.get_mut(*place) {
                *slot = Some((Block { output: output.clone(), _rows: Arc::clone(&rows) }, hold));
            }
        }
    }

    /// Puts what a job computed in place of everything.
    pub(super) fn replace(&mut self, rows: KeptRows, holds: Vec<Hold>) {
        let places: Vec<usize> = (0..rows.outputs.len()).collect();
        self.0.clear();
        self.resize(places.len());
        self.put(&places, rows, holds);
    }

    /// For a scan: one partition of one output for each partition; with a limit, as many of the first as there are.
    pub(super) fn rows(&self, limit: Option<usize>) -> Result<CachedRows> {
        let first: Vec<&(Block, Hold)> = self.0.iter().map_while(Option::as_ref).collect();
        if limit.is_none() && first.len() < self.0.len() {
            return Err(SparkError::internal("outputs of a cached query are missing"));
        }
        let mut partitions = Vec::new();
        for (block, _) in &first {
            for partition in block.output.range() {
                let part = block.output.slice(partition..partition + 1).map_err(SparkError::from)?;
                partitions.push(part);
            }
        }
        let keeper: Vec<(Block, Hold)> = first.into_iter().cloned().collect();
        Ok(CachedRows { partitions: Arc::new(partitions), keeper: Arc::new(keeper) })
    }

    pub(super) fn holds(&self) -> Vec<Hold> {
        self.0.iter().flatten().map(|(_, hold)| hold.clone()).collect()
    }

    pub(super) fn blocks(&self) -> Blocks {
        Blocks(self.0.iter().map(|found| found.as_ref().map(|(block, _)| block.clone())).collect())
    }
}
