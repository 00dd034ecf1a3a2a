//! Groups of rows in a stream that is sorted by their keys.

use std::collections::VecDeque;

use arrow::array::ArrayRef;
use arrow::compute::{concat_batches, partition};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use arrow::row::{OwnedRow, RowConverter, SortField};
use datafusion::common::Result;
use futures::stream::{BoxStream, StreamExt};

/// As many rows as travel together at most, unless a single group has more: enough for what each trip costs to be little.
const ROWS_TOGETHER_MAX: usize = 10_000;
/// Their bytes at most.
const BYTES_TOGETHER_MAX: usize = 4 << 20;

/// Rows with equal keys, in one or several pieces.
#[derive(Debug)]
pub(crate) struct Group {
    /// The keys in a form that compares as they are sorted; none where everything is one group.
    pub(crate) key: Option<OwnedRow>,
    /// The rows.
    pub(crate) batches: Vec<RecordBatch>,
}

impl Group {
    fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// What its rows take, of the memory of batches that others share.
    fn bytes(&self) -> Result<usize> {
        let columns = self.batches.iter().flat_map(RecordBatch::columns);
        Ok(columns.map(|column| column.to_data().get_slice_memory_size()).sum::<Result<usize, _>>()?)
    }
}

/// Groups that travel together, as workers get them.
#[derive(Debug, Default)]
pub(crate) struct Bundle {
    /// The rows of each.
    lengths: Vec<usize>,
    /// All their rows.
    batches: Vec<RecordBatch>,
    bytes: usize,
}

impl Bundle {
    pub(crate) fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    pub(crate) fn has_room_for(&self, group: &Group) -> Result<bool> {
        let rows: usize = self.lengths.iter().sum();
        Ok(rows + group.rows() <= ROWS_TOGETHER_MAX && self.bytes + group.bytes()? <= BYTES_TOGETHER_MAX)
    }

    pub(crate) fn add(&mut self, group: Group) -> Result<()> {
        self.lengths.push(group.rows());
        self.bytes += group.bytes()?;
        self.batches.extend(group.batches);
        Ok(())
    }

    /// Several groups in one batch; a single one may be larger than a batch can be.
    pub(crate) fn joined(self, schema: &SchemaRef) -> Result<(Vec<usize>, Vec<RecordBatch>)> {
        match self.lengths.len() {
            0 | 1 => Ok((self.lengths, self.batches)),
            _ => Ok((self.lengths, vec![concat_batches(schema, &self.batches)?])),
        }
    }
}

/// Cuts a sorted stream at every change of its keys.
#[derive(Debug)]
pub(crate) struct Grouper {
    keys: Vec<usize>,
    converter: RowConverter,
    current: Option<Group>,
    ready: VecDeque<Group>,
}

impl Grouper {
    /// Groups by columns, by place; without any everything is one group.
    pub(crate) fn try_new(schema: &SchemaRef, keys: &[usize]) -> Result<Self> {
        let fields = keys.iter().map(|key| SortField::new(schema.field(*key).data_type().clone())).collect();
        let converter = RowConverter::new(fields)?;
        Ok(Self { keys: keys.to_vec(), converter, current: None, ready: VecDeque::new() })
    }

    /// The next group of a stream.
    pub(crate) async fn next(&mut self, rows: &mut BoxStream<'static, Result<RecordBatch>>) -> Result<Option<Group>> {
        loop {
            if let Some(group) = self.ready.pop_front() {
                return Ok(Some(group));
            }
            match rows.next().await {
                Some(batch) => self.push(&batch?)?,
                None => return Ok(self.current.take()),
            }
        }
    }

    fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let columns: Vec<ArrayRef> = self.keys.iter().map(|key| batch.column(*key).clone()).collect();
        if columns.is_empty() {
            self.add(None, batch.clone());
            return Ok(());
        }
        for range in partition(&columns)?.ranges() {
            let key = self.key(&columns, range.start)?;
            self.add(Some(key), batch.slice(range.start, range.len()));
        }
        Ok(())
    }

    fn add(&mut self, key: Option<OwnedRow>, piece: RecordBatch) {
        match &mut self.current {
            Some(current) if current.key == key => current.batches.push(piece),
            _ => self.ready.extend(self.current.replace(Group { key, batches: vec![piece] })),
        }
    }

    fn key(&self, columns: &[ArrayRef], row: usize) -> Result<OwnedRow> {
        let first: Vec<ArrayRef> = columns.iter().map(|column| column.slice(row, 1)).collect();
        Ok(self.converter.convert_columns(&first)?.row(0).owned())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int32Array, StringArray};
    use arrow::datatypes::{DataType, Field, Schema};

    use super::*;

    fn batch(keys: Vec<Option<i32>>, names: Vec<&str>) -> RecordBatch {
        let fields = vec![Field::new("k", DataType::Int32, true), Field::new("n", DataType::Utf8, true)];
        let columns: Vec<ArrayRef> = vec![Arc::new(Int32Array::from(keys)), Arc::new(StringArray::from(names))];
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
    }

    async fn sizes(batches: Vec<RecordBatch>, keys: &[usize]) -> Vec<usize> {
        let mut grouper = Grouper::try_new(&batches[0].schema(), keys).unwrap();
        let mut rows = futures::stream::iter(batches.into_iter().map(Ok)).boxed();
        let mut sizes = Vec::new();
        while let Some(group) = grouper.next(&mut rows).await.unwrap() {
            sizes.push(group.batches.iter().map(RecordBatch::num_rows).sum());
        }
        sizes
    }

    #[tokio::test]
    async fn groups_go_on_from_batch_to_batch() {
        let first = batch(vec![None, None, Some(1)], vec!["a", "b", "c"]);
        let second = batch(vec![Some(1), Some(1), Some(2)], vec!["d", "e", "f"]);
        assert_eq!(sizes(vec![first.clone(), second.clone()], &[0]).await, [2, 3, 1]);
        assert_eq!(sizes(vec![first.clone(), second.clone()], &[]).await, [6]);
        assert_eq!(sizes(vec![first.slice(0, 0), second], &[1]).await, [1, 1, 1]);
    }

    #[test]
    fn groups_travel_together_while_there_is_room() {
        let group =
            |rows: usize, name: &str| Group { key: None, batches: vec![batch(vec![Some(1); rows], vec![name; rows])] };
        let mut bundle = Bundle::default();
        bundle.add(group(ROWS_TOGETHER_MAX - 1, "a")).unwrap();
        assert!(!bundle.has_room_for(&group(2, "b")).unwrap());
        assert!(bundle.has_room_for(&group(1, "b")).unwrap());
        bundle.add(group(1, "b")).unwrap();
        let (lengths, batches) = bundle.joined(&batch(vec![], vec![]).schema()).unwrap();
        assert_eq!((lengths, batches.len()), (vec![ROWS_TOGETHER_MAX - 1, 1], 1));
        assert_eq!(batches[0].num_rows(), ROWS_TOGETHER_MAX);

        let mut bundle = Bundle::default();
        bundle.add(group(1, &"x".repeat(BYTES_TOGETHER_MAX))).unwrap();
        assert!(!bundle.has_room_for(&group(1, "a")).unwrap());
    }
}
