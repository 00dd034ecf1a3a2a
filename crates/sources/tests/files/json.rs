use firesteel_sources::Format;
use firesteel_spec::{DataType, StructField};

use crate::fixture::{Fixture, schema_text};

async fn check(options: &[(&str, &str)], content: &str, schema: &str, rows: &str) {
    let fixture = Fixture::memory();
    fixture.put("a.json", content).await;
    let table = fixture.table(Format::Json, "a.json", options, None).await.unwrap();
    assert_eq!(schema_text(table.fields()), schema);
    let found = fixture.rows(table).await.unwrap();
    assert_eq!(found.split_once('\n').unwrap().1, rows);
}

#[tokio::test]
async fn inference_and_options() {
    check(&[], "{\"b\":1,\"a\":\"x\"}\n{\"b\":2.5}\n", "a string, b double", "x|1.0\n|2.5").await;
    check(
        &[],
        "{\"s\":{\"y\":true,\"x\":[1,2]},\"n\":null}\n{\"s\":{\"z\":\"q\"}}\n",
        "n string, s struct<x:array<bigint>,y:boolean,z:string>",
        "|{x: [1, 2], y: true, z: }\n|{x: , y: , z: q}",
    )
    .await;
    check(&[("primitivesAsString", "true")], "{\"a\":1.50}\n", "a string", "1.50").await;
    check(&[("prefersDecimal", "true")], "{\"a\":1.50}\n", "a decimal(3,2)", "1.50").await;
    check(&[("dropFieldIfAllNull", "true")], "{\"a\":null,\"b\":1}\n", "b bigint", "1").await;
    check(&[("multiLine", "true")], "[\n{\"a\":1},\n{\"a\":2}]", "a bigint", "1\n2").await;
    check(&[("allowComments", "true"), ("allowUnquotedFieldNames", "true")], "{/*c*/a:'x'}\n", "a string", "x").await;
    check(&[], "{\"a\":1}\n{bad\n", "_corrupt_record string, a bigint", "|1\n{bad|").await;
}

#[tokio::test]
async fn values_that_do_not_fit() {
    let fixture = Fixture::memory();
    fixture.put("a.json", "{\"a\":\"x\",\"b\":2}\n{\"a\":3,\"b\":4}\n").await;
    let schema = vec![
        StructField::new("a", DataType::Integer, true),
        StructField::new("b", DataType::Integer, true),
        StructField::new("_corrupt_record", DataType::STRING, true),
    ];
    let table = fixture.table(Format::Json, "a.json", &[], Some(schema.clone())).await.unwrap();
    let expected = "a|b|_corrupt_record\n|2|{\"a\":\"x\",\"b\":2}\n3|4|";
    assert_eq!(fixture.rows(table).await.unwrap(), expected);
    let table = fixture.table(Format::Json, "a.json", &[("mode", "DROPMALFORMED")], Some(schema.clone())).await;
    assert_eq!(fixture.rows(table.unwrap()).await.unwrap(), "a|b|_corrupt_record\n3|4|");
    let table = fixture.table(Format::Json, "a.json", &[("mode", "FAILFAST")], Some(schema)).await.unwrap();
    let error = fixture.rows(table).await.unwrap_err();
    assert_eq!(error.class().name, "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION");
}

#[tokio::test]
async fn strings_keep_nested_text() {
    let fixture = Fixture::memory();
    fixture.put("a.json", "{\"a\":{\"x\": 1}}\n{\"a\":1.0}\n").await;
    let schema = vec![StructField::new("a", DataType::STRING, true)];
    let table = fixture.table(Format::Json, "a.json", &[], Some(schema)).await.unwrap();
    assert_eq!(fixture.rows(table).await.unwrap(), "a\n{\"x\": 1}\n1.0");
}
