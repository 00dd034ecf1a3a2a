"""Types: schemas, casts between types, what the client sees."""

import datetime
import json
from decimal import Decimal

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import types as T
from results import sql, types, value

KINDS = [
    "boolean", "tinyint", "byte", "smallint", "int", "integer", "bigint", "long", "float", "real", "double", "decimal", "decimal(20,3)",
    "dec(5)", "numeric(7,2)", "string", "binary", "date", "timestamp", "timestamp_ltz", "timestamp_ntz", "interval year to month",
    "interval month", "interval day to second", "interval hour to minute", "array<int>", "map<string,array<double>>",
    "struct<p:int,q:struct<r:string>>", "void",
]  # fmt: skip
SEEN = [
    "boolean", "tinyint", "tinyint", "smallint", "int", "int", "bigint", "bigint", "float", "float", "double", "decimal(10,0)", "decimal(20,3)",
    "decimal(5,0)", "decimal(7,2)", "string", "binary", "date", "timestamp", "timestamp", "timestamp_ntz", "interval year to month",
    "interval month", "interval day to second", "interval hour to minute", "array<int>", "map<string,array<double>>",
    "struct<p:int,q:struct<r:string>>", "void",
]  # fmt: skip


def test_types_survive(spark):
    df = spark.sql("SELECT " + ", ".join(f"cast(NULL AS {kind}) AS c{i}" for i, kind in enumerate(KINDS)))
    assert [field.dataType.simpleString() for field in df.schema.fields] == SEEN
    # The client itself cannot collect intervals of months.
    assert set(df.select(*[name for name, kind in df.dtypes if "month" not in kind]).first()) == {None}


def test_schema_as_json_and_tree(spark):
    df = spark.sql("SELECT 1 AS a, array(named_struct('x', 'y')) AS xs")
    assert json.loads(df.schema.json())["fields"][0] == {"name": "a", "type": "integer", "nullable": False, "metadata": {}}
    assert df.schema["xs"].dataType == T.ArrayType(T.StructType([T.StructField("x", T.StringType(), False)]), False)


def test_print_schema(spark, capsys):
    spark.createDataFrame([], "a int, b array<struct<c:string,d:map<string,double>>>").printSchema()
    assert capsys.readouterr().out.rstrip("\n") == "\n".join([
        "root",
        " |-- a: integer (nullable = true)",
        " |-- b: array (nullable = true)",
        " |    |-- element: struct (containsNull = true)",
        " |    |    |-- c: string (nullable = true)",
        " |    |    |-- d: map (nullable = true)",
        " |    |    |    |-- key: string",
        " |    |    |    |-- value: double (valueContainsNull = true)",
    ])  # fmt: skip


def test_print_schema_to_a_level(spark, capsys):
    spark.createDataFrame([], "a struct<b:int>").printSchema(1)
    assert capsys.readouterr().out.rstrip("\n") == "root\n |-- a: struct (nullable = true)"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cast(1 AS boolean)", True),
        ("cast(1.7 AS bigint)", 1),
        ("cast('1e2' AS double)", 100.0),
        ("cast('12.345' AS decimal(5,2))", Decimal("12.35")),
        ("cast(array(1, 2) AS array<string>)", ["1", "2"]),
        ("cast(array(1, NULL) AS string)", "[1, null]"),
        ("cast(map('a', 1) AS string)", "{a -> 1}"),
        ("cast(struct(1, 'x', NULL) AS string)", "{1, x, null}"),
        ("cast(x'4142' AS string)", "AB"),
        ("cast('ab' AS binary)", b"ab"),
        ("cast('2026-01-02 03:04:05' AS timestamp)", datetime.datetime(2026, 1, 2, 3, 4, 5)),
        ("cast('2026-01-02T03:04:05Z' AS timestamp)", datetime.datetime(2026, 1, 2, 3, 4, 5)),
        ("cast(timestamp'2026-01-02 03:04:05' AS date)", datetime.date(2026, 1, 2)),
        ("cast(date'2026-01-02' AS timestamp)", datetime.datetime(2026, 1, 2)),
        ("cast(timestamp'1970-01-01 00:00:10Z' AS bigint)", 10),
        ("cast(10 AS timestamp)", datetime.datetime(1970, 1, 1, 0, 0, 10)),
        ("cast(true AS string)", "true"),
        ("cast(named_struct('a', 1) AS struct<b:string>)", ("1",)),
        ("try_cast('x' AS int)", None),
        ("try_cast(300 AS tinyint)", None),
        ("try_cast('2026-13-01' AS date)", None),
    ],
)
def test_casts(spark, expression, expected):
    got = sql(spark, expression)
    assert got == expected


@pytest.mark.parametrize(
    ("expression", "condition"),
    [
        ("cast('x' AS int)", "CAST_INVALID_INPUT"),
        ("cast('' AS double)", "CAST_INVALID_INPUT"),
        ("cast('2026-13-01' AS date)", "CAST_INVALID_INPUT"),
        ("cast('maybe' AS boolean)", "CAST_INVALID_INPUT"),
        ("cast(300 AS tinyint)", "CAST_OVERFLOW"),
        ("cast(1e20D AS int)", "CAST_OVERFLOW"),
        ("cast(12345 AS decimal(4,2))", "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION"),
        ("cast(array(1) AS int)", "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION"),
        ("cast(1 AS date)", "DATATYPE_MISMATCH.CAST_WITH_FUNC_SUGGESTION"),
        ("2147483647 + 1", "ARITHMETIC_OVERFLOW"),
        ("9223372036854775807L + 1", "ARITHMETIC_OVERFLOW"),
        ("-(-2147483648)", "ARITHMETIC_OVERFLOW"),
        ("abs(cast(-128 AS tinyint))", "ARITHMETIC_OVERFLOW"),
        ("1 / 0", "DIVIDE_BY_ZERO"),
        ("1 % 0", "REMAINDER_BY_ZERO"),
        ("1.0 / 0", "DIVIDE_BY_ZERO"),
        ("5 div 0", "DIVIDE_BY_ZERO"),
        ("to_date('x', 'yyyy-MM-dd')", "CANNOT_PARSE_TIMESTAMP"),
        ("make_date(2026, 13, 1)", "DATETIME_FIELD_OUT_OF_BOUNDS"),
        ("raise_error('stop')", "USER_RAISED_EXCEPTION"),
        ("assert_true(1 > 2)", "USER_RAISED_EXCEPTION"),
    ],
)
def test_ansi_errors(spark, expression, condition):
    with pytest.raises(PySparkException) as raised:
        sql(spark, expression)
    assert raised.value.getCondition().startswith(condition)


def test_without_ansi(spark):
    spark.conf.set("spark.sql.ansi.enabled", "false")
    df = spark.sql("SELECT 1 / 0, cast('x' AS int), 2147483647 + 1, array(1)[5], cast(300 AS tinyint), element_at(array(1), 9)")
    assert tuple(df.first()) == (None, None, -2147483648, None, 44, None)
    spark.conf.set("spark.sql.ansi.enabled", "true")


def test_errors_while_running(spark):
    df = spark.createDataFrame([("1",), ("x",)], "s string")
    with pytest.raises(PySparkException) as raised:
        df.select(df.s.cast("int")).collect()
    assert raised.value.getCondition() == "CAST_INVALID_INPUT"
    assert raised.value.getSqlState() == "22018"


def test_timestamps_and_time_zones(spark):
    spark.conf.set("spark.sql.session.timeZone", "America/New_York")
    assert sql(spark, "cast(timestamp'2026-07-01 12:00:00Z' AS string)") == "2026-07-01 08:00:00"
    assert sql(spark, "hour(timestamp'2026-07-01 12:00:00Z')") == 8
    assert sql(spark, "cast(cast(timestamp'2026-07-01 12:00:00' AS timestamp_ntz) AS string)") == "2026-07-01 12:00:00"
    assert sql(spark, "cast(date'2026-03-08' AS timestamp) + interval 24 hours = timestamp'2026-03-09 00:00:00'") is True


def test_variant(spark):
    assert sql(spark, "variant_get(parse_json('{\"a\": [1, 2]}'), '$.a[1]', 'int')") == 2
    assert types(spark.sql("SELECT parse_json('1') AS v")) == ["variant"]


def test_char_and_varchar_pad(spark, schema):
    spark.sql("CREATE TABLE padded (c CHAR(3), v VARCHAR(3)) USING parquet")
    spark.sql("INSERT INTO padded VALUES ('a', 'b')")
    assert value(spark.sql("SELECT c || '|' || v FROM padded")) == "a  |b"
    with pytest.raises(PySparkException) as raised:
        spark.sql("INSERT INTO padded VALUES ('abcd', 'x')").collect()
    assert raised.value.getCondition() == "EXCEED_LIMIT_LENGTH"
