"""How results come to the client: collect, toPandas, Arrow, iterators."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import Row
from pyspark.sql import functions as F
from results import column, rows


def test_collect_gives_rows(people):
    row = people.first()
    assert row == Row(name="Ada", age=36, country="UK")
    assert row.asDict() == {"name": "Ada", "age": 36, "country": "UK"}
    assert row["age"] == row.age == row[1] == 36


def test_large_results_come_whole_and_in_order(spark):
    found = column(spark.range(500_000, numPartitions=5))
    assert found == list(range(500_000))


def test_wide_results(spark):
    df = spark.range(2000).select("id", *[F.repeat(F.lit("x"), 2000).alias(f"c{i}") for i in range(5)])
    assert sum(len(row[1]) for row in df.collect()) == 4_000_000


def test_to_pandas(spark):
    df = spark.sql(
        "SELECT 1 AS i, 2L AS l, 1.5D AS d, 'x' AS s, true AS b, date'2026-01-02' AS a, timestamp'2026-01-02 03:04:05' AS t, "
        "array(1, 2) AS xs, 1.50 AS c, x'41' AS y UNION ALL SELECT NULL, 3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL"
    )
    frame = df.toPandas()
    assert list(frame.columns) == ["i", "l", "d", "s", "b", "a", "t", "xs", "c", "y"]
    assert str(frame.dtypes["l"]) == "int64"
    assert str(frame.dtypes["d"]) == "float64"
    assert str(frame.dtypes["t"]) == "datetime64[ns]"
    assert frame["i"][0] == 1
    assert np.isnan(frame["i"][1])
    assert frame["a"][0] == datetime.date(2026, 1, 2)
    assert frame["t"][0] == pd.Timestamp("2026-01-02 03:04:05")
    assert list(frame["xs"][0]) == [1, 2]
    assert frame["c"][0] == Decimal("1.50")


def test_to_pandas_of_nothing(spark):
    frame = spark.range(0).toPandas()
    assert list(frame.columns) == ["id"]
    assert len(frame) == 0
    assert str(frame.dtypes["id"]) == "int64"


def test_to_pandas_and_back(spark):
    frame = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", None]})
    pd.testing.assert_frame_equal(spark.createDataFrame(frame).toPandas(), frame)


def test_to_pandas_in_another_time_zone(spark):
    spark.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
    frame = spark.sql("SELECT timestamp'2026-01-01 00:00:00Z' AS t").toPandas()
    assert frame["t"][0] == pd.Timestamp("2026-01-01 09:00:00")


def test_structs_in_pandas(spark):
    df = spark.sql("SELECT named_struct('a', 1, 'b', 'x') AS s")
    assert df.toPandas()["s"][0] == {"a": 1, "b": "x"}
    spark.conf.set("spark.sql.execution.pandas.structHandlingMode", "row")
    assert df.toPandas()["s"][0] == Row(a=1, b="x")


def test_to_arrow(spark):
    table = spark.range(10).withColumn("s", F.lit("x")).toArrow()
    assert table.num_rows == 10
    assert table.column_names == ["id", "s"]


def test_to_local_iterator(spark):
    iterator = spark.range(1000, numPartitions=3).toLocalIterator()
    assert next(iterator).id == 0
    assert sum(row.id for row in iterator) == 499_500


def test_foreach_in_the_client(spark):
    seen = [row.id for row in spark.range(3).toLocalIterator(prefetchPartitions=True)]
    assert seen == [0, 1, 2]


def test_one_dataframe_many_actions(people):
    df = people.filter("age > 30")
    assert df.count() == 4
    assert len(df.collect()) == 4
    assert df.agg(F.max("age")).first()[0] == 72
    assert df.count() == 4


def test_small_batches(spark):
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "7")
    assert column(spark.range(100)) == list(range(100))


def test_nulls_in_nested_values(spark):
    df = spark.sql("SELECT array(struct(1 AS a, NULL AS b), NULL) AS xs, map('k', cast(NULL AS int)) AS m")
    assert rows(df) == [([(1, None), None], {"k": None})]


def test_checkpoint(spark):
    df = spark.range(10).localCheckpoint()
    assert df.count() == 10
    assert df.filter("id > 5").count() == 4


@pytest.mark.parametrize("count", [0, 1, 10_000, 10_001])
def test_around_a_batch(spark, count):
    assert len(spark.range(count).collect()) == count


def test_schema_properties(people):
    assert people.schema.names == ["name", "age", "country"]
    assert people.dtypes == [("name", "string"), ("age", "int"), ("country", "string")]
    assert "age" in people.columns
    assert people.inputFiles() == []
