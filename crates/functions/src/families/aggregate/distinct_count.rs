//! `approx_count_distinct`: HyperLogLog, exact while a group has few values.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Int64Array};
use arrow::datatypes::DataType as Arrow;
use arrow::row::{RowConverter, SortField};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use firesteel_model::{Result, SparkError};
use firesteel_spec::types_arrow::to_arrow;

use super::udaf::{Groups, Kind};
use crate::errors::from_arrow;
use crate::families::hashing::xxhash64;
use crate::udf::KernelContext;

/// The kinds of this module.
pub(crate) static KINDS: &[Kind] =
    &[Kind { name: "approx_count_distinct", state: |_| vec![Arrow::Binary], groups: sketches }];

const INDEX_BITS: u32 = 14;
const REGISTERS: usize = 1 << INDEX_BITS;
/// Hashes kept as they are before the registers are made.
const EXACT_MAX: usize = 1024;

enum Sketch {
    Exact(HashSet<u64>),
    Registers(Box<[u8]>),
}

struct Sketches {
    data_type: Arrow,
    converter: RowConverter,
    sketches: Vec<Sketch>,
}

fn sketches(context: &KernelContext) -> Result<Box<dyn Groups>> {
    let data_type = context.arguments.first().map(to_arrow);
    let data_type = data_type.ok_or_else(|| SparkError::internal("an aggregate lacks its argument"))?;
    let converter = RowConverter::new(vec![SortField::new(data_type.clone())]).map_err(from_arrow)?;
    Ok(Box::new(Sketches { data_type, converter, sketches: Vec::new() }))
}

impl Sketch {
    fn insert(&mut self, hash: u64) {
        match self {
            Self::Registers(registers) => set_register(registers, hash),
            Self::Exact(hashes) => {
                hashes.insert(hash);
                if hashes.len() > EXACT_MAX {
                    let mut registers = vec![0; REGISTERS].into_boxed_slice();
                    hashes.iter().for_each(|hash| set_register(&mut registers, *hash));
                    *self = Self::Registers(registers);
                }
            }
        }
    }

    fn merge(&mut self, bytes: &[u8]) {
        if bytes.len() != REGISTERS {
            bytes.chunks_exact(8).filter_map(|b| b.try_into().ok()).for_each(|b| self.insert(u64::from_le_bytes(b)));
            return;
        }
        let mut merged = bytes.to_vec().into_boxed_slice();
        match self {
            Self::Exact(hashes) => hashes.iter().for_each(|hash| set_register(&mut merged, *hash)),
            Self::Registers(mine) => merged.iter_mut().zip(mine.iter()).for_each(|(a, b)| *a = (*a).max(*b)),
        }
        *self = Self::Registers(merged);
    }

    fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Exact(hashes) => hashes.iter().flat_map(|hash| hash.to_le_bytes()).collect(),
            Self::Registers(registers) => registers.to_vec(),
        }
    }

    fn estimate(&self) -> i64 {
        let registers = match self {
            Self::Exact(hashes) => return hashes.len() as i64,
            Self::Registers(registers) => registers,
        };
        let m = REGISTERS as f64;
        let sum: f64 = registers.iter().map(|register| 2_f64.powi(-i32::from(*register))).sum();
        let raw = 0.7213 / (1.0 + 1.079 / m) * m * m / sum;
        let zeros = registers.iter().filter(|register| **register == 0).count();
        let estimate = if raw <= 2.5 * m && zeros > 0 { m * (m / zeros as f64).ln() } else { raw };
        estimate.round() as i64
    }
}

fn set_register(registers: &mut [u8], hash: u64) {
    let index = (hash >> (64 - INDEX_BITS)) as usize;
    let rank = ((hash << INDEX_BITS) | (1 << (INDEX_BITS - 1))).leading_zeros() as u8 + 1;
    registers[index] = registers[index].max(rank);
}

impl Sketches {
    fn grow(&mut self, total: usize) {
        if self.sketches.len() < total {
            self.sketches.resize_with(total, || Sketch::Exact(HashSet::new()));
        }
    }
}

impl GroupsAccumulator for Sketches {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> DataFusionResult<()> {
        self.grow(total_num_groups);
        let Some(column) = values.first() else { return Ok(()) };
        let rows = self.converter.convert_columns(std::slice::from_ref(column))?;
        let nulls = column.logical_nulls();
        for (row, group) in group_indices.iter().enumerate() {
            let kept = opt_filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
            if kept && nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
                self.sketches[*group].insert(xxhash64(rows.row(row).as_ref(), 42));
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> DataFusionResult<ArrayRef> {
        let sketches = emit_to.take_needed(&mut self.sketches);
        Ok(Arc::new(Int64Array::from_iter_values(sketches.iter().map(Sketch::estimate))))
    }

    fn state(&mut self, emit_to: EmitTo) -> DataFusionResult<Vec<ArrayRef>> {
        let sketches = emit_to.take_needed(&mut self.sketches);
        Ok(vec![Arc::new(BinaryArray::from_iter_values(sketches.iter().map(Sketch::to_bytes)))])
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total: usize) -> DataFusionResult<()> {
        self.grow(total);
        let Some(states) = values.first() else { return Ok(()) };
        let states = states.as_binary::<i32>();
        for (row, group) in group_indices.iter().enumerate().filter(|(row, _)| states.is_valid(*row)) {
            self.sketches[*group].merge(states.value(row));
        }
        Ok(())
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> DataFusionResult<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |array| array.len());
        let converter = RowConverter::new(vec![SortField::new(self.data_type.clone())])?;
        let mut each = Self { data_type: self.data_type.clone(), converter, sketches: Vec::new() };
        each.update_batch(values, &(0..rows).collect::<Vec<_>>(), opt_filter, rows)?;
        each.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        let of = |sketch: &Sketch| match sketch {
            Sketch::Exact(hashes) => hashes.capacity() * 16,
            Sketch::Registers(_) => REGISTERS,
        };
        self.sketches.iter().map(of).sum()
    }
}
