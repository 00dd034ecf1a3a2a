"""Defaults of columns."""

import pytest
from pyspark.errors import AnalysisException
from results import bag, column, in_any_order, rows

pytestmark = pytest.mark.usefixtures("schema")


@pytest.mark.parametrize("format", ["parquet", "orc", "csv", "json"])
def test_left_out_columns(spark, format):
    spark.sql(f"CREATE TABLE t (a INT, b STRING DEFAULT 'x', c DATE DEFAULT DATE'2026-01-02', d DOUBLE) USING {format}")
    spark.sql("INSERT INTO t (a) VALUES (1)")
    spark.sql("INSERT INTO t BY NAME SELECT 2 AS a, 'y' AS b")
    found = spark.sql("SELECT a, b, cast(c AS string), d FROM t")
    assert bag(found) == [(1, "x", "2026-01-02", None), (2, "y", "2026-01-02", None)]


def test_the_keyword(spark):
    spark.sql("CREATE TABLE t (a INT DEFAULT 7, b INT DEFAULT 40 + 2, c INT)")
    spark.sql("INSERT INTO t VALUES (DEFAULT, 1, DEFAULT), (2, DEFAULT, 3)")
    spark.sql("INSERT INTO t SELECT DEFAULT, 5, 6")
    spark.sql("INSERT INTO t (c, b) VALUES (9, DEFAULT)")
    spark.sql("INSERT INTO t SELECT DEFAULT, 1, 1 UNION ALL SELECT 2, DEFAULT, 2")
    assert bag(spark.table("t")) == in_any_order((7, 1, None), (2, 42, 3), (7, 5, 6), (7, 42, 9), (7, 1, 1), (2, 42, 2))
    with pytest.raises(AnalysisException) as raised:
        spark.sql("INSERT INTO t VALUES (DEFAULT + 1, 1, 1)")
    assert raised.value.getCondition() == "DEFAULT_PLACEMENT_INVALID"


def test_partitions(spark):
    spark.sql("CREATE TABLE t (a INT, p INT DEFAULT 3) USING parquet PARTITIONED BY (p)")
    spark.sql("INSERT INTO t (a) VALUES (1)")
    assert column(spark.sql("SHOW PARTITIONS t")) == ["p=3"]


@pytest.mark.parametrize("format", ["parquet", "orc", "avro"])
def test_added_columns(spark, format):
    """Rows that are there get the default that the column is added with, whatever it becomes later."""
    spark.sql(f"CREATE TABLE t (a INT) USING {format}")
    spark.sql("INSERT INTO t VALUES (1)")
    spark.sql("ALTER TABLE t ADD COLUMN b INT DEFAULT 5")
    assert rows(spark.table("t")) == [(1, 5)]
    spark.sql("ALTER TABLE t ALTER COLUMN b SET DEFAULT 6")
    spark.sql("INSERT INTO t (a) VALUES (2)")
    spark.sql("ALTER TABLE t ALTER COLUMN b DROP DEFAULT")
    spark.sql("INSERT INTO t (a) VALUES (3)")
    assert bag(spark.table("t")) == in_any_order((1, 5), (2, 6), (3, None))
    assert column(spark.sql("SELECT a FROM t WHERE b = 5")) == [1]
    assert spark.sql("SELECT count(b) FROM t").first()[0] == 2


def test_altered(spark):
    spark.sql("CREATE TABLE t (a INT, b STRING COMMENT 'note')")
    spark.sql("ALTER TABLE t ALTER COLUMN b SET DEFAULT 'new'")
    spark.sql("INSERT INTO t (a) VALUES (1)")
    assert rows(spark.table("t")) == [(1, "new")]
    assert [row.comment for row in spark.sql("DESCRIBE t").collect()] == [None, "note"]


@pytest.mark.parametrize(
    ("default", "condition"),
    [
        ("other + 1", "INVALID_DEFAULT_VALUE.UNRESOLVED_EXPRESSION"),
        ("(SELECT 1)", "INVALID_DEFAULT_VALUE.SUBQUERY_EXPRESSION"),
        ("array(1)", "INVALID_DEFAULT_VALUE.DATA_TYPE"),
    ],
)
def test_no_defaults(spark, default, condition):
    with pytest.raises(AnalysisException) as raised:
        spark.sql(f"CREATE TABLE t (a INT DEFAULT {default})")
    assert raised.value.getCondition() == condition
    assert raised.value.getMessageParameters()["colName"] == "`a`"


def test_copies_have_none(spark):
    spark.sql("CREATE TABLE t (a INT, b INT DEFAULT 5)")
    spark.sql("CREATE TABLE u AS SELECT * FROM t")
    spark.sql("INSERT INTO u (a) VALUES (1)")
    assert rows(spark.table("u")) == [(1, None)]
