"""Errors as the Python client sees them: exception, class, SQLSTATE, parameters, where in the query."""

import pytest
from pyspark.errors import (
    AnalysisException,
    ArithmeticException,
    NumberFormatException,
    ParseException,
    PySparkException,
    SparkRuntimeException,
)
from pyspark.sql import functions as F


def failure(session, text) -> PySparkException:
    with pytest.raises(PySparkException) as raised:
        session.sql(text).collect()
    return raised.value


@pytest.mark.parametrize(
    ("text", "condition", "state", "kind"),
    [
        ("SELECT nothing FROM range(1)", "UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", AnalysisException),
        ("SELECT nothing", "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", "42703", AnalysisException),
        ("SELECT * FROM nothing", "TABLE_OR_VIEW_NOT_FOUND", "42P01", AnalysisException),
        ("SELECT nothing(1)", "UNRESOLVED_ROUTINE", "42883", AnalysisException),
        ("SELECT upper()", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", AnalysisException),
        ("SELECT array(1, 2) + 1", "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES", "42K09", AnalysisException),
        ("SELECT upper(array(1))", "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "42K09", AnalysisException),
        ("SELECT id FROM range(1) WHERE id", "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN", "42K09", AnalysisException),
        ("SELECT id, count(*) FROM range(1)", "MISSING_GROUP_BY", "42803", AnalysisException),
        ("SELECT a.x FROM (SELECT 1 AS a)", "INVALID_EXTRACT_BASE_FIELD_TYPE", "42000", AnalysisException),
        ("SELECT s.y FROM (SELECT named_struct('x', 1) AS s)", "FIELD_NOT_FOUND", "42704", AnalysisException),
        ("SELECT 1 UNION SELECT 1, 2", "NUM_COLUMNS_MISMATCH", "42826", AnalysisException),
        ("SELECT id FROM range(1) ORDER BY 5", "ORDER_BY_POS_OUT_OF_RANGE", "42805", AnalysisException),
        ("SELECT id FROM range(1) GROUP BY 5", "GROUP_BY_POS_OUT_OF_RANGE", "42805", AnalysisException),
        ("SELECT sum(sum(id)) FROM range(1)", "NESTED_AGGREGATE_FUNCTION", "42607", AnalysisException),
        ("SELECT * FROM range(1) LIMIT -1", "INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE", "42K0E", AnalysisException),
        ("SELECT 1 / 0", "DIVIDE_BY_ZERO", "22012", ArithmeticException),
        ("SELECT cast('x' AS int)", "CAST_INVALID_INPUT", "22018", NumberFormatException),
        ("SELECT 2147483647 + 1", "ARITHMETIC_OVERFLOW", "22003", ArithmeticException),
        ("SELECT raise_error('stop')", "USER_RAISED_EXCEPTION", "P0001", SparkRuntimeException),
        ("SELECT map('a', 1, 'a', 2)", "DUPLICATED_MAP_KEY", "23505", SparkRuntimeException),
        ("SELEC 1", "PARSE_SYNTAX_ERROR", "42601", ParseException),
        ("SELECT", "PARSE_SYNTAX_ERROR", "42601", ParseException),
        ("SELECT (1", "PARSE_SYNTAX_ERROR", "42601", ParseException),
        ("SELECT 'open", "PARSE_SYNTAX_ERROR", "42601", ParseException),
        ("SELECT * FORM t", "PARSE_SYNTAX_ERROR", "42601", ParseException),
        ("SELECT 1 /* open", "UNCLOSED_BRACKETED_COMMENT", "42601", ParseException),
        ("SELECT date'2026-13-01'", "INVALID_TYPED_LITERAL", "42604", ParseException),
        ("SELECT 300Y", "INVALID_NUMERIC_LITERAL_RANGE", "22003", ParseException),
        ("", "PARSE_EMPTY_STATEMENT", "42617", ParseException),
        ("SELECT a-b FROM x-y", "INVALID_IDENTIFIER", "42602", ParseException),
    ],
)
def test_conditions(spark, text, condition, state, kind):
    error = failure(spark, text)
    assert (error.getCondition(), error.getSqlState()) == (condition, state)
    assert isinstance(error, kind)
    assert f"[{condition}]" in str(error)
    assert f"SQLSTATE: {state}" in str(error)


def test_suggestions(spark, people):
    people.createOrReplaceTempView("people")
    error = failure(spark, "SELECT nme FROM people")
    parameters = error.getMessageParameters()
    assert parameters["objectName"] == "`nme`"
    assert parameters["proposal"].startswith("`name`")
    assert "`age`" in parameters["proposal"]
    with pytest.raises(AnalysisException) as raised:
        people.select("nme").collect()
    assert raised.value.getMessageParameters()["proposal"].startswith("`name`")


def test_where_in_the_query(spark):
    error = failure(spark, "SELECT 1,\n  nothing FROM range(1)")
    (context,) = error.getQueryContext()
    assert context.fragment() == "nothing"
    assert (context.startIndex(), context.stopIndex()) == (12, 18)


def test_where_a_division_is(spark):
    error = failure(spark, "SELECT id / (id - 1) FROM range(1, 2)")
    (context,) = error.getQueryContext()
    assert context.fragment() == "id / (id - 1)"
    assert (context.objectType(), context.startIndex(), context.stopIndex()) == ("", 7, 19)
    marked = "SELECT id / (id - 1) FROM range(1, 2)\n       ^^^^^^^^^^^^^\n"
    assert context.summary() == f"== SQL (line 1, position 8) ==\n{marked}"
    assert context.summary().strip() in str(error)


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("SELECT 1 + cast(concat('x', id) AS int) FROM range(1)", "cast(concat('x', id) AS int)"),
        ("SELECT array(1, 2)[id + 7] FROM range(1)", "array(1, 2)[id + 7]"),
        ("SELECT id + 9223372036854775807 FROM range(1, 2)", "id + 9223372036854775807"),
        ("SELECT *\nFROM range(3)\nWHERE 1 % id > 0", "1 % id"),
        ("SELECT id FROM range(3) ORDER BY 1 / id", "1 / id"),
        ("SELECT sum(1 / id) FROM range(3)", "1 / id"),
    ],
)
def test_where_a_value_is_wrong(spark, text, fragment):
    (context,) = failure(spark, text).getQueryContext()
    assert context.fragment() == fragment
    assert text[context.startIndex() : context.stopIndex() + 1] == fragment


def test_where_parsing_stopped(spark):
    error = failure(spark, "SELECT *\nFROM t\nWHERE a = = 1")
    assert "line 3, pos 10" in str(error)
    assert error.getMessageParameters()["error"] == "'='"


def test_where_in_the_script(spark, people):
    with pytest.raises(ArithmeticException) as raised:
        people.select(F.col("age") / F.lit(0)).collect()
    assert raised.value.getCondition() == "DIVIDE_BY_ZERO"
    contexts = raised.value.getQueryContext()
    assert contexts == [] or "test_errors.py" in contexts[0].callSite()


def test_errors_come_when_analysed(people):
    """Without an action, as soon as the schema is asked for."""
    df = people.select("nothing")
    with pytest.raises(AnalysisException):
        df.columns  # noqa: B018
    with pytest.raises(AnalysisException):
        df.printSchema()


def test_files_that_are_not_there(spark, bucket):
    with pytest.raises(AnalysisException) as raised:
        spark.read.parquet(f"{bucket.url}/nothing").collect()
    assert raised.value.getCondition() == "PATH_NOT_FOUND"
    assert raised.value.getMessageParameters()["path"].endswith("nothing")
    with pytest.raises(PySparkException):
        spark.read.csv("s3://no-such-bucket-anywhere/x.csv").collect()
    with pytest.raises(PySparkException):
        spark.range(1).write.parquet("s3://no-such-bucket-anywhere/x")


def test_nothing_to_infer_from(spark, bucket):
    (bucket.folder / "empty").mkdir()
    with pytest.raises(AnalysisException) as raised:
        spark.read.parquet(f"{bucket.url}/empty").collect()
    assert raised.value.getCondition() in ("UNABLE_TO_INFER_SCHEMA", "PATH_NOT_FOUND")


def test_columns_of_another_dataframe(spark, people):
    other = spark.range(1)
    with pytest.raises(AnalysisException) as raised:
        people.select(other.id).collect()
    assert raised.value.getCondition() == "CANNOT_RESOLVE_DATAFRAME_COLUMN"


def test_a_session_goes_on_after_errors(spark):
    for _ in range(3):
        failure(spark, "SELECT 1 / 0")
    assert spark.range(3).count() == 3


@pytest.mark.parametrize(
    "call",
    [
        lambda spark: spark.readStream.format("rate").load().isStreaming,
        lambda spark: spark.sql("SELECT * FROM xml.`/x`").collect(),
        lambda spark: spark.sql("ANALYZE TABLE x COMPUTE STATISTICS"),
    ],
)
def test_what_is_not_supported_says_so_at_once(spark, call):
    with pytest.raises(PySparkException):
        call(spark)


@pytest.mark.parametrize(("format", "cut"), [("parquet", 200), ("orc", 100), ("avro", 60)])
def test_corrupt_files(spark, bucket, format, cut):
    spark.range(1000).coalesce(1).write.format(format).save(f"{bucket.url}/t")
    (file,) = [path for path in (bucket.folder / "t").iterdir() if path.name.startswith("part-")]
    file.write_bytes(file.read_bytes()[:cut])
    with pytest.raises(PySparkException) as raised:
        spark.read.format(format).schema("id long").load(f"{bucket.url}/t").collect()
    assert raised.value.getCondition().startswith("FAILED_READ_FILE")
    assert file.name in str(raised.value)
    spark.conf.set("spark.sql.files.ignoreCorruptFiles", "true")
    assert spark.read.format(format).schema("id long").load(f"{bucket.url}/t").count() in (0, 1000)


def test_a_text_file_is_no_parquet(spark, bucket):
    (bucket.folder / "a.parquet").write_text("not Parquet at all")
    with pytest.raises(PySparkException) as raised:
        spark.read.parquet(f"{bucket.url}/a.parquet").collect()
    assert raised.value.getCondition().startswith(("FAILED_READ_FILE", "CANNOT_READ_FILE_FOOTER"))


@pytest.mark.parametrize("format", ["parquet", "orc"])
def test_footers_that_are_gone(spark, bucket, format):
    spark.range(1000).coalesce(1).write.format(format).save(f"{bucket.url}/t")
    (file,) = [path for path in (bucket.folder / "t").iterdir() if path.name.startswith("part-")]
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(PySparkException) as raised:
        spark.read.format(format).load(f"{bucket.url}/t").collect()
    assert (raised.value.getCondition(), raised.value.getSqlState()) == ("FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER", "KD001")
    assert file.name in raised.value.getMessageParameters()["path"]


def test_corrupt_text(spark, bucket):
    spark.range(100_000).coalesce(1).write.csv(f"{bucket.url}/t", compression="gzip")
    (file,) = [path for path in (bucket.folder / "t").iterdir() if path.name.startswith("part-")]
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(PySparkException) as raised:
        spark.read.schema("id long").csv(f"{bucket.url}/t").collect()
    assert (raised.value.getCondition(), raised.value.getSqlState()) == ("FAILED_READ_FILE.NO_HINT", "KD001")
    assert file.name in raised.value.getMessageParameters()["path"]
    assert spark.read.schema("id long").option("ignoreCorruptFiles", "true").csv(f"{bucket.url}/t").count() < 100_000
