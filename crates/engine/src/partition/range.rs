//! Range partitioning: samples of the keys, bounds made of them, and the range of a row.

use std::sync::Arc;

use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::{concat, take};
use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;
use arrow::row::{OwnedRow, RowConverter, SortField};
use datafusion::common::Result;
use datafusion::physical_expr::LexOrdering;

use crate::codec::{columns_from_bytes, columns_to_bytes};

/// Sort keys drawn at random from one task's rows.
#[derive(Clone, Debug)]
pub struct Sample {
    /// One column for each sort expression.
    pub keys: Vec<ArrayRef>,
    /// How many rows the task had, which is what the sample stands for.
    pub rows: u64,
}

impl Sample {
    /// The keys as bytes; `rows` travels by itself.
    pub fn keys_to_bytes(&self) -> Result<Vec<u8>> {
        columns_to_bytes(&self.keys)
    }

    /// The sample of so many rows with the keys that [`Self::keys_to_bytes`] gave.
    pub fn from_bytes(keys: &[u8], rows: u64) -> Result<Self> {
        Ok(Self { keys: columns_from_bytes(keys)?, rows })
    }
}

/// Draws a sample of bounded size, the same in every attempt.
#[derive(Debug)]
pub struct Sampler {
    ordering: LexOrdering,
    capacity: usize,
    kept: Vec<Vec<ArrayRef>>,
    rows: u64,
    random: u64,
}

impl Sampler {
    /// At most about `capacity` keys.
    pub fn new(ordering: LexOrdering, capacity: usize, seed: u64) -> Self {
        let random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        Self { ordering, capacity: capacity.max(1), kept: Vec::new(), rows: 0, random }
    }

    /// Looks at more rows.
    pub fn observe(&mut self, batch: &RecordBatch) -> Result<()> {
        let keys = key_columns(&self.ordering, batch)?;
        for row in 0..batch.num_rows() {
            self.rows += 1;
            if self.kept.len() < self.capacity {
                self.kept.push(one_row(&keys, row)?);
            } else {
                let slot = usize::try_from(self.next_random() % self.rows).unwrap_or(usize::MAX);
                if let Some(place) = self.kept.get_mut(slot) {
                    *place = one_row(&keys, row)?;
                }
            }
        }
        Ok(())
    }

    /// What was drawn.
    pub fn finish(self) -> Result<Sample> {
        let width = self.kept.first().map_or(0, Vec::len);
        let column = |index: usize| -> Result<ArrayRef> {
            let parts: Vec<_> = self.kept.iter().filter_map(|row| row.get(index)).map(AsRef::as_ref).collect();
            Ok(concat(&parts)?)
        };
        Ok(Sample { keys: (0..width).map(column).collect::<Result<_>>()?, rows: self.rows })
    }

    fn next_random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }
}

/// Copied out, so that a sample does not keep whole batches alive.
fn one_row(keys: &[ArrayRef], row: usize) -> Result<Vec<ArrayRef>> {
    let index = UInt32Array::from(vec![u32::try_from(row).unwrap_or(u32::MAX)]);
    keys.iter().map(|column| Ok(take(column, &index, None)?)).collect()
}

/// The last key of every range but the last, in order. Plain data.
#[derive(Clone, Debug)]
pub struct RangeBounds {
    keys: Vec<ArrayRef>,
}

impl RangeBounds {
    pub(crate) fn keys(&self) -> &[ArrayRef] {
        &self.keys
    }

    pub(crate) fn from_keys(keys: Vec<ArrayRef>) -> Self {
        Self { keys }
    }

    /// Bounds that give `partitions` ranges of about equal size; fewer where keys repeat too often.
    pub fn from_samples(ordering: &LexOrdering, samples: &[Sample], partitions: usize) -> Result<Self> {
        let samples: Vec<_> = samples.iter().filter(|sample| !sample.keys.is_empty()).collect();
        let Some(first) = samples.first() else { return Ok(Self { keys: Vec::new() }) };
        let column = |index: usize| -> Result<ArrayRef> {
            let parts: Vec<_> = samples.iter().filter_map(|sample| sample.keys.get(index)).map(AsRef::as_ref).collect();
            Ok(concat(&parts)?)
        };
        let keys: Vec<ArrayRef> = (0..first.keys.len()).map(column).collect::<Result<_>>()?;
        let weight = |sample: &&Sample| {
            let drawn = sample.keys.first().map_or(0, |column| column.len());
            std::iter::repeat_n(sample.rows as f64 / drawn.max(1) as f64, drawn)
        };
        let weights: Vec<f64> = samples.iter().flat_map(weight).collect();
        let rows = Converter::new(ordering, &keys)?.convert(&keys)?;
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by(|left, right| rows.get(*left).cmp(&rows.get(*right)));
        let chosen = choose(&order, &weights, &rows, partitions);
        let keys = keys.iter().map(|column| Ok(take(column, &chosen, None)?)).collect::<Result<_>>()?;
        Ok(Self { keys })
    }
}

/// Steps through sorted keys and takes one whenever another share of the weight is reached.
fn choose(order: &[usize], weights: &[f64], rows: &[OwnedRow], partitions: usize) -> UInt32Array {
    let step = weights.iter().sum::<f64>() / partitions.max(1) as f64;
    let mut chosen: Vec<usize> = Vec::new();
    let mut seen = 0.0;
    for index in order {
        seen += weights.get(*index).copied().unwrap_or_default();
        let is_new = chosen.last().is_none_or(|last| rows.get(*last) < rows.get(*index));
        if chosen.len() + 1 < partitions && seen >= step * (chosen.len() + 1) as f64 && is_new {
            chosen.push(*index);
        }
    }
    chosen.into_iter().filter_map(|index| u32::try_from(index).ok()).collect()
}

/// Turns keys into bytes that compare as the ordering says.
#[derive(Debug)]
pub(crate) struct Converter(RowConverter);

impl Converter {
    fn new(ordering: &LexOrdering, keys: &[ArrayRef]) -> Result<Self> {
        let types = keys.iter().map(|column| column.data_type().clone());
        Self::with_types(ordering, types)
    }

    fn with_types(ordering: &LexOrdering, types: impl Iterator<Item = DataType>) -> Result<Self> {
        let fields = ordering.iter().zip(types).map(|(sort, kind)| SortField::new_with_options(kind, sort.options));
        Ok(Self(RowConverter::new(fields.collect())?))
    }

    fn convert(&self, keys: &[ArrayRef]) -> Result<Vec<OwnedRow>> {
        Ok(self.0.convert_columns(keys)?.iter().map(|row| row.owned()).collect())
    }
}

/// Finds the range of a row.
#[derive(Debug)]
pub(crate) struct RangeFinder {
    ordering: LexOrdering,
    converter: Option<Converter>,
    bounds: Vec<OwnedRow>,
}

impl RangeFinder {
    pub(crate) fn new(ordering: &LexOrdering, bounds: &Arc<RangeBounds>) -> Result<Self> {
        let ordering = ordering.clone();
        if bounds.keys.is_empty() {
            return Ok(Self { ordering, converter: None, bounds: Vec::new() });
        }
        let converter = Converter::new(&ordering, &bounds.keys)?;
        let bounds = converter.convert(&bounds.keys)?;
        Ok(Self { ordering, converter: Some(converter), bounds })
    }

    pub(crate) fn ranges(&self, batch: &RecordBatch) -> Result<Vec<u32>> {
        let Some(converter) = &self.converter else { return Ok(vec![0; batch.num_rows()]) };
        let rows = converter.0.convert_columns(&key_columns(&self.ordering, batch)?)?;
        let range = |row: arrow::row::Row<'_>| self.bounds.partition_point(|bound| bound.row() < row) as u32;
        Ok(rows.iter().map(range).collect())
    }
}

fn key_columns(ordering: &LexOrdering, batch: &RecordBatch) -> Result<Vec<ArrayRef>> {
    ordering.iter().map(|sort| sort.expr.evaluate(batch)?.into_array(batch.num_rows())).collect()
}
