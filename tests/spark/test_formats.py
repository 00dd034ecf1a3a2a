"""JSON, Parquet, ORC, Avro, text and binary files."""

import datetime
import json
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet
import pytest
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import functions as F
from results import bag, column, in_any_order, rows, types


def put(bucket, text, name):
    path = bucket.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return f"{bucket.url}/{name}"


EVERYTHING = """
    SELECT 1 AS i, 2L AS l, 3S AS s, 1.5F AS f, 2.5D AS d, 1.25 AS c, 'ž' AS t, true AS b, x'00ff' AS x, date'1969-07-20' AS a,
        timestamp'2026-01-02 03:04:05.678901' AS ts, timestamp_ntz'2026-01-02 03:04:05' AS n, array(1, NULL) AS xs,
        map('k', 1.5D) AS m, named_struct('p', 1, 'q', array(named_struct('r', 'z'))) AS st
"""
VALUES = (
    1, 2, 3, 1.5, 2.5, Decimal("1.25"), "ž", True, b"\x00\xff", datetime.date(1969, 7, 20), datetime.datetime(2026, 1, 2, 3, 4, 5, 678901),
    datetime.datetime(2026, 1, 2, 3, 4, 5), [1, None], {"k": 1.5}, (1, [("z",)]),
)  # fmt: skip


@pytest.mark.parametrize("format", ["parquet", "orc", "avro"])
def test_every_type_comes_back(spark, bucket, format):
    df = spark.sql(EVERYTHING)
    if format == "avro":
        df = df.drop("s")
    df.write.format(format).save(f"{bucket.url}/out")
    found = spark.read.format(format).load(f"{bucket.url}/out")
    assert types(found) == types(df)
    assert rows(found) == rows(df)


def test_every_type_is_right(spark):
    assert rows(spark.sql(EVERYTHING)) == [VALUES]


@pytest.mark.parametrize(
    ("format", "codec", "suffix"),
    [
        ("parquet", "snappy", ".snappy.parquet"), ("parquet", "gzip", ".gz.parquet"), ("parquet", "zstd", ".zstd.parquet"),
        ("parquet", "uncompressed", ".parquet"), ("orc", "zlib", ".zlib.orc"), ("orc", "snappy", ".snappy.orc"), ("orc", "zstd", ".zstd.orc"),
        ("orc", "none", ".orc"), ("avro", "deflate", ".avro"), ("avro", "snappy", ".avro"), ("json", "gzip", ".json.gz"), ("json", "bzip2", ".json.bz2"),
        ("csv", "deflate", ".csv.deflate"), ("text", "gzip", ".txt.gz"), ("csv", "none", ".csv"),
    ],
)  # fmt: skip
def test_compression(spark, bucket, format, codec, suffix):
    df = spark.range(100).select(F.col("id").cast("string").alias("value"))
    df.coalesce(1).write.format(format).option("compression", codec).save(f"{bucket.url}/out")
    (file,) = [path for path in (bucket.folder / "out").iterdir() if path.name.startswith("part-")]
    assert file.name.endswith(suffix)
    found = spark.read.format(format).schema("value string").load(f"{bucket.url}/out")
    assert found.count() == 100


def test_parquet_of_others(spark, bucket):
    table = pa.table({"a": pa.array([1, 2, None], pa.int32()), "s": pa.array(["x", "y", "z"]).dictionary_encode(), "u": pa.array([1, 2, 3], pa.uint8())})
    pa.parquet.write_table(table, bucket.folder / "a.parquet", row_group_size=2)
    df = spark.read.parquet(f"{bucket.url}/a.parquet")
    assert types(df) == ["int", "string", "smallint"]
    assert rows(df.filter("a IS NULL OR a > 1")) == [(2, "y", 2), (None, "z", 3)]


def test_parquet_for_others(spark, people, bucket):
    people.coalesce(1).write.parquet(f"{bucket.url}/out")
    (file,) = (bucket.folder / "out").glob("*.parquet")
    table = pa.parquet.read_table(file)
    assert table.column_names == ["name", "age", "country"]
    assert table.schema.field("age").type == pa.int32()
    assert table.num_rows == 5
    metadata = pa.parquet.read_schema(file).metadata
    assert json.loads(metadata[b"org.apache.spark.sql.parquet.row.metadata"])["fields"][1]["name"] == "age"


def test_parquet_schemas_are_merged(spark, bucket):
    spark.range(1).select(F.lit(1).alias("a")).write.parquet(f"{bucket.url}/t/k=1")
    spark.range(1).select(F.lit("x").alias("b")).write.parquet(f"{bucket.url}/t/k=2")
    df = spark.read.option("mergeSchema", "true").parquet(f"{bucket.url}/t")
    assert bag(df.select("a", "b", "k")) == in_any_order((1, None, 1), (None, "x", 2))


def test_parquet_filters(spark, bucket):
    spark.range(10_000).withColumn("s", F.concat(F.lit("v"), "id")).write.parquet(f"{bucket.url}/t")
    df = spark.read.parquet(f"{bucket.url}/t")
    assert df.filter("id = 77").select("s").first()[0] == "v77"
    assert df.filter("id >= 9990 AND s LIKE 'v99%'").count() == 10
    assert df.filter("id IN (1, 2, 99999)").count() == 2


def test_json_lines(spark, bucket):
    path = put(bucket, '{"a": 1, "b": {"c": [1.5, null]}, "d": "2026-01-01"}\n{"a": 2, "e": true}\n', "a.json")
    df = spark.read.json(path)
    assert df.columns == ["a", "b", "d", "e"]
    assert types(df) == ["bigint", "struct<c:array<double>>", "string", "boolean"]
    assert rows(df) == [(1, ([1.5, None],), "2026-01-01", None), (2, None, None, True)]
    assert rows(spark.read.schema("a int, x string").json(path)) == [(1, None), (2, None)]


def test_json_documents(spark, bucket):
    path = put(bucket, '[\n  {"a": 1},\n  {"a": 2}\n]', "a.json")
    assert rows(spark.read.json(path, multiLine=True)) == [(1,), (2,)]


def test_json_that_is_broken(spark, bucket):
    path = put(bucket, '{"a": 1}\n{"a": \n{"a": "x"}\n', "a.json")
    df = spark.read.schema("a int, _corrupt_record string").json(path)
    assert rows(df) == [(1, None), (None, '{"a": '), (None, '{"a": "x"}')]
    assert rows(spark.read.schema("a int").json(path, mode="DROPMALFORMED")) == [(1,)]
    with pytest.raises(PySparkException):
        spark.read.schema("a int").json(path, mode="FAILFAST").collect()


def test_json_written(spark, bucket):
    df = spark.sql("SELECT 1 AS a, cast(NULL AS string) AS b, array(1, 2) AS c, named_struct('x', date'2026-01-02') AS d, timestamp'2026-01-02 03:04:05.678' AS e")
    df.write.json(f"{bucket.url}/out")
    (file,) = (bucket.folder / "out").glob("*.json")
    assert file.read_text() == '{"a":1,"c":[1,2],"d":{"x":"2026-01-02"},"e":"2026-01-02T03:04:05.678Z"}\n'
    df.write.json(f"{bucket.url}/nulls", ignoreNullFields=False)
    (file,) = (bucket.folder / "nulls").glob("*.json")
    assert '"b":null' in file.read_text()


def test_text(spark, bucket):
    path = put(bucket, "one\n\nthree", "a.txt")
    df = spark.read.text(path)
    assert df.columns == ["value"]
    assert column(df) == ["one", "", "three"]
    assert column(spark.read.text(path, wholetext=True)) == ["one\n\nthree"]
    assert column(spark.read.text(path, lineSep="e")) == ["on", "\n\nthr", ""]
    spark.createDataFrame([("x",), ("y",)], ["value"]).coalesce(1).write.text(f"{bucket.url}/out")
    (file,) = (bucket.folder / "out").glob("*.txt")
    assert file.read_text() == "x\ny\n"
    with pytest.raises(AnalysisException):
        spark.range(1).write.text(f"{bucket.url}/numbers")


def test_word_count(spark, bucket):
    path = put(bucket, "to be or not\nto be\n", "a.txt")
    words = spark.read.text(path).select(F.explode(F.split("value", " ")).alias("word"))
    assert bag(words.groupBy("word").count()) == [("be", 2), ("not", 1), ("or", 1), ("to", 2)]


def test_binary_files(spark, bucket):
    path = put(bucket, b"\x00\x01", "a.bin")
    row = spark.read.format("binaryFile").load(path).first()
    assert (row.length, bytes(row.content)) == (2, b"\x00\x01")
    assert row.path.endswith("a.bin")


def test_default_format_is_parquet(spark, bucket):
    spark.range(3).write.save(f"{bucket.url}/t")
    assert spark.read.load(f"{bucket.url}/t").count() == 3
    assert list((bucket.folder / "t").glob("*.snappy.parquet"))


def test_local_files(spark, tmp_path):
    spark.range(3).write.parquet(str(tmp_path / "out"))
    assert spark.read.parquet(f"file://{tmp_path}/out").count() == 3
    assert spark.read.parquet(f"{tmp_path}/out").count() == 3


def test_unknown_format(spark, bucket):
    with pytest.raises(AnalysisException) as raised:
        spark.read.format("nothing").load(bucket.url).collect()
    assert raised.value.getCondition() == "DATA_SOURCE_NOT_FOUND"


def test_file_metadata(spark, bucket):
    path = put(bucket, "x\n1\n", "a.csv")
    row = spark.read.csv(path, header=True).select("x", "_metadata.file_name", "_metadata.file_size").first()
    assert tuple(row) == ("1", "a.csv", 4)
    assert spark.read.csv(path).inputFiles()[0].endswith("a.csv")


@pytest.mark.parametrize("format", ["parquet", "orc", "avro", "csv", "json", "text", "binaryFile"])
def test_file_metadata_of_formats(spark, bucket, format):
    write, kept = (format, "id") if format != "binaryFile" else ("text", "length")
    spark.range(3).select(F.col("id").cast("string").alias("id")).coalesce(1).write.format(write).save(f"{bucket.url}/t/k=1")
    (file,) = [path for path in (bucket.folder / "t/k=1").iterdir() if path.name.startswith("part-")]
    df = spark.read.format(format).load(f"{bucket.url}/t")
    assert "_metadata" not in df.columns
    found = df.select("k", "_metadata.file_path", "_metadata.file_name", "_metadata.file_size", "_metadata.file_block_start",
        "_metadata.file_block_length", F.col("_metadata.file_modification_time") > "2020-01-01").distinct()  # fmt: skip
    size = file.stat().st_size
    assert rows(found) == [(1, f"{bucket.url}/t/k=1/{file.name}", file.name, size, 0, size, True)]
    assert df.filter(F.col("_metadata.file_name") == file.name).count() == df.count() > 0
    assert df.filter(F.col("_metadata.file_size") < 0).count() == 0


def test_file_metadata_in_sql(spark, bucket, schema):
    spark.range(3).coalesce(1).write.parquet(f"{bucket.url}/t")
    spark.sql(f"CREATE TABLE t USING parquet LOCATION '{bucket.url}/t'")
    assert spark.sql("SELECT * FROM t").columns == spark.sql("SELECT t.* FROM t").columns == ["id"]
    assert len(rows(spark.sql("SELECT id, x._metadata.file_name FROM t AS x ORDER BY x._metadata.file_size, id"))) == 3
    assert rows(spark.sql("SELECT _metadata.file_block_start, count(*) FROM t GROUP BY _metadata.file_block_start")) == [(0, 3)]
    assert spark.sql("SELECT _metadata FROM t").schema["_metadata"].dataType.fieldNames() == [
        "file_path", "file_name", "file_size", "file_block_start", "file_block_length", "file_modification_time",
    ]  # fmt: skip
    assert spark.sql("SELECT a.id FROM t AS a JOIN t AS b USING (id) WHERE a._metadata.file_name = b._metadata.file_name").count() == 3


def test_columns_called_like_metadata(spark, bucket):
    spark.sql("SELECT 1 AS _metadata").write.parquet(f"{bucket.url}/t")
    assert rows(spark.read.parquet(f"{bucket.url}/t").select("_metadata")) == [(1,)]


def test_orc_of_nested_nulls(spark, bucket):
    """Lists, maps and structs that are null or empty, at any depth, over several batches."""
    df = spark.range(20_000).selectExpr(
        "if(id % 3 = 0, NULL, sequence(0, cast(id % 4 AS int))) AS xs",
        "if(id % 5 = 0, NULL, named_struct('a', if(id % 2 = 0, NULL, id), 'b', if(id % 7 = 0, NULL, array(cast(id AS string), NULL)))) AS s",
        "map_filter(map(id, cast(id AS decimal(20,3)) / 8, -1 - id, NULL), (k, v) -> id % 4 != 0) AS m",
        "cast(id AS decimal(38,10)) * -12345678901 AS d", "timestamp_micros(id * 1000001 + 1000000) AS t", "id % 2 = 0 AS b", "cast(id % 100 AS tinyint) AS y",
        "array(named_struct('p', array(id)), NULL) AS deep",
    )  # fmt: skip
    for codec in ("zstd", "lz4"):
        df.coalesce(1).write.mode("overwrite").orc(f"{bucket.url}/t", compression=codec)
        found = spark.read.orc(f"{bucket.url}/t")
        assert types(found) == types(df)
        hashes = lambda frame: sorted(frame.selectExpr("xxhash64(xs, s, map_entries(m), d, t, b, y, deep) AS h").toPandas()["h"])  # noqa: E731
        assert hashes(found) == hashes(df)


def test_orc_for_others(spark, bucket):
    orc = pytest.importorskip("pyarrow.orc")
    spark.sql(EVERYTHING).drop("n").coalesce(1).write.orc(f"{bucket.url}/t")
    (file,) = (bucket.folder / "t").glob("*.orc")
    (row,) = orc.read_table(file).drop_columns(["ts", "m"]).to_pylist()
    assert tuple(row.values()) == (1, 2, 3, 1.5, 2.5, Decimal("1.25"), "ž", True, b"\x00\xff", datetime.date(1969, 7, 20), [1, None], {"p": 1, "q": [{"r": "z"}]})


def test_written_while_read(spark, bucket):
    """Overwriting what is being read is refused rather than losing rows."""
    spark.range(3).write.parquet(f"{bucket.url}/t")
    df = spark.read.parquet(f"{bucket.url}/t")
    try:
        df.write.mode("overwrite").parquet(f"{bucket.url}/t")
    except PySparkException:
        pass
    assert spark.read.parquet(f"{bucket.url}/t").count() == 3
