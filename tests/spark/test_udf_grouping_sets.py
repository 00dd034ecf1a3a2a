"""Aggregates written in Python with ROLLUP, CUBE and GROUPING SETS: as the engine's own aggregates have it."""

import pandas as pd
import pytest
from pyspark.errors import PySparkException
from pyspark.sql import functions as F
from pyspark.sql.functions import arrow_udf, pandas_udf
from pyspark.sql.types import DoubleType


@pandas_udf(DoubleType())
def total(values: pd.Series) -> float:
    return float(values.sum())


@pytest.fixture(params=["here", "in processes"])
def sales(request, connect, server):
    spark = connect(server if request.param == "here" else request.getfixturevalue("processes"))
    spark.udf.register("total", total)
    rows = [("a", 1, 1.0), ("a", 2, 2.0), ("b", 1, 4.0), ("b", 1, 8.0), (None, 2, 16.0)]
    frame = spark.createDataFrame(rows, "k string, y int, v double").repartition(3)
    frame.createOrReplaceTempView("sales")
    yield frame
    spark.catalog.dropTempView("sales")


@pytest.mark.parametrize(
    "grouping",
    [
        "ROLLUP(k, y)",
        "CUBE(k, y)",
        "GROUPING SETS ((k, y), (y), ())",
        "GROUPING SETS ((k), (k), (y))",
        "k, CUBE(y)",
        "ROLLUP(y % 2, k)",
    ],
)
def test_in_sql(sales, grouping):
    keys = "y % 2, k" if "%" in grouping else "k, y"
    query = "SELECT " + keys + ", {aggregate}, grouping_id() FROM sales GROUP BY " + grouping
    rows = [
        sorted(sales.sparkSession.sql(query.format(aggregate=aggregate)).collect(), key=repr)
        for aggregate in ("total(v)", "sum(v)")
    ]
    assert [tuple(row) for row in rows[0]] == [tuple(row) for row in rows[1]] and rows[0]


def test_data_frames(sales):
    def rows(grouped, *aggregates):
        return sorted((tuple(row) for row in grouped.agg(*aggregates).collect()), key=repr)

    for grouped in (sales.cube("k", "y"), sales.rollup("k", "y"), sales.groupingSets([["k"], []], "k", "y")):
        assert rows(grouped, total("v")) == rows(grouped, F.sum("v"))
    assert rows(sales.cube("k"), total("v"), total(F.col("v") * 2), total("y")) == [
        ("a", 3.0, 6.0, 3.0), ("b", 12.0, 24.0, 2.0), (None, 16.0, 32.0, 2.0), (None, 31.0, 62.0, 7.0),
    ]


def test_keys_as_arguments_keep_their_values(sales):
    query = "SELECT y, total(y), grouping(y) FROM sales GROUP BY ROLLUP(y) ORDER BY 3, 1"
    assert [tuple(row) for row in sales.sparkSession.sql(query).collect()] == [(1, 3.0, 0), (2, 4.0, 0), (None, 7.0, 1)]


def test_having_and_arrow(sales):
    import pyarrow as pa

    @arrow_udf("long")
    def count(values: pa.Array) -> int:
        return len(values)

    sales.sparkSession.udf.register("counted", count)
    query = "SELECT k, counted(v) FROM sales GROUP BY CUBE(k) HAVING counted(v) > 1"
    rows = sorted((tuple(row) for row in sales.sparkSession.sql(query).collect()), key=repr)
    assert rows == [("a", 2), ("b", 2), (None, 5)]


def test_pivot_refuses_them_as_in_spark(sales):
    with pytest.raises(PySparkException) as raised:
        sales.groupBy("k").pivot("y", [1, 2]).agg(total("v")).collect()
    assert raised.value.getCondition() == "UNSUPPORTED_FEATURE.PANDAS_UDAF_IN_PIVOT"
