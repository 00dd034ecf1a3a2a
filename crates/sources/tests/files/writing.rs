use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, RecordBatch, StringArray};
use datafusion::functions_aggregate::expr_fn::{count_distinct, sum};
use datafusion::prelude::col;
use firesteel_sources::{Format, WriteMode};

use crate::fixture::{Fixture, schema_text};

const OVERWRITE: WriteMode = WriteMode::Overwrite { dynamic: false };
const DYNAMIC: WriteMode = WriteMode::Overwrite { dynamic: true };

fn batch(ids: Vec<i32>, parts: Vec<Option<&str>>) -> RecordBatch {
    let ids: ArrayRef = Arc::new(Int32Array::from(ids));
    let parts: ArrayRef = Arc::new(StringArray::from(parts));
    RecordBatch::try_from_iter_with_nullable([("id", ids, true), ("p", parts, true)]).unwrap()
}

async fn rows(fixture: &Fixture) -> String {
    let table = fixture.table(Format::Parquet, "out", &[], None).await.unwrap();
    fixture.sorted(table, "id").await.unwrap()
}

#[tokio::test]
async fn modes() {
    for fixture in [Fixture::local(), Fixture::memory()] {
        let write = async |mode, ids: Vec<i32>| {
            let parts = ids.iter().map(|_| Some("x")).collect();
            fixture.write(fixture.request(Format::Parquet, "out", mode), vec![vec![batch(ids, parts)]]).await
        };
        write(WriteMode::ErrorIfExists, vec![1]).await.unwrap();
        assert_eq!(fixture.files("out").await, ["_SUCCESS", "part-00000-ID-c000.snappy.parquet"]);
        let error = write(WriteMode::ErrorIfExists, vec![2]).await.unwrap_err();
        assert_eq!(error.class().name, "PATH_ALREADY_EXISTS");
        write(WriteMode::Ignore, vec![2]).await.unwrap();
        assert_eq!(rows(&fixture).await, "id|p\n1|x");
        write(WriteMode::Append, vec![3]).await.unwrap();
        assert_eq!(rows(&fixture).await, "id|p\n1|x\n3|x");
        write(OVERWRITE, vec![4]).await.unwrap();
        assert_eq!(rows(&fixture).await, "id|p\n4|x");
        assert_eq!(fixture.files("out").await.len(), 2);
    }
}

#[tokio::test]
async fn partitions_static_and_dynamic() {
    for fixture in [Fixture::local(), Fixture::memory()] {
        let write = async |mode, rows: RecordBatch| {
            let mut request = fixture.request(Format::Parquet, "out", mode);
            request.partition_by = vec!["p".to_owned()];
            fixture.write(request, vec![vec![rows]]).await.unwrap();
        };
        write(WriteMode::Append, batch(vec![1, 2, 3], vec![Some("a/b"), None, Some("c")])).await;
        assert_eq!(
            fixture.files("out").await,
            [
                "_SUCCESS",
                "p=__HIVE_DEFAULT_PARTITION__/part-00000-ID.c000.snappy.parquet",
                "p=a%2Fb/part-00000-ID.c000.snappy.parquet",
                "p=c/part-00000-ID.c000.snappy.parquet",
            ]
        );
        assert_eq!(rows(&fixture).await, "id|p\n1|a/b\n2|\n3|c");
        write(DYNAMIC, batch(vec![4], vec![Some("c")])).await;
        assert_eq!(rows(&fixture).await, "id|p\n1|a/b\n2|\n4|c");
        write(OVERWRITE, batch(vec![5], vec![Some("d")])).await;
        assert_eq!(rows(&fixture).await, "id|p\n5|d");
        assert_eq!(fixture.files("out").await.len(), 2);
    }
}

#[tokio::test]
async fn record_limits_buckets_and_empty_input() {
    let fixture = Fixture::local();
    let mut request = fixture.request(Format::Csv, "out", OVERWRITE);
    request.options.set("maxRecordsPerFile", "2");
    fixture.write(request, vec![vec![batch(vec![1, 2, 3], vec![None; 3])]]).await.unwrap();
    assert_eq!(fixture.files("out").await, ["_SUCCESS", "part-00000-ID-c000.csv", "part-00000-ID-c001.csv"]);
    let mut request = fixture.request(Format::Parquet, "buckets", OVERWRITE);
    request.bucket_column = Some("id".to_owned());
    fixture.write(request, vec![vec![batch(vec![0, 3, 0], vec![Some("x"); 3])]]).await.unwrap();
    assert_eq!(
        fixture.files("buckets").await,
        ["_SUCCESS", "part-00000-ID_00000.c000.snappy.parquet", "part-00000-ID_00003.c000.snappy.parquet"]
    );
    let empty = || vec![batch(Vec::new(), Vec::new())];
    let request = fixture.request(Format::Parquet, "empty", OVERWRITE);
    fixture.write(request, vec![empty(), empty()]).await.unwrap();
    assert_eq!(fixture.files("empty").await, ["_SUCCESS", "part-00000-ID-c000.snappy.parquet"]);
    let table = fixture.table(Format::Parquet, "empty", &[], None).await.unwrap();
    assert_eq!(schema_text(table.fields()), "id int, p string");
}

#[tokio::test]
async fn many_partitions_keep_few_files_open() {
    let fixture = Fixture::memory();
    let names: Vec<String> = (0..100).map(|index| format!("p{:03}", index % 50)).collect();
    let rows_in = batch((0..100).collect(), names.iter().map(|name| Some(name.as_str())).collect());
    let mut request = fixture.request(Format::Parquet, "out", OVERWRITE);
    request.partition_by = vec!["p".to_owned()];
    fixture.write(request, vec![vec![rows_in.slice(0, 50), rows_in.slice(50, 50)]]).await.unwrap();
    let table = fixture.table(Format::Parquet, "out", &[], None).await.unwrap();
    let found = fixture
        .query(table, |t| t.aggregate(vec![], vec![count_distinct(col("p")).alias("p"), sum(col("id")).alias("s")]));
    assert_eq!(found.await.unwrap(), "p|s\n50|4950");
}
