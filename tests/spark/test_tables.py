"""Tables: saveAsTable, insertInto, INSERT, partitions, writeTo."""

import pytest
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import functions as F
from results import bag, column, in_any_order, rows, types, value

pytestmark = pytest.mark.usefixtures("schema")


def test_save_as_table(spark, people):
    people.write.saveAsTable("t")
    assert spark.table("t").count() == 5
    assert spark.read.table("t").columns == ["name", "age", "country"]
    with pytest.raises(AnalysisException) as raised:
        people.write.saveAsTable("t")
    assert raised.value.getCondition() == "TABLE_OR_VIEW_ALREADY_EXISTS"
    people.limit(1).write.mode("append").saveAsTable("t")
    assert spark.table("t").count() == 6
    people.limit(1).write.mode("overwrite").saveAsTable("t")
    assert spark.table("t").count() == 1
    people.write.mode("ignore").saveAsTable("t")
    assert spark.table("t").count() == 1


def test_tables_outlive_sessions(spark, connect, schema):
    spark.range(3).write.saveAsTable("t")
    assert connect().table(f"{schema}.t").count() == 3


def test_insert_into(spark):
    spark.sql("CREATE TABLE t (a INT, b STRING) USING parquet")
    assert spark.table("t").count() == 0
    spark.createDataFrame([(1, "x")], "p int, q string").write.insertInto("t")
    spark.createDataFrame([(2, "y")], "p int, q string").write.insertInto("t")
    assert bag(spark.table("t")) == [(1, "x"), (2, "y")]
    spark.createDataFrame([(3, "z")], "p int, q string").write.insertInto("t", overwrite=True)
    assert rows(spark.table("t")) == [(3, "z")]


@pytest.mark.parametrize("format", ["parquet", "orc", "csv", "json", "avro"])
def test_formats_of_tables(spark, format):
    spark.sql(f"CREATE TABLE t (a INT, b STRING) USING {format}")
    spark.sql("INSERT INTO t VALUES (1, 'x'), (2, NULL)")
    assert bag(spark.table("t")) == in_any_order((1, "x"), (2, None))


def test_inserts(spark):
    spark.sql("CREATE TABLE t (a INT, b STRING, c DOUBLE)")
    spark.sql("INSERT INTO t VALUES (1, 'x', 1.5)")
    spark.sql("INSERT INTO t (b, a) VALUES ('y', 2)")
    spark.sql("INSERT INTO t BY NAME SELECT 0.5D AS c, 3 AS a, 'z' AS b")
    spark.sql("INSERT INTO TABLE t SELECT a + 10, b, c FROM t WHERE a = 1")
    assert bag(spark.table("t")) == in_any_order((1, "x", 1.5), (2, "y", None), (3, "z", 0.5), (11, "x", 1.5))
    spark.sql("INSERT OVERWRITE t SELECT 0, 'only', 0")
    assert rows(spark.table("t")) == [(0, "only", 0.0)]


def test_inserts_are_cast_as_stores_are(spark):
    spark.sql("CREATE TABLE t (a TINYINT, d DATE)")
    with pytest.raises(PySparkException) as raised:
        spark.sql("INSERT INTO t VALUES (300, NULL)")
    assert raised.value.getCondition() in ("CAST_OVERFLOW_IN_TABLE_INSERT", "CAST_OVERFLOW")
    with pytest.raises(AnalysisException) as raised:
        spark.sql("INSERT INTO t VALUES (1, 5)")
    assert raised.value.getCondition().startswith("INCOMPATIBLE_DATA_FOR_TABLE")
    with pytest.raises(AnalysisException) as raised:
        spark.sql("INSERT INTO t VALUES (1)")
    assert raised.value.getCondition().startswith("INSERT_COLUMN_ARITY_MISMATCH")


def test_partitioned_tables(spark):
    spark.sql("CREATE TABLE t (id INT, k STRING) USING parquet PARTITIONED BY (k)")
    spark.sql("INSERT INTO t VALUES (1, 'a'), (2, 'b')")
    spark.sql("INSERT INTO t PARTITION (k = 'c') VALUES (3)")
    assert bag(spark.table("t")) == [(1, "a"), (2, "b"), (3, "c")]
    assert column(spark.sql("SHOW PARTITIONS t")) == ["k=a", "k=b", "k=c"]
    spark.sql("INSERT OVERWRITE t PARTITION (k = 'a') SELECT 9")
    assert bag(spark.table("t")) == [(2, "b"), (3, "c"), (9, "a")]
    assert column(spark.sql("SELECT id FROM t WHERE k = 'b'")) == [2]


def test_partition_by_in_python(spark, people):
    people.write.partitionBy("country").format("orc").saveAsTable("t")
    assert column(spark.sql("SHOW PARTITIONS t")) == ["country=NL", "country=UK", "country=US"]
    assert spark.table("t").columns == ["name", "age", "country"]


def test_create_table_as_select(spark):
    spark.sql("CREATE TABLE t USING parquet AS SELECT id, id * 2 AS twice FROM range(4)")
    assert value(spark.sql("SELECT sum(twice) FROM t")) == 12
    assert types(spark.table("t")) == ["bigint", "bigint"]
    spark.sql("CREATE OR REPLACE TEMP VIEW v AS SELECT 1 AS x")
    spark.sql("CREATE TABLE u AS SELECT * FROM v")
    assert rows(spark.table("u")) == [(1,)]


def test_external_tables(spark, bucket):
    spark.range(3).write.parquet(f"{bucket.url}/t")
    spark.sql(f"CREATE TABLE t USING parquet LOCATION '{bucket.url}/t'")
    assert spark.table("t").count() == 3
    spark.sql("INSERT INTO t VALUES (100)")
    assert spark.read.parquet(f"{bucket.url}/t").count() == 4
    spark.sql("DROP TABLE t")
    assert spark.read.parquet(f"{bucket.url}/t").count() == 4
    spark.range(2).write.option("path", f"{bucket.url}/u").saveAsTable("u")
    assert spark.table("u").count() == 2
    assert list((bucket.folder / "u").glob("*.parquet"))


def test_managed_tables_go_with_their_files(spark, server, schema):
    spark.range(3).write.saveAsTable("t")
    files = list((server.folder / "warehouse").rglob("*.parquet"))
    assert files
    spark.sql("DROP TABLE t")
    assert [path for path in files if path.exists() or path.parent.exists()] == []


def test_truncate(spark):
    spark.range(3).write.saveAsTable("t")
    spark.sql("TRUNCATE TABLE t")
    assert spark.table("t").count() == 0


def test_write_to(spark, people):
    people.writeTo("t").using("parquet").create()
    assert spark.table("t").count() == 5
    people.limit(1).writeTo("t").append()
    assert spark.table("t").count() == 6
    people.limit(2).writeTo("t").using("parquet").createOrReplace()
    assert spark.table("t").count() == 2
    with pytest.raises(AnalysisException):
        people.writeTo("t").create()


def test_table_read_while_overwritten(spark):
    spark.range(3).write.saveAsTable("t")
    try:
        spark.sql("INSERT OVERWRITE t SELECT id + 1 FROM t")
    except AnalysisException as error:
        assert error.getCondition().startswith("UNSUPPORTED_OVERWRITE")
        assert column(spark.table("t").orderBy("id")) == [0, 1, 2]
    else:
        assert column(spark.table("t").orderBy("id")) == [1, 2, 3]


def test_column_with_default(spark):
    spark.sql("CREATE TABLE t (a INT, b INT DEFAULT 42) USING parquet")
    spark.sql("INSERT INTO t (a) VALUES (1)")
    spark.sql("INSERT INTO t VALUES (2, DEFAULT)")
    assert bag(spark.table("t")) == [(1, 42), (2, 42)]


def test_append_matches_columns_by_name(spark):
    spark.createDataFrame([(1, "x")], "a int, b string").write.saveAsTable("t")
    spark.createDataFrame([("y", 2)], "b string, a int").write.mode("append").saveAsTable("t")
    assert bag(spark.table("t").select("a", "b")) == [(1, "x"), (2, "y")]


def test_large_insert(spark):
    spark.range(100_000).withColumn("k", F.col("id") % 3).write.partitionBy("k").saveAsTable("t")
    assert bag(spark.table("t").groupBy("k").count()) == [(0, 33334), (1, 33333), (2, 33333)]
