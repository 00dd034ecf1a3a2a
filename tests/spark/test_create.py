"""createDataFrame and range: from rows, dictionaries, pandas, Arrow; small and large."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyspark.errors import PySparkException
from pyspark.sql import Row
from pyspark.sql import functions as F
from pyspark.sql import types as T
from results import column, rows, types, value


def test_tuples_with_names(spark):
    df = spark.createDataFrame([(1, "a"), (2, None)], ["id", "name"])
    assert df.columns == ["id", "name"]
    assert types(df) == ["bigint", "string"]
    assert rows(df) == [(1, "a"), (2, None)]


def test_tuples_without_names(spark):
    assert spark.createDataFrame([(1, 2.5)]).columns == ["_1", "_2"]


def test_rows_and_dictionaries(spark):
    assert rows(spark.createDataFrame([Row(a=1, b=Row(c="x"))])) == [(1, ("x",))]
    df = spark.createDataFrame([{"b": 1, "a": "x"}, {"a": "y", "b": 2}])
    assert rows(df.select("a", "b")) == [("x", 1), ("y", 2)]


def test_ddl_schema(spark):
    df = spark.createDataFrame([(1, [1, 2], {"k": 1.5}, ("z",))], "i int, a array<long>, m map<string,double>, s struct<x:string>")
    assert types(df) == ["int", "array<bigint>", "map<string,double>", "struct<x:string>"]
    assert rows(df) == [(1, [1, 2], {"k": 1.5}, ("z",))]


def test_single_type(spark):
    assert rows(spark.createDataFrame([1, 2, 3], T.IntegerType())) == [(1,), (2,), (3,)]
    assert spark.createDataFrame(["a"], "string").columns == ["value"]


def test_empty(spark):
    df = spark.createDataFrame([], "a int, b string")
    assert rows(df) == []
    assert df.count() == 0
    assert df.isEmpty()
    assert types(df) == ["int", "string"]


def test_every_simple_type(spark):
    schema = T.StructType(
        [
            T.StructField("bool", T.BooleanType()),
            T.StructField("byte", T.ByteType()),
            T.StructField("short", T.ShortType()),
            T.StructField("int", T.IntegerType()),
            T.StructField("long", T.LongType()),
            T.StructField("float", T.FloatType()),
            T.StructField("double", T.DoubleType()),
            T.StructField("decimal", T.DecimalType(10, 2)),
            T.StructField("string", T.StringType()),
            T.StructField("binary", T.BinaryType()),
            T.StructField("date", T.DateType()),
            T.StructField("timestamp", T.TimestampType()),
            T.StructField("ntz", T.TimestampNTZType()),
            T.StructField("interval", T.DayTimeIntervalType()),
        ]
    )
    moment = datetime.datetime(2026, 3, 1, 12, 30, 15, 123456)
    row = (
        True, 127, -32768, 2**31 - 1, -(2**63), 0.5, 1e300, Decimal("12345678.90"), "žluťoučký 🐎", b"\x00\xff",
        datetime.date(1969, 7, 20), moment, moment, datetime.timedelta(days=1, microseconds=5),
    )  # fmt: skip
    df = spark.createDataFrame([row, tuple([None] * len(schema))], schema)
    assert df.schema == schema
    first, second = df.collect()
    assert tuple(first) == row
    assert tuple(second) == (None,) * len(schema)


def test_nullability_is_kept_and_checked(spark):
    schema = T.StructType([T.StructField("a", T.IntegerType(), False)])
    assert spark.createDataFrame([(1,)], schema).schema == schema
    with pytest.raises(PySparkException):
        spark.createDataFrame([(None,)], schema)


def test_pandas(spark):
    frame = pd.DataFrame(
        {
            "i": np.array([1, 2], dtype="int32"),
            "f": [0.5, np.nan],
            "s": ["x", None],
            "t": pd.to_datetime(["2026-01-01 10:00", "2026-01-02 11:30"]),
            "l": [[1, 2], [3]],
        }
    )
    df = spark.createDataFrame(frame)
    assert types(df)[0] == "int"
    assert column(df, "i") == [1, 2]
    assert column(df, "s") == ["x", None]
    assert column(df, "l") == [[1, 2], [3]]
    assert column(df, "t")[1] == datetime.datetime(2026, 1, 2, 11, 30)


def test_arrow(spark):
    table = pa.table({"a": pa.array([1, 2, None], pa.int16()), "b": ["x", "y", "z"]})
    df = spark.createDataFrame(table)
    assert types(df) == ["smallint", "string"]
    assert rows(df) == [(1, "x"), (2, "y"), (None, "z")]


def test_numpy(spark):
    assert rows(spark.createDataFrame(np.array([[1, 2], [3, 4]]), ["a", "b"])) == [(1, 2), (3, 4)]


@pytest.mark.parametrize("count", [20_000, 300_000])
def test_more_than_a_mebibyte(spark, count):
    """Such data goes up as artifacts."""
    frame = pd.DataFrame({"id": np.arange(count), "text": [f"row number {i:010d} of many" for i in range(count)]})
    df = spark.createDataFrame(frame)
    total = df.agg(F.count("*"), F.sum("id"), F.max("text")).first()
    assert tuple(total) == (count, count * (count - 1) // 2, f"row number {count - 1:010d} of many")


def test_large_data_twice(spark):
    frame = pd.DataFrame({"id": np.arange(200_000)})
    assert spark.createDataFrame(frame).count() == 200_000
    assert spark.createDataFrame(frame).union(spark.createDataFrame(frame)).count() == 400_000


def test_a_long_string(spark):
    text = "x" * 3_000_000
    assert value(spark.createDataFrame([(text,)], "s string").select(F.length("s"))) == 3_000_000
    assert value(spark.createDataFrame([(text,)], "s string")) == text


def test_range(spark):
    assert column(spark.range(5)) == [0, 1, 2, 3, 4]
    assert column(spark.range(2, 11, 3)) == [2, 5, 8]
    assert column(spark.range(5, 0, -2)) == [5, 3, 1]
    assert column(spark.range(3, 3)) == []
    df = spark.range(0, 100, 1, 7)
    assert df.columns == ["id"]
    assert df.count() == 100
    assert df.select(F.spark_partition_id()).distinct().count() == 7


def test_range_in_sql(spark):
    assert column(spark.sql("SELECT * FROM range(3)")) == [0, 1, 2]
    assert column(spark.sql("SELECT id FROM range(10, 20, 5)")) == [10, 15]


def test_values_in_sql(spark):
    df = spark.sql("SELECT * FROM VALUES (1, 'a'), (2, 'b') AS t(id, name)")
    assert rows(df) == [(1, "a"), (2, "b")]
    assert spark.sql("VALUES (1, 2)").columns == ["col1", "col2"]


def test_wrong_rows_are_refused(spark):
    with pytest.raises(Exception, match="int"):
        spark.createDataFrame([(1, "x"), ("y", 2)], "a int, b string")


def test_duplicate_names(spark):
    df = spark.createDataFrame([(1, 2)], ["a", "a"])
    assert df.columns == ["a", "a"]
    assert rows(df) == [(1, 2)]


def test_schema_of_nested_types(spark):
    schema = "a array<struct<x:int,y:map<string,array<date>>>>"
    df = spark.createDataFrame([([(1, {"k": [datetime.date(2026, 1, 1)]})],)], schema)
    assert rows(df) == [([(1, {"k": [datetime.date(2026, 1, 1)]})],)]
    assert df.schema.simpleString() == f"struct<{schema.replace(' ', ':', 1)}>"
