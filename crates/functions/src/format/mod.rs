//! Rows as text: what `DataFrame.show` prints and what notebooks display.
//!
//! ```text
//!   batches --display--> cells (escaped, cut) --table / records / html--> text
//! ```

mod cells;

use arrow::array::{Array, ArrayRef, RecordBatch, StringArray};
use firesteel_model::Result;
use firesteel_spec::{DataType, StructField};

use crate::cast::{TextStyle, write_array};
use crate::datetime::Zone;

/// How rows are shown.
#[derive(Clone, Debug)]
pub struct ShowOptions {
    /// Most rows; more in the batches give the footer.
    pub rows: usize,
    /// Most characters of a cell; 0 for all, which also aligns to the left.
    pub truncate: usize,
    /// One line per value instead of one per row.
    pub vertical: bool,
    /// The session's time zone.
    pub time_zone: String,
}

/// The values as `show` writes them; nulls are `NULL`.
pub fn display(array: &ArrayRef, data_type: &DataType, time_zone: &str) -> Result<StringArray> {
    let style = TextStyle { null: "NULL", hex_bytes: true, plain_decimals: true, zone: Zone::parse(time_zone)? };
    let texts = write_array(array, data_type, &style)?;
    if texts.null_count() == 0 {
        return Ok(texts);
    }
    Ok(texts.iter().map(|text| Some(text.unwrap_or("NULL"))).collect())
}

/// What `DataFrame.show` prints. Give one row more than asked for where there are more.
pub fn show_string(batches: &[RecordBatch], fields: &[StructField], options: &ShowOptions) -> Result<String> {
    let table = cells::Table::new(batches, fields, options)?;
    let mut text = if options.vertical { table.records() } else { table.grid(options.truncate > 0) };
    if options.vertical && table.rows.is_empty() {
        text.push_str("(0 rows)\n");
    } else {
        text.push_str(&table.footer());
    }
    Ok(text)
}

/// What notebooks display.
pub fn html_string(batches: &[RecordBatch], fields: &[StructField], options: &ShowOptions) -> Result<String> {
    let table = cells::Table::new(batches, fields, options)?;
    Ok(format!("{}{}", table.html(), table.footer()))
}
