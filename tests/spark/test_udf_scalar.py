"""udf, pandas_udf and arrow_udf of one value a row: where they may stand, how they are called, how they fail."""

import os
import random
import time
from datetime import date, datetime
from decimal import Decimal
from typing import Iterator

import pandas as pd
import pyarrow as pa
import pytest
from pyspark import TaskContext
from pyspark.errors import AnalysisException, PythonException
from pyspark.sql import Row
from pyspark.sql import functions as F
from pyspark.sql.functions import arrow_udf, pandas_udf, udf
from results import bag


def plus_one(column):
    # A function takes its session's settings when it is made.
    def plus_one(x):
        return None if x is None else x + 1

    return udf(plus_one, "long")(column)


def doubled(column):
    @pandas_udf("long")
    def doubled(x: pd.Series) -> pd.Series:
        return x * 2

    return doubled(column)


@pytest.fixture
def numbers(spark):
    return spark.range(6).selectExpr("id", "cast(id % 3 as int) as k", "concat('n', id) as name")


def test_plain_functions(numbers):
    joined = udf(lambda a, b: f"{a}-{b}", "string")
    assert numbers.select(plus_one("id").alias("x"), joined("name", "k"), "id").collect() == [
        (i + 1, f"n{i}-{i % 3}", i) for i in range(6)
    ]
    assert numbers.select(plus_one("id")).columns == ["plus_one(id)"]
    assert numbers.select(udf(lambda: 7, "int")()).distinct().collect() == [(7,)]
    assert numbers.sparkSession.sql("select cast(null as bigint) x").select(plus_one("x")).collect() == [(None,)]


def test_pandas_and_arrow_functions(numbers):
    @arrow_udf("long")
    def tripled(x: pa.Array) -> pa.Array:
        return pa.compute.multiply(x, 3)

    @pandas_udf("long")
    def running(parts: Iterator[pd.Series]) -> Iterator[pd.Series]:
        for part in parts:
            yield part + 100

    @arrow_udf("long")
    def arrow_running(parts: Iterator[pa.Array]) -> Iterator[pa.Array]:
        for part in parts:
            yield pa.compute.add(part, 1000)

    import pyarrow.compute  # noqa: F401

    rows = numbers.select(doubled("id"), tripled("id"), running("id"), arrow_running("id")).collect()
    assert rows == [(2 * i, 3 * i, i + 100, i + 1000) for i in range(6)]


def test_functions_of_functions(numbers):
    rows = numbers.select(plus_one(plus_one("id")), doubled(plus_one("id")), plus_one(F.col("id") * 2) + doubled("id"))
    assert rows.collect() == [(i + 2, 2 * (i + 1), 4 * i + 1) for i in range(6)]
    assert "EvaluatePython" in numbers.select(plus_one(plus_one("id")))._explain_string(extended=True)


def test_chained_functions_take_one_request(numbers):
    pid = udf(lambda x: os.getpid(), "long")
    same = udf(lambda a: a == os.getpid(), "boolean")
    assert numbers.coalesce(1).select(same(pid("id"))).distinct().collect() == [(True,)]


def test_filters_joins_sorts_and_groups(numbers):
    even = udf(lambda x: x % 2 == 0, "boolean")
    assert numbers.filter(even("id")).select("id").collect() == [(0,), (2,), (4,)]
    assert numbers.filter((F.col("id") > 1) & even("id") | (F.col("id") == 5)).select("id").collect() == [(2,), (4,), (5,)]
    assert numbers.orderBy(-plus_one("id")).select("id").collect() == [(i,) for i in range(5, -1, -1)]
    assert numbers.groupBy(plus_one("k").alias("g")).agg(F.sum(doubled("id")).alias("s")).sort("g").collect() == [
        Row(g=1, s=6), Row(g=2, s=10), Row(g=3, s=14)
    ]
    other = numbers.select(F.col("id").alias("other"))
    assert numbers.join(other, plus_one("id") == F.col("other")).select("id", "other").sort("id").collect() == [
        (i, i + 1) for i in range(5)
    ]
    near = udf(lambda a, b: abs(a - b) == 5, "boolean")
    assert numbers.join(other, near("id", "other")).select("id", "other").sort("id").collect() == [(0, 5), (5, 0)]
    with pytest.raises(AnalysisException, match="PYTHON_UDF_IN_ON_CLAUSE"):
        numbers.join(other, near("id", "other"), "left").collect()
    assert numbers.withColumn("x", plus_one("id")).filter("x > 4").select("x").collect() == [(5,), (6,)]
    assert numbers.select(F.when(even("id"), plus_one("id")).otherwise(F.lit(-1))).collect() == [
        (i + 1 if i % 2 == 0 else -1,) for i in range(6)
    ]


def test_a_condition_guards_the_function(numbers):
    inverse = udf(lambda x: 60 // x, "long")
    assert numbers.filter((F.col("id") > 2) & (inverse("id") > 12)).select("id").collect() == [(3,), (4,)]


def test_named_arguments(numbers):
    minus = udf(lambda a, b: a - b, "long")
    assert numbers.select(minus(b=F.col("k").cast("long"), a="id")).collect() == [(i - i % 3,) for i in range(6)]

    @pandas_udf("long")
    def pandas_minus(a, b):
        return a - b

    assert numbers.select(pandas_minus(F.col("id"), b=F.lit(1))).collect() == [(i - 1,) for i in range(6)]


def test_types_of_arguments_and_results(spark):
    df = spark.sql(
        "select true a, 1Y b, 2S c, 3 d, 4L e, 1.5F f, 2.5D g, 12.34BD h, 'x' i, x'01ff' j, date'2024-02-29' k, "
        "timestamp'2024-02-29 01:02:03.456' l, timestamp_ntz'2024-02-29 01:02:03' m, array(1, null) n, map('k', 1) o, "
        "named_struct('p', 1, 'q', 'z') r, interval 1 day 2 hours s"
    )
    for name in df.columns:
        same = udf(lambda x: x, df.schema[name].dataType)
        assert df.select(same(name).alias(name)).collect() == df.select(name).collect(), name
    seen = df.select(*(udf(lambda x: type(x).__name__, "string")(name) for name in df.columns)).collect()[0]
    assert list(seen) == [
        "bool", "int", "int", "int", "int", "float", "float", "Decimal", "str", "bytes", "date", "datetime", "datetime",
        "list", "dict", "Row", "timedelta",
    ]
    made = udf(lambda: (1, [date(2024, 1, 1)], {"a": Decimal("1.50")}), "a int, b array<date>, c map<string,decimal(5,2)>")
    assert df.select(made().alias("x")).select("x.*").collect() == [
        Row(a=1, b=[date(2024, 1, 1)], c={"a": Decimal("1.50")})
    ]
    assert df.select(udf(lambda x: x.replace(year=2000), "timestamp")("l")).collect() == [
        (datetime(2000, 2, 29, 1, 2, 3, 456000),)
    ]

    @pandas_udf("a long, b string")
    def frame(x: pd.Series) -> pd.DataFrame:
        return pd.DataFrame({"a": x, "b": x.astype(str)})

    assert spark.range(2).select(frame("id").alias("s")).select("s.a", "s.b").collect() == [(0, "0"), (1, "1")]


def test_random_functions_run_for_each_use(numbers):
    noise = udf(lambda: random.random(), "double").asNondeterministic()
    row = numbers.limit(1).select(noise().alias("a"), noise().alias("b")).collect()[0]
    assert row.a != row.b
    calm = udf(lambda: random.random(), "double")
    row = numbers.limit(1).select(calm().alias("a"), calm().alias("b")).collect()[0]
    assert row.a == row.b


def test_registered_functions_in_sql(spark):
    spark.udf.register("plus_one", lambda x: x + 1, "long")
    spark.udf.register("shout", lambda text: text.upper() + "!", "string")
    @pandas_udf("long")
    def twice(x: pd.Series) -> pd.Series:
        return x * 2

    spark.udf.register("doubled", twice)
    assert spark.sql("select plus_one(id), shout(concat('a', id)), doubled(id) from range(2) where plus_one(id) > 1").collect() == [
        (2, "A1!", 2)
    ]
    assert spark.sql("select sum(plus_one(id)) from range(3) group by doubled(id) % 4 having sum(plus_one(id)) > 2").collect() == [(4,)]
    assert spark.range(1).selectExpr("shout('b')").collect() == [("B!",)]
    assert spark.range(2).select(F.call_function("plus_one", "id")).collect() == [(1,), (2,)]
    with pytest.raises(AnalysisException, match="UNRESOLVED_ROUTINE"):
        spark.sql("select no_such_udf(1)")
    spark.sql("create temporary view over_udf as select plus_one(id) as x from range(3)")
    assert spark.sql("select sum(x) from over_udf").collect() == [(6,)]


def test_foreach_and_task_context(spark, tmp_path):
    folder = str(tmp_path)

    def touch(row):
        open(f"{folder}/{row.id}", "w").close()

    spark.range(3).foreach(touch)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1", "2"]
    here = udf(lambda: TaskContext.get().partitionId(), "int")
    rows = spark.range(0, 4, 1, 4).select(here().alias("p"), F.spark_partition_id().alias("q")).collect()
    assert [(row.p, row.q) for row in rows] == [(i, i) for i in range(4)]


def test_errors(numbers):
    with pytest.raises(PythonException) as caught:
        numbers.select(udf(lambda x: 1 // x, "long")("id")).collect()
    message = str(caught.value)
    assert "ZeroDivisionError: integer division or modulo by zero" in message and "worker.py" not in message
    with pytest.raises(PythonException, match="expected.*|length"):
        numbers.select(pandas_udf(lambda x: x.head(1), "long")("id")).coalesce(1).collect()
    with pytest.raises(AnalysisException, match="LAMBDA_FUNCTION_WITH_PYTHON_UDF"):
        numbers.select(F.transform(F.array("id"), lambda x: plus_one(x))).collect()


def test_a_killed_worker_fails_the_task_only(numbers):
    with pytest.raises(Exception, match="FIRESTEEL_PYTHON_WORKER_FAILED"):
        numbers.select(udf(lambda x: os.abort(), "long")("id")).collect()
    with pytest.raises(Exception, match="FIRESTEEL_PYTHON_WORKER_FAILED|SystemExit|PYTHON_EXCEPTION"):
        numbers.select(udf(lambda x: os.kill(os.getpid(), 9), "long")("id")).collect()
    assert numbers.select(plus_one("id")).count() == 6


def test_workers_are_reused(spark):
    pid = udf(lambda: os.getpid(), "long")
    df = spark.range(0, 1, 1, 1).select(pid())
    assert df.collect() == df.collect()


def test_credentials_do_not_reach_the_worker(spark):
    names = udf(lambda: [n for n in os.environ if "TOKEN" in n or n.startswith("AWS")], "array<string>")
    assert spark.range(1).select(names()).collect() == [([],)]


def test_modules_sent_by_the_session(spark, tmp_path):
    module = tmp_path / "sent_module.py"
    module.write_text("def answer():\n    return 42\n")
    spark.addArtifacts(str(module), pyfile=True)

    def answer():
        import sent_module

        return sent_module.answer()

    assert spark.range(1).select(udf(answer, "int")()).collect() == [(42,)]


def test_a_million_rows(spark):
    begun = time.time()
    assert spark.range(1_000_000).select(doubled("id").alias("x")).agg(F.sum("x")).collect() == [(999_999_000_000,)]
    assert time.time() - begun < 60


def test_over_the_aggregates_of_a_pivot(spark):
    spark.udf.register("twice", lambda number: number * 2, "bigint")
    sales = spark.createDataFrame([("lamp", 2020, 3), ("lamp", 2021, 4), ("desk", 2020, 5), ("desk", 2021, 6)],
                                  "product string, year int, n int")
    sales.createOrReplaceTempView("pivoted_sales")
    wide = spark.sql("SELECT * FROM pivoted_sales PIVOT (twice(sum(n)) FOR year IN (2020, 2021))")
    assert wide.columns == ["product", "2020", "2021"]
    assert bag(wide) == [("desk", 10, 12), ("lamp", 6, 8)]
