use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryViewArray, DurationMicrosecondArray, Int32Array, Int64Array, LargeStringArray, RecordBatch,
    StringArray, StringViewArray, TimestampNanosecondArray,
};
use datafusion::prelude::{col, lit};
use firesteel_sources::Format;
use firesteel_spec::{DataType, StructField};
use parquet::arrow::ArrowWriter;

use crate::fixture::{Fixture, schema_text};

fn file(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

fn ints(values: Vec<i32>) -> ArrayRef {
    Arc::new(Int32Array::from(values))
}

#[tokio::test]
async fn columns_by_name_in_any_case() {
    let fixture = Fixture::memory();
    let text: ArrayRef = Arc::new(StringArray::from(vec!["x", "y"]));
    fixture.put("a.parquet", file(vec![("Id", ints(vec![1, 2])), ("s", text)])).await;
    let schema = vec![
        StructField::new("S", DataType::STRING, true),
        StructField::new("missing", DataType::Double, true),
        StructField::new("id", DataType::Long, true),
    ];
    let table = fixture.table(Format::Parquet, "a.parquet", &[], Some(schema.clone())).await.unwrap();
    assert_eq!(fixture.rows(table).await.unwrap(), "S|missing|id\nx||1\ny||2");
    let table = fixture.table(Format::Parquet, "a.parquet", &[], Some(schema)).await.unwrap();
    let filtered = fixture.query(table, |t| t.filter(col("id").gt(lit(1_i64)))).await;
    assert_eq!(filtered.unwrap(), "S|missing|id\ny||2");
    let wrong = vec![StructField::new("s", DataType::Integer, true)];
    let table = fixture.table(Format::Parquet, "a.parquet", &[], Some(wrong)).await.unwrap();
    let error = fixture.rows(table).await.unwrap_err();
    assert_eq!(error.class().name, "FAILED_READ_FILE.PARQUET_COLUMN_DATA_TYPE_MISMATCH");
}

#[tokio::test]
async fn schemas_merge() {
    let fixture = Fixture::memory();
    fixture.put("t/a.parquet", file(vec![("a", ints(vec![1]))])).await;
    fixture.put("t/b.parquet", file(vec![("a", ints(vec![2])), ("b", ints(vec![3]))])).await;
    let table = fixture.table(Format::Parquet, "t", &[("mergeSchema", "true")], None).await.unwrap();
    assert_eq!(schema_text(table.fields()), "a int, b int");
    assert_eq!(fixture.sorted(table, "a").await.unwrap(), "a|b\n1|\n2|3");
    let long: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    fixture.put("t/c.parquet", file(vec![("a", long)])).await;
    let error = fixture.table(Format::Parquet, "t", &[("mergeSchema", "true")], None).await.unwrap_err();
    assert_eq!(error.class().name, "CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE");
}

#[tokio::test]
async fn timestamps_are_microseconds() {
    let fixture = Fixture::memory();
    let local = TimestampNanosecondArray::from(vec![1_500_000_000_123_456_789]);
    let instant = local.clone().with_timezone("UTC");
    fixture.put("a.parquet", file(vec![("n", Arc::new(local)), ("t", Arc::new(instant))])).await;
    let table = fixture.table(Format::Parquet, "a.parquet", &[], None).await.unwrap();
    assert_eq!(schema_text(table.fields()), "n timestamp_ntz, t timestamp");
    let expected = "n|t\n2017-07-14T02:40:00.123456|2017-07-14T02:40:00.123456Z";
    assert_eq!(fixture.rows(table).await.unwrap(), expected);
}

#[tokio::test]
async fn strings_in_whatever_form_they_were_written() {
    let fixture = Fixture::memory();
    let words = vec![Some("x"), None, Some("a longer one than a view holds itself")];
    let views: ArrayRef = Arc::new(StringViewArray::from(words.clone()));
    let large: ArrayRef = Arc::new(LargeStringArray::from(words.clone()));
    let bytes: ArrayRef =
        Arc::new(BinaryViewArray::from(words.iter().map(|w| w.map(str::as_bytes)).collect::<Vec<_>>()));
    let numbers = ints(vec![1, 2, 3]);
    fixture
        .put("a.parquet", file(vec![("v", views.clone()), ("l", large), ("b", bytes), ("n", numbers.clone())]))
        .await;
    let table = fixture.table(Format::Parquet, "a.parquet", &[], None).await.unwrap();
    assert_eq!(schema_text(table.fields()), "v string, l string, b binary, n int");
    let filtered = fixture.query(table, |t| t.filter(col("v").gt(lit("b")))).await.unwrap();
    assert_eq!(filtered, "v|l|b|n\nx|x|78|1");
    // With another type among them whose form only the writer's note tells, it is heeded.
    let spans: ArrayRef = Arc::new(DurationMicrosecondArray::from(vec![1_500_000, 2, 3]));
    fixture.put("b.parquet", file(vec![("v", views), ("d", spans)])).await;
    let table = fixture.table(Format::Parquet, "b.parquet", &[], None).await.unwrap();
    assert_eq!(schema_text(table.fields()), "v string, d interval day to second");
    assert!(fixture.rows(table).await.unwrap().starts_with("v|d\nx|PT1.5S"));
}

#[tokio::test]
async fn broken_files() {
    let fixture = Fixture::memory();
    fixture.put("t/a.parquet", "this is no parquet file").await;
    let error = fixture.table(Format::Parquet, "t", &[], None).await.unwrap_err();
    assert_eq!(error.class().name, "FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER");
}
