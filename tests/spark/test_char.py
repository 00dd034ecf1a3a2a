"""CHAR and VARCHAR. Values are those of Spark's charvarchar tests."""

import pytest
from pyspark.errors import PySparkException
from results import bag, column, in_any_order, rows, value

pytestmark = pytest.mark.usefixtures("schema")


@pytest.fixture
def padded(spark, schema):
    spark.sql("CREATE TABLE t (c7 CHAR(7), c8 CHAR(8), v VARCHAR(6), s STRING) USING parquet")
    spark.sql("""INSERT INTO t SELECT c, c, v, c FROM VALUES (NULL, NULL), (NULL, 'S'), ('N', 'N '), ('Ne', 'Sp'), ('Net  ', 'Spa  '),
        ('NetE', 'Spar'), ('NetEa ', 'Spark '), ('NetEas ', 'Spark'), ('NetEase', 'Spark-') AS t(c, v)""")


@pytest.mark.usefixtures("padded")
def test_comparisons(spark):
    matches = lambda condition: sorted(column(spark.sql(f"SELECT s FROM t WHERE {condition}")))  # noqa: E731
    assert matches("c7 = c8") == ["N", "Ne", "Net  ", "NetE", "NetEa ", "NetEas ", "NetEase"]
    assert matches("c7 = v") == []
    assert matches("c7 = s") == ["NetEas ", "NetEase"]
    assert matches("c7 = 'NetEase               '") == ["NetEase"]
    assert matches("c7 = 'Ne'") == matches("'Ne' = c8") == ["Ne"]
    assert matches("c7 IN ('Ne', 'NetE ')") == ["Ne", "NetE"]
    assert matches("c7 IN ('Ne', NULL)") == []
    assert matches("v = 'Spark '") == ["NetEa "]


@pytest.mark.usefixtures("padded")
def test_values(spark):
    assert value(spark.sql("SELECT concat(c7, '|', c8, '|', v, '|') FROM t WHERE s = 'Ne'")) == "Ne     |Ne      |Sp|"
    assert rows(spark.sql("SELECT char_length(c7), char_length(c8), char_length(v), typeof(c7) FROM t WHERE s = 'NetE'")) == [(7, 8, 4, "string")]
    assert value(spark.sql("SELECT count(*) FROM t WHERE c7 IS NULL")) == 2


def test_lengths(spark):
    spark.sql("CREATE TABLE t (c CHAR(3), v VARCHAR(3))")
    spark.sql("INSERT INTO t VALUES ('ž', 'abc  ')")
    assert rows(spark.table("t")) == [("ž  ", "abc")]
    for values in ("'abcd', 'x'", "'x', 'abcd'"):
        with pytest.raises(PySparkException) as raised:
            spark.sql(f"INSERT INTO t VALUES ({values})")
        assert (raised.value.getCondition(), raised.value.getSqlState()) == ("EXCEED_LIMIT_LENGTH", "54006")


def test_files_written_by_others(spark, bucket):
    """Values that are too short are filled up when they are read."""
    spark.sql("SELECT 'a' AS c").write.parquet(f"{bucket.url}/t")
    spark.sql(f"CREATE TABLE t (c CHAR(3)) USING parquet LOCATION '{bucket.url}/t'")
    assert column(spark.sql("SELECT c || '|' FROM t")) == ["a  |"]
    spark.conf.set("spark.sql.readSideCharPadding", "false")
    assert column(spark.sql("SELECT c || '|' FROM t")) == ["a|"]


def test_tables_of_tables(spark):
    spark.sql("CREATE TABLE t (c CHAR(3), v VARCHAR(4)) USING parquet")
    spark.sql("CREATE TABLE u USING parquet AS SELECT * FROM t")
    assert [row.data_type for row in spark.sql("DESCRIBE u").collect()] == ["char(3)", "varchar(4)"]
    assert [kind for _, kind in spark.table("t").dtypes] == ["string", "string"]
    spark.sql("INSERT INTO u SELECT * FROM t")
    assert bag(spark.table("u")) == in_any_order()
