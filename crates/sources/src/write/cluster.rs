//! Rows by the file that they belong to.

use std::collections::HashMap;

use arrow::array::{Array, AsArray, RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{Int32Type, Schema, SchemaRef};
use firesteel_model::{Result, SparkError, error_class};

use super::spec::WriteJobSpec;
use crate::error::from_arrow;
use crate::formats::same_name;
use crate::listing::directory_name;
use crate::text::print::Printer;

/// The directory and the bucket of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) directory: String,
    pub(super) bucket: Option<i32>,
}

/// Which columns are data, and which tell where rows go.
pub(super) struct Clusterer {
    data: Vec<usize>,
    partitions: Vec<usize>,
    names: Vec<String>,
    bucket: Option<usize>,
    printer: Printer,
    /// The columns in files.
    pub(super) schema: SchemaRef,
}

impl Clusterer {
    /// Finds the columns.
    ///
    /// Errors: `ALL_PARTITION_COLUMNS_NOT_ALLOWED`, and an internal error for a column that is not there.
    pub(super) fn new(spec: &WriteJobSpec, schema: &Schema) -> Result<Self> {
        let find = |name: &String| {
            let same = |field: &arrow::datatypes::FieldRef| same_name(field.name(), name, spec.settings.case_sensitive);
            let found = schema.fields().iter().position(same);
            found.ok_or_else(|| SparkError::internal(format!("no column {name} to write by")))
        };
        let partitions = spec.partition_by.iter().map(find).collect::<Result<Vec<_>>>()?;
        let bucket = spec.bucket_column.as_ref().map(find).transpose()?;
        let data: Vec<usize> =
            (0..schema.fields().len()).filter(|i| !partitions.contains(i) && Some(*i) != bucket).collect();
        if data.is_empty() && !partitions.is_empty() {
            return Err(SparkError::new(&error_class::ALL_PARTITION_COLUMNS_NOT_ALLOWED));
        }
        Ok(Self {
            schema: std::sync::Arc::new(schema.project(&data).map_err(from_arrow)?),
            names: partitions.iter().map(|&index| schema.field(index).name().clone()).collect(),
            data,
            partitions,
            bucket,
            printer: Printer::for_directories(&spec.settings)?,
        })
    }

    /// Whether all rows go into one directory.
    pub(super) fn is_flat(&self) -> bool {
        self.partitions.is_empty() && self.bucket.is_none()
    }

    /// The data columns of a batch, by file, in the order in which the files first appear.
    pub(super) fn cluster(&self, batch: &RecordBatch) -> Result<Vec<(Key, RecordBatch)>> {
        let data = batch.project(&self.data).map_err(from_arrow)?;
        if self.is_flat() {
            return Ok(vec![(Key::default(), data)]);
        }
        let mut rows: HashMap<Key, Vec<u32>> = HashMap::new();
        let mut order = Vec::new();
        for (row, index) in (0..batch.num_rows()).zip(0_u32..) {
            let key = self.key(batch, row)?;
            match rows.get_mut(&key) {
                Some(indices) => indices.push(index),
                None => {
                    order.push(key.clone());
                    rows.insert(key, vec![index]);
                }
            }
        }
        if order.len() == 1 {
            return Ok(order.into_iter().map(|key| (key, data.clone())).collect());
        }
        let part = |key: Key| {
            let indices = UInt32Array::from(rows.remove(&key).unwrap_or_default());
            Ok((key, take_record_batch(&data, &indices).map_err(from_arrow)?))
        };
        order.into_iter().map(part).collect()
    }

    fn key(&self, batch: &RecordBatch, row: usize) -> Result<Key> {
        let mut directory = String::new();
        for (&column, name) in self.partitions.iter().zip(&self.names) {
            let value = self.printer.print(batch.column(column), row)?;
            if !directory.is_empty() {
                directory.push('/');
            }
            directory.push_str(&directory_name(name, value.as_deref()));
        }
        let bucket = self.bucket.map(|column| {
            let column = batch.column(column);
            let numbers = column.as_primitive_opt::<Int32Type>().filter(|numbers| numbers.is_valid(row));
            numbers.map(|numbers| numbers.value(row)).ok_or_else(|| SparkError::internal("a row without a bucket"))
        });
        Ok(Key { directory, bucket: bucket.transpose()? })
    }
}
