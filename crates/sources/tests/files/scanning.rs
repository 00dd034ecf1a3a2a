use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::physical_plan::collect;
use datafusion::prelude::{col, lit};
use firesteel_engine::codec::PlanCodec;
use firesteel_sources::{Format, WriteMode};
use firesteel_spec::{DataType, StructField};

use crate::fixture::{Fixture, schema_text, table_text};

#[tokio::test]
async fn rows_are_counted_without_columns() {
    let fixture = Fixture::memory();
    fixture.put("in.csv", "1,a\n2,b\n3,c\n").await;
    for format in [Format::Csv, Format::Json, Format::Parquet, Format::Orc, Format::Avro] {
        let input = fixture.table(Format::Csv, "in.csv", &[], None).await.unwrap();
        let rows = fixture.context().read_table(Arc::new(input)).unwrap();
        let rows = rows.drop_columns(&["_metadata"]).unwrap().collect().await.unwrap();
        let below = format.name();
        fixture.write(fixture.request(format, below, WriteMode::Append), vec![rows]).await.unwrap();
        let table = fixture.table(format, below, &[], None).await.unwrap();
        let frame = fixture.context().read_table(Arc::new(table)).unwrap();
        assert_eq!(frame.count().await.unwrap(), 3, "{format:?}");
    }
}

#[tokio::test]
async fn partition_columns_inside_the_schema_keep_their_place() {
    let fixture = Fixture::memory();
    fixture.put("t/p=7/x.json", "{\"a\":1,\"p\":0,\"z\":2}\n").await;
    let table = fixture.table(Format::Json, "t", &[], None).await.unwrap();
    assert_eq!(schema_text(table.fields()), "a bigint, p int, z bigint");
    assert_eq!(fixture.rows(table).await.unwrap(), "a|p|z\n1|7|2");
    let schema = vec![StructField::new("p", DataType::STRING, true), StructField::new("z", DataType::Long, true)];
    let table = fixture.table(Format::Json, "t", &[], Some(schema)).await.unwrap();
    let filtered = fixture.query(table, |t| t.filter(col("p").eq(lit("7")).and(col("z").gt(lit(1_i64))))).await;
    assert_eq!(filtered.unwrap(), "p|z\n7|2");
}

#[tokio::test]
async fn scans_travel() {
    let fixture = Fixture::memory();
    fixture.put("t/p=1/x.csv", "a|b\n").await;
    let table = fixture.table(Format::Csv, "t", &[("sep", "|")], None).await.unwrap();
    let context = fixture.context();
    let codec = PlanCodec::new(firesteel_sources::node_codecs());
    for (columns, expected) in [(vec![2, 1], Some("p|_c1\n1|b")), (vec![3], None)] {
        let plan = table.scan(&context.state(), Some(&columns), &[], None).await.unwrap();
        let bytes = codec.encode(&plan).unwrap();
        let plan = codec.decode(&bytes, context.copied_config(), context.runtime_env()).unwrap();
        let rows = collect(plan, context.task_ctx()).await.unwrap();
        match expected {
            Some(expected) => assert_eq!(table_text(&rows), expected),
            // The file's age is another each time.
            None => assert!(table_text(&rows).contains("t/p=1/x.csv, file_name: x.csv, file_size: 4")),
        }
    }
}

#[tokio::test]
async fn files_that_are_gone_or_broken() {
    let fixture = Fixture::memory();
    fixture.put("t/a.csv", "1\n").await;
    fixture.put("t/b.csv", "2\n").await;
    for (options, fails) in [(&[][..], true), (&[("ignoreMissingFiles", "true")], false)] {
        let table = fixture.table(Format::Csv, "t", options, None).await.unwrap();
        let location = fixture.stores.resolve(&fixture.path("t/a.csv")).unwrap();
        object_store::ObjectStoreExt::delete(&location.store, &location.path).await.unwrap();
        let found = fixture.rows(table).await;
        if fails {
            assert_eq!(found.unwrap_err().class().name, "FAILED_READ_FILE.FILE_NOT_EXIST");
        } else {
            assert_eq!(found.unwrap(), "_c0\n2");
        }
        fixture.put("t/a.csv", "1\n").await;
    }
    fixture.put("g/a.csv.gz", "this is no gzip").await;
    let schema = || Some(vec![StructField::new("a", DataType::STRING, true)]);
    let table = fixture.table(Format::Csv, "g", &[], schema()).await.unwrap();
    assert_eq!(fixture.rows(table).await.unwrap_err().class().name, "FAILED_READ_FILE.NO_HINT");
    let table = fixture.table(Format::Csv, "g", &[("ignoreCorruptFiles", "true")], schema()).await.unwrap();
    assert!(fixture.rows(table).await.is_ok());
}

#[tokio::test]
async fn files_are_packed_as_in_spark() {
    let mut fixture = Fixture::memory();
    for name in 0..10 {
        fixture.put(&format!("t/{name}.csv"), vec![b'x'; 100]).await;
    }
    for (max_bytes, open_cost, parallelism, expected) in
        [(1000, 0, 1, 1), (250, 0, 1, 5), (1000, 100, 1, 2), (1000, 0, 5, 5)]
    {
        fixture.settings.max_partition_bytes = max_bytes;
        fixture.settings.open_cost_bytes = open_cost;
        fixture.settings.default_parallelism = parallelism;
        let table = fixture.table(Format::Csv, "t", &[], None).await.unwrap();
        let plan = table.scan(&fixture.context().state(), None, &[], None).await.unwrap();
        let partitions = plan.properties().output_partitioning().partition_count();
        assert_eq!(partitions, expected, "{max_bytes} {open_cost} {parallelism}");
    }
}
