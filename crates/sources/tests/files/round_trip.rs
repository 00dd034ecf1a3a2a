use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, ListArray,
    RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::Int32Type;
use datafusion::prelude::{col, lit};
use firesteel_sources::{Format, WriteMode};
use firesteel_spec::types_arrow::from_arrow_fields;

use crate::fixture::Fixture;

fn simple() -> Vec<(&'static str, ArrayRef)> {
    let instant = TimestampMicrosecondArray::from(vec![Some(1_704_164_645_123_000), None]).with_timezone("UTC");
    vec![
        ("i", Arc::new(Int32Array::from(vec![Some(1), None])) as ArrayRef),
        ("l", Arc::new(Int64Array::from(vec![i64::MAX, i64::MIN]))),
        ("d", Arc::new(Float64Array::from(vec![Some(1.5), None]))),
        ("s", Arc::new(StringArray::from(vec![Some("a \"q\",\n \\x"), None]))),
        ("b", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        ("t", Arc::new(Date32Array::from(vec![Some(19_724), None]))),
        ("ts", Arc::new(instant)),
    ]
}

fn rich() -> Vec<(&'static str, ArrayRef)> {
    let decimals = Decimal128Array::from(vec![Some(12_345), None]).with_precision_and_scale(10, 2).unwrap();
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(1), None]), None]);
    let mut columns = simple();
    columns.push(("dec", Arc::new(decimals)));
    columns.push(("list", Arc::new(lists)));
    columns
}

/// Writes rows, reads them with their schema, and compares.
async fn check(fixture: &Fixture, format: Format, options: &[(&str, &str)], columns: Vec<(&'static str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true))).unwrap();
    let mut request = fixture.request(format, "out", WriteMode::Overwrite { dynamic: false });
    request.options = options.iter().copied().collect();
    let fields = from_arrow_fields(batch.schema().fields()).unwrap();
    fixture.write(request, vec![vec![batch.clone()]]).await.unwrap();
    let table = fixture.table(format, "out", options, Some(fields)).await.unwrap();
    let found = fixture.rows(table).await.unwrap();
    assert_eq!(found, crate::fixture::table_text(&[batch]), "{format:?} {options:?}");
}

#[tokio::test]
async fn every_format() {
    for fixture in [Fixture::local(), Fixture::memory()] {
        check(&fixture, Format::Csv, &[("header", "true"), ("multiLine", "true")], simple()).await;
        check(&fixture, Format::Csv, &[("sep", "\t"), ("compression", "gzip"), ("multiLine", "true")], simple()).await;
        check(&fixture, Format::Json, &[], rich()).await;
        check(&fixture, Format::Json, &[("compression", "zstd")], rich()).await;
        for codec in ["snappy", "gzip", "zstd", "lz4_raw", "none"] {
            check(&fixture, Format::Parquet, &[("compression", codec)], rich()).await;
        }
        for codec in ["zstd", "zlib", "snappy", "lz4", "none"] {
            check(&fixture, Format::Orc, &[("compression", codec)], rich()).await;
        }
        check(&fixture, Format::Avro, &[], rich()).await;
    }
}

#[tokio::test]
async fn text_and_binary_files() {
    let fixture = Fixture::local();
    let lines: ArrayRef = Arc::new(StringArray::from(vec!["one", "two"]));
    check(&fixture, Format::Text, &[], vec![("value", lines)]).await;
    let table = fixture.table(Format::Text, "out", &[("wholetext", "true")], None).await.unwrap();
    let found = fixture.query(table, |t| t.select(vec![col("value").eq(lit("one\ntwo\n")).alias("is")])).await.unwrap();
    assert_eq!(found, "is\ntrue");
    fixture.put("b/x.bin", vec![1, 2, 3]).await;
    let table = fixture.table(Format::BinaryFile, "b", &[], None).await.unwrap();
    let found = fixture.query(table, |t| t.select_columns(&["length", "content", "path"])).await.unwrap();
    assert_eq!(found, format!("length|content|path\n3|010203|file:{}/b/x.bin", fixture.root));
    let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![b"x".as_slice()]));
    let batch = RecordBatch::try_from_iter([("value", bytes)]).unwrap();
    let request = fixture.request(Format::Text, "c", WriteMode::Append);
    let error = fixture.write(request, vec![vec![batch]]).await.unwrap_err();
    assert_eq!(error.class().name, "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE");
}
