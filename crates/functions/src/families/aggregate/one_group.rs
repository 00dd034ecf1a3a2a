//! Accumulators of one group, made from accumulators of many.

use std::collections::VecDeque;
use std::fmt;

use arrow::array::{Array, ArrayRef};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::{Accumulator, EmitTo};

use super::udaf::Groups;

/// Without GROUP BY, and for windows that only grow.
pub(crate) struct OneGroup {
    groups: Box<dyn Groups>,
    zeros: Vec<usize>,
}

impl OneGroup {
    pub(crate) fn new(groups: Box<dyn Groups>) -> Self {
        Self { groups, zeros: Vec::new() }
    }

    fn make_indices(&mut self, rows: usize) {
        if self.zeros.len() < rows {
            self.zeros.resize(rows, 0);
        }
    }

    /// The state, which stays where it is.
    fn peek(&mut self) -> Result<Vec<ArrayRef>> {
        // Lets the group exist before its first row.
        self.groups.merge_batch(&[], &[], 1)?;
        let state = self.groups.state(EmitTo::All)?;
        self.groups.merge_batch(&state, &[0], 1)?;
        Ok(state)
    }
}

impl fmt::Debug for OneGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneGroup")
    }
}

impl Accumulator for OneGroup {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let rows = values.first().map_or(0, |array| array.len());
        self.make_indices(rows);
        self.groups.update_batch(values, &self.zeros[..rows], None, 1)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let state = self.peek()?;
        let value = self.groups.evaluate(EmitTo::All)?;
        self.groups.merge_batch(&state, &[0], 1)?;
        ScalarValue::try_from_array(&value, 0)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.groups.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.peek()?.iter().map(|array| ScalarValue::try_from_array(array, 0)).collect()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let rows = states.first().map_or(0, |array| array.len());
        self.make_indices(rows);
        self.groups.merge_batch(states, &self.zeros[..rows], 1)
    }
}

type NewGroups = Box<dyn Fn() -> Result<Box<dyn Groups>> + Send + Sync>;

/// For windows that drop rows: keeps the rows of the frame and aggregates them anew.
pub(crate) struct Sliding {
    new_groups: NewGroups,
    chunks: VecDeque<Vec<ArrayRef>>,
}

impl Sliding {
    pub(crate) fn new(new_groups: NewGroups) -> Self {
        Self { new_groups, chunks: VecDeque::new() }
    }

    fn aggregated(&self) -> Result<OneGroup> {
        let mut group = OneGroup::new((self.new_groups)()?);
        for chunk in &self.chunks {
            group.update_batch(chunk)?;
        }
        Ok(group)
    }
}

impl fmt::Debug for Sliding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sliding")
    }
}

impl Accumulator for Sliding {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        if values.first().is_some_and(|array| !array.is_empty()) {
            self.chunks.push_back(values.to_vec());
        }
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let mut drop = values.first().map_or(0, |array| array.len());
        while drop > 0 {
            let Some(front) = self.chunks.front_mut() else { return Ok(()) };
            let rows = front.first().map_or(0, |array| array.len());
            if rows <= drop {
                self.chunks.pop_front();
            } else {
                front.iter_mut().for_each(|array| *array = array.slice(drop, rows - drop));
            }
            drop -= rows.min(drop);
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.aggregated()?.evaluate()
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.chunks.iter().flatten().map(|array| array.get_array_memory_size()).sum::<usize>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.aggregated()?.state()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        datafusion::common::not_impl_err!("a sliding window merges no states ({} columns)", states.len())
    }
}
