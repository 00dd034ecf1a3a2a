"""Python table functions whose `analyze` method says what rows a call gives and how its table is dealt out."""

import sys
from dataclasses import dataclass

import pytest
from pyspark import cloudpickle
from pyspark.errors import AnalysisException
from pyspark.sql import Row
from pyspark.sql import functions as F
from pyspark.sql.functions import AnalyzeArgument, AnalyzeResult, OrderingColumn, PartitioningColumn, SelectedColumn
from pyspark.sql.functions import udtf
from pyspark.sql.types import IntegerType, LongType, StringType, StructType


cloudpickle.register_pickle_by_value(sys.modules[__name__])


@pytest.fixture(params=["here", "in processes"])
def spark(request, connect, server):
    return connect(server if request.param == "here" else request.getfixturevalue("processes"))


@pytest.fixture
def numbers(spark):
    spark.sql("create or replace temporary view numbers as select id % 3 as k, id as n from range(9)")
    return spark.table("numbers")


class Columns:
    """As many columns as a constant says, named by another argument."""

    @staticmethod
    def analyze(count: AnalyzeArgument, prefix: AnalyzeArgument) -> AnalyzeResult:
        assert count.isConstantExpression and not count.isTable and isinstance(count.dataType, IntegerType)
        schema = StructType()
        for place in range(count.value):
            schema = schema.add(f"{prefix.value}{place}", IntegerType())
        return AnalyzeResult(schema)

    def eval(self, count: int, prefix: str):
        yield tuple(range(count))


def test_columns_come_from_constants(spark):
    function = udtf(Columns)
    assert function(F.lit(2), F.lit("c")).collect() == [Row(c0=0, c1=1)]
    assert function(prefix=F.lit("x"), count=F.lit(3)).columns == ["x0", "x1", "x2"]
    spark.udtf.register("columns_of", function)
    assert spark.sql("select * from columns_of(1 + 1, concat('a', 'b'))").collect() == [Row(ab0=0, ab1=1)]
    assert spark.sql("select ab1 + 1 as s from columns_of(prefix => 'ab', count => 2)").collect() == [Row(s=2)]


def test_constants_of_every_type_arrive(spark):
    class Constants:
        @staticmethod
        def analyze(*values: AnalyzeArgument) -> AnalyzeResult:
            return AnalyzeResult(StructType().add(" ".join(repr(value.value) for value in values), StringType()))

        def eval(self, *values):
            yield (str(values[0]),)

    spark.udtf.register("constants", udtf(Constants))
    query = """select * from constants(true, 1.50BD, date '2024-02-29', array(1, null), named_struct('a', 'b'), null,
        timestamp_ntz '2024-02-29 01:02:03', map('k', 2), 0.5d, x'00ff')"""
    expected = (
        "True Decimal('1.50') datetime.date(2024, 2, 29) [1, None] Row(a='b') None "
        "datetime.datetime(2024, 2, 29, 1, 2, 3) {'k': 2} 0.5 b'\\x00\\xff'"
    )
    assert spark.sql(query).columns == [expected]


def test_beside_the_rows_of_a_lateral_join(spark, numbers):
    class Repeated:
        @staticmethod
        def analyze(value: AnalyzeArgument, count: AnalyzeArgument) -> AnalyzeResult:
            assert value.value is None and not value.isConstantExpression
            return AnalyzeResult(StructType().add("twice", value.dataType))

        def eval(self, value, count):
            for _ in range(count):
                yield (value * 2,)

    spark.udtf.register("repeated", udtf(Repeated))
    rows = spark.sql("select n, twice from numbers, lateral repeated(n, 2) where k = 1 order by n").collect()
    assert rows == [(1, 2), (1, 2), (4, 8), (4, 8), (7, 14), (7, 14)]
    rows = spark.sql("select n, t from numbers join lateral repeated(n, 1) as r(t) on t > 12 order by n").collect()
    assert rows == [(7, 14), (8, 16)]


def test_the_answer_reaches_the_instances(spark):
    @dataclass
    class Prepared(AnalyzeResult):
        words: tuple = ()

    class Split:
        @staticmethod
        def analyze(text: AnalyzeArgument) -> AnalyzeResult:
            return Prepared(StructType().add("word", StringType()), words=tuple(text.value.split()))

        def __init__(self, prepared):
            self.words = prepared.words

        def eval(self, text: str):
            for word in self.words:
                yield (word,)

    assert udtf(Split)(F.lit("to be")).collect() == [("to",), ("be",)]


def counting(**wanted):
    """A function that counts its table's rows and notes their order, with what its answer wants of the table."""

    class Counted:
        def __init__(self):
            self.keys, self.seen = set(), []

        @staticmethod
        def analyze(table: AnalyzeArgument) -> AnalyzeResult:
            assert table.isTable and isinstance(table.dataType, StructType)
            schema = StructType().add("keys", IntegerType()).add("seen", StringType())
            return AnalyzeResult(schema, **wanted)

        def eval(self, row: Row):
            self.keys.add(row[0])
            self.seen.append(str(row[1]))

        def terminate(self):
            yield len(self.keys), ",".join(self.seen)

    return udtf(Counted)


def test_analyze_deals_the_table_out(spark, numbers):
    table = numbers.asTable()
    order = [OrderingColumn("n", ascending=False)]
    by_key = counting(partitionBy=[PartitioningColumn("k")], orderBy=order)
    assert sorted(by_key(table).collect()) == [(1, "6,3,0"), (1, "7,4,1"), (1, "8,5,2")]
    by_expression = counting(partitionBy=[PartitioningColumn("k % 2")], orderBy=order)
    assert sorted(by_expression(table).collect()) == [(1, "7,4,1"), (2, "8,6,5,3,2,0")]
    at_once = counting(withSinglePartition=True, orderBy=[OrderingColumn("k", overrideNullsFirst=False), *order])
    assert at_once(table).collect() == [(3, "6,3,0,7,4,1,8,5,2")]
    spark.udtf.register("by_key", by_key)
    rows = spark.sql("select seen from by_key(table(select k, n * 10 as n from numbers where n > 2))").collect()
    assert sorted(rows) == [("60,30",), ("70,40",), ("80,50",)]
    spark.udtf.register("at_once", at_once)
    rows = spark.sql("select i, keys from values (1), (2) as t(i), lateral at_once(table(numbers))").collect()
    assert sorted(rows) == [(1, 3), (2, 3)]


def test_analyze_selects_columns(spark, numbers):
    wanted = [SelectedColumn("n"), SelectedColumn("k * 100 + n", alias="both")]
    selecting = counting(
        withSinglePartition=True, select=wanted, orderBy=[OrderingColumn("k"), OrderingColumn("n")]
    )
    assert selecting(numbers.asTable()).collect() == [(9, "0,3,6,101,104,107,202,205,208")]
    with pytest.raises(AnalysisException) as raised:
        counting(select=[SelectedColumn("n + 1")])(numbers.asTable()).collect()
    assert raised.value.getCondition() == (
        "UDTF_INVALID_REQUESTED_SELECTED_EXPRESSION_FROM_ANALYZE_METHOD_REQUIRES_ALIAS"
    )


def condition(work) -> str:
    with pytest.raises(AnalysisException) as raised:
        work()
    return raised.value.getCondition()


def test_what_makes_no_sense_is_said(spark, numbers):
    table = numbers.asTable()
    key, order = PartitioningColumn("k"), OrderingColumn("n")
    both = counting(withSinglePartition=True, partitionBy=[key])
    assert condition(lambda: both(table).collect()) == "TABLE_VALUED_FUNCTION_REQUIRED_METADATA_INVALID"
    alone = counting(orderBy=[order])
    assert condition(lambda: alone(table).collect()) == "TABLE_VALUED_FUNCTION_REQUIRED_METADATA_INVALID"
    by_key = counting(partitionBy=[key])
    twice = condition(lambda: by_key(table.partitionBy("k")).collect())
    assert twice == "TABLE_VALUED_FUNCTION_REQUIRED_METADATA_INCOMPATIBLE_WITH_CALL"
    aliased = counting(partitionBy=[key], orderBy=[OrderingColumn("n AS m")])
    aliased = condition(lambda: aliased(table).collect())
    assert aliased == "UDTF_INVALID_ALIAS_IN_REQUESTED_ORDERING_STRING_FROM_ANALYZE_METHOD"
    unknown = counting(partitionBy=[PartitioningColumn("nowhere")])
    assert condition(lambda: unknown(table).collect()).startswith("UNRESOLVED_COLUMN")


def test_failures_of_analyze(spark):
    class Fails:
        @staticmethod
        def analyze(value: AnalyzeArgument) -> AnalyzeResult:
            raise ValueError("I would rather not")

        def eval(self, value):
            yield (value,)

    failed = "TABLE_VALUED_FUNCTION_FAILED_TO_ANALYZE_IN_PYTHON"
    with pytest.raises(AnalysisException, match="I would rather not") as raised:
        udtf(Fails)(F.lit(1)).collect()
    assert raised.value.getCondition() == failed
    spark.udtf.register("fails", udtf(Fails))
    with pytest.raises(AnalysisException, match="arguments did not match"):
        spark.sql("select * from fails(1, 2)").collect()

    class Crashes(Fails):
        @staticmethod
        def analyze(value: AnalyzeArgument) -> AnalyzeResult:
            import os

            os._exit(1)

    with pytest.raises(Exception, match="crashed"):
        udtf(Crashes)(F.lit(1)).collect()
    assert udtf(Columns)(F.lit(1), F.lit("still")).collect() == [(0,)]


def test_long_answers_and_many_rows(spark):
    class Wide:
        @staticmethod
        def analyze(text: AnalyzeArgument, table: AnalyzeArgument) -> AnalyzeResult:
            schema = StructType().add("length", IntegerType()).add("rows", LongType())
            return AnalyzeResult(schema, withSinglePartition=True)

        def __init__(self):
            self.length = self.rows = 0

        def eval(self, text, row):
            self.length, self.rows = len(text), self.rows + 1

        def terminate(self):
            yield self.length, self.rows

    text = "x" * 100_000
    assert udtf(Wide)(F.lit(text), spark.range(5000).asTable()).collect() == [(100_000, 5000)]
