use std::io::Write;

use datafusion::functions_aggregate::expr_fn::{count, count_distinct, sum};
use datafusion::physical_plan::ExecutionPlanProperties;
use datafusion::prelude::{col, lit};
use firesteel_sources::Format;
use firesteel_spec::{DataType, StructField};

use crate::fixture::{Fixture, schema_text};

async fn check(options: &[(&str, &str)], content: &str, schema: &str, rows: &str) {
    let fixture = Fixture::memory();
    fixture.put("a.csv", content).await;
    let table = fixture.table(Format::Csv, "a.csv", options, None).await.unwrap();
    assert_eq!(schema_text(table.fields()), schema);
    let found = fixture.rows(table).await.unwrap();
    assert_eq!(found.split_once('\n').unwrap().1, rows);
}

#[tokio::test]
async fn inference_and_options() {
    check(&[], "a,b\n1,2\n", "_c0 string, _c1 string", "a|b\n1|2").await;
    check(&[("header", "true")], "a,b\r\n1,2\r\n", "a string, b string", "1|2").await;
    check(
        &[("header", "true"), ("inferSchema", "true")],
        "i,l,d,s,b,t,ts\n1,3000000000,1.5,x,true,2024-01-02,2024-01-02 03:04:05\n",
        "i int, l bigint, d double, s string, b boolean, t date, ts timestamp",
        "1|3000000000|1.5|x|true|2024-01-02|2024-01-02T03:04:05Z",
    )
    .await;
    check(&[("sep", "||"), ("comment", "#")], "#no\na||b c\n", "_c0 string, _c1 string", "a|b c").await;
    check(&[("nullValue", "-"), ("header", "true")], "a,b\n-,x\n", "a string, b string", "|x").await;
    check(
        &[("inferSchema", "true"), ("dateFormat", "dd/MM/yyyy"), ("timestampFormat", "dd.MM.yyyy HH:mm")],
        "02/01/2024,31.12.2023 23:59\n",
        "_c0 date, _c1 timestamp",
        "2024-01-02|2023-12-31T23:59:00Z",
    )
    .await;
}

#[tokio::test]
async fn values_over_several_lines() {
    let fixture = Fixture::memory();
    fixture.put("a.csv", "id,s\n1,\"x\ny\"\n2,z\n").await;
    let options = [("header", "true"), ("multiLine", "true")];
    let table = fixture.table(Format::Csv, "a.csv", &options, None).await.unwrap();
    let found = fixture.query(table, |t| t.select(vec![col("s").eq(lit("x\ny")).alias("is")])).await.unwrap();
    assert_eq!(found, "is\ntrue\nfalse");
}

#[tokio::test]
async fn malformed_records() {
    let schema = || {
        vec![
            StructField::new("a", DataType::Integer, true),
            StructField::new("b", DataType::Integer, true),
            StructField::new("_corrupt_record", DataType::STRING, true),
        ]
    };
    let fixture = Fixture::memory();
    fixture.put("a.csv", "1,2\nx,4\n5\n").await;
    let table = fixture.table(Format::Csv, "a.csv", &[], Some(schema())).await.unwrap();
    assert_eq!(fixture.rows(table).await.unwrap(), "a|b|_corrupt_record\n1|2|\n|4|x,4\n5||5");
    let table = fixture.table(Format::Csv, "a.csv", &[("mode", "DROPMALFORMED")], Some(schema())).await.unwrap();
    assert_eq!(fixture.rows(table).await.unwrap(), "a|b|_corrupt_record\n1|2|");
    let table = fixture.table(Format::Csv, "a.csv", &[("mode", "FAILFAST")], Some(schema())).await.unwrap();
    let error = fixture.rows(table).await.unwrap_err();
    assert_eq!(error.class().name, "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION");
}

#[tokio::test]
async fn splits_give_every_record_once() {
    for line_end in ["\n", "\r\n"] {
        let mut fixture = Fixture::memory();
        fixture.settings.max_partition_bytes = 700;
        fixture.settings.open_cost_bytes = 1;
        let mut text = format!("id,s{line_end}");
        for id in 0..1000 {
            text.push_str(&format!("{id},{}{line_end}", "x".repeat(id % 40)));
        }
        let expected = text.len().div_ceil(700);
        fixture.put("a.csv", text).await;
        let options = [("header", "true"), ("inferSchema", "true")];
        let table = fixture.table(Format::Csv, "a.csv", &options, None).await.unwrap();
        let context = fixture.context();
        let table = std::sync::Arc::new(table);
        let state = context.state();
        let plan = datafusion::catalog::TableProvider::scan(table.as_ref(), &state, None, &[], None);
        let plan = plan.await.unwrap();
        assert_eq!(plan.output_partitioning().partition_count(), expected);
        let frame = context.read_table(table).unwrap();
        let frame = frame.aggregate(
            vec![],
            vec![sum(col("id")).alias("s"), count_distinct(col("id")).alias("d"), count(col("s")).alias("n")],
        );
        let found = crate::fixture::table_text(&frame.unwrap().collect().await.unwrap());
        assert_eq!(found, "s|d|n\n499500|1000|975");
    }
}

#[tokio::test]
async fn compressed_and_encoded() {
    let fixture = Fixture::memory();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(b"a,b\n1,2\n").unwrap();
    fixture.put("a.csv.gz", gzip.finish().unwrap()).await;
    let table = fixture.table(Format::Csv, "a.csv.gz", &[("header", "true")], None).await.unwrap();
    assert_eq!(fixture.rows(table).await.unwrap(), "a|b\n1|2");
    fixture.put("latin.csv", b"\xe9,2\n".to_vec()).await;
    let table = fixture.table(Format::Csv, "latin.csv", &[("encoding", "ISO-8859-1")], None).await.unwrap();
    assert_eq!(fixture.rows(table).await.unwrap(), "_c0|_c1\n\u{e9}|2");
    let utf16: Vec<u8> = "a,b\n1,2\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    fixture.put("wide.csv", utf16).await;
    let options = [("encoding", "UTF-16LE"), ("header", "true")];
    let table = fixture.table(Format::Csv, "wide.csv", &options, None).await.unwrap();
    assert_eq!(fixture.rows(table).await.unwrap(), "a|b\n1|2");
}
