use datafusion::prelude::{col, lit};
use firesteel_sources::Format;

use crate::fixture::{Fixture, schema_text};

async fn partitioned() -> Fixture {
    let fixture = Fixture::memory();
    fixture.put("t/year=2023/name=a%2Fb/x.csv", "1\n").await;
    fixture.put("t/year=2024/name=__HIVE_DEFAULT_PARTITION__/x.csv", "2\n").await;
    fixture.put("t/year=2024/name=c/x.csv", "3\n").await;
    fixture.put("t/_SUCCESS", "").await;
    fixture.put("t/year=2024/.hidden", "9\n").await;
    fixture
}

#[tokio::test]
async fn partitions_are_discovered_and_pruned() {
    let fixture = partitioned().await;
    let table = fixture.table(Format::Csv, "t", &[], None).await.unwrap();
    assert_eq!(schema_text(table.fields()), "_c0 string, year int, name string");
    let found = fixture.sorted(table, "_c0").await.unwrap();
    assert_eq!(found, "_c0|year|name\n1|2023|a/b\n2|2024|\n3|2024|c");
    let table = fixture.table(Format::Csv, "t", &[], None).await.unwrap();
    let frame = fixture.context().read_table(std::sync::Arc::new(table)).unwrap();
    let plan = frame.filter(col("year").eq(lit(2023))).unwrap().create_physical_plan().await.unwrap();
    let plan = datafusion::physical_plan::displayable(plan.as_ref()).indent(true).to_string();
    assert!(!plan.contains("FilterExec") && !plan.contains("year=2024"), "{plan}");
}

#[tokio::test]
async fn base_path_and_globs() {
    let fixture = partitioned().await;
    let table = fixture.table(Format::Csv, "t/year=2024", &[], None).await.unwrap();
    assert_eq!(schema_text(table.fields()), "_c0 string, name string");
    let base = fixture.path("t");
    let table = fixture.table(Format::Csv, "t/year=2024", &[("basePath", base.as_str())], None).await.unwrap();
    assert_eq!(schema_text(table.fields()), "_c0 string, year int, name string");
    let table = fixture.table(Format::Csv, "t/year=202{3,4}/name=[a-c]*", &[], None).await.unwrap();
    assert_eq!(table.input_files().len(), 2);
    let options = [("recursiveFileLookup", "true"), ("pathGlobFilter", "*.csv")];
    let table = fixture.table(Format::Csv, "t", &options, None).await.unwrap();
    assert_eq!(schema_text(table.fields()), "_c0 string");
    assert_eq!(table.input_files().len(), 3);
}

#[tokio::test]
async fn conflicts_and_missing_paths() {
    let fixture = Fixture::memory();
    fixture.put("t/a=1/x.csv", "1\n").await;
    fixture.put("t/a=1/b=2/x.csv", "1\n").await;
    let error = fixture.table(Format::Csv, "t", &[], None).await.unwrap_err();
    assert_eq!(error.class().name, "CONFLICTING_PARTITION_COLUMN_NAMES");
    let error = fixture.table(Format::Csv, "none", &[], None).await.unwrap_err();
    assert_eq!(error.class().name, "PATH_NOT_FOUND");
    assert_eq!(error.params()[0].1, "s3://bucket/data/none");
    let error = fixture.table(Format::Csv, "no*", &[], None).await.unwrap_err();
    assert_eq!(error.class().name, "PATH_NOT_FOUND");
    fixture.put("u/_x.csv", "1\n").await;
    let error = fixture.table(Format::Csv, "u", &[], None).await.unwrap_err();
    assert_eq!(error.class().name, "UNABLE_TO_INFER_SCHEMA");
}
