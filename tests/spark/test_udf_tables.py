"""Python table functions: from DataFrames and SQL, with TABLE arguments, in lateral joins."""

import pytest
from pyspark.errors import PythonException
from pyspark.sql import Row
from pyspark.sql import functions as F
from pyspark.sql.functions import udtf
from pyspark.sql.types import Row as RowType


@pytest.fixture
def squares(spark):
    class Squares:
        def eval(self, start: int, end: int):
            for number in range(start, end + 1):
                yield (number, number * number)

    function = udtf(Squares, returnType="num int, squared int")
    spark.udtf.register("squares", function)
    return function


@pytest.fixture
def count_rows(spark):
    class Counter:
        """Counts the rows of a partition of a table."""

        def __init__(self):
            self.rows = 0
            self.names = ""

        def eval(self, row: RowType):
            self.rows += 1
            self.names = row["k"]

        def terminate(self):
            yield self.names, self.rows

    function = udtf(Counter, returnType="k string, n int")
    spark.udtf.register("count_rows", function)
    return function


def test_from_dataframes_and_sql(spark, squares):
    assert squares(F.lit(1), F.lit(3)).collect() == [Row(num=i, squared=i * i) for i in (1, 2, 3)]
    assert spark.sql("select squared from squares(2, 4) where num > 2").collect() == [(9,), (16,)]
    assert spark.sql("select * from squares(end => 2, start => 1)").collect() == [(1, 1), (2, 4)]
    assert spark.sql("select count(*) from squares(1, 0)").collect() == [(0,)]
    assert squares(F.lit(1), F.lit(2)).join(spark.range(3), F.col("num") == F.col("id")).count() == 2


def test_lateral_joins(spark, squares):
    spark.sql("create temporary view udtf_ends as select * from values (1, 'a'), (0, 'b'), (2, 'c') as t(n, name)")
    rows = spark.sql("select name, num, squared from udtf_ends, lateral squares(1, n) order by name, num").collect()
    assert rows == [("a", 1, 1), ("c", 1, 1), ("c", 2, 4)]
    rows = spark.sql(
        "select name, x from udtf_ends left join lateral squares(1, n) as s(x, y) order by name, x"
    ).collect()
    assert rows == [("a", 1), ("b", None), ("c", 1), ("c", 2)]


def test_a_lateral_join_keeps_rows_together_over_many_batches(spark):
    class Repeat:
        def eval(self, n):
            for i in range(n % 3):
                yield n, i

    spark.udtf.register("repeat_rows", udtf(Repeat, returnType="n int, i int"))
    spark.range(25000).selectExpr("cast(id as int) as id").createOrReplaceTempView("udtf_many")
    agreeing = "select count(*), count_if(id = n) from udtf_many"
    assert spark.sql(f"{agreeing}, lateral repeat_rows(id)").collect() == [(24999, 24999)]
    assert spark.sql(f"{agreeing} left join lateral repeat_rows(id)").collect() == [(33333, 24999)]


def test_table_arguments(spark, count_rows):
    spark.sql("create temporary view udtf_rows as select concat('k', id % 3) as k, id from range(10)")
    rows = spark.sql("select * from count_rows(table(udtf_rows) partition by k order by id)").collect()
    assert sorted(rows) == [("k0", 4), ("k1", 3), ("k2", 3)]
    rows = spark.sql("select n from count_rows(table(udtf_rows) with single partition)").collect()
    assert rows == [(10,)]
    table = spark.table("udtf_rows")
    assert sorted(count_rows(table.asTable().partitionBy("k")).collect()) == [("k0", 4), ("k1", 3), ("k2", 3)]


def test_errors(spark):
    class Fails:
        def eval(self):
            raise ValueError("no rows today")

    with pytest.raises(PythonException, match="no rows today"):
        udtf(Fails, returnType="x int")().collect()

    class Wide:
        def eval(self):
            yield 1, 2

    with pytest.raises(PythonException, match="UDTF_RETURN_SCHEMA_MISMATCH"):
        udtf(Wide, returnType="x int")().collect()
