"""What names mean and what columns are called: casts, paths into VARIANT, generators, stars, grouping keys."""

import pytest
from pyspark.errors import AnalysisException
from results import rows

JOINED = "VALUES ('a', 1), ('b', 2) AS l(k, x) JOIN VALUES ('a', 3) AS r(k, y) USING (k)"

COLUMNS = [
    ("SELECT cast(id AS int), id::string FROM range(1)", ["id", "id"]),
    ("SELECT v:a.b, v:['c d'], v:e[0]::int FROM VALUES (parse_json('{}')) AS t(v)", ["b", "c d", "e"]),
    ("SELECT ceil(2.5, 0), ceil(2.5)", ["ceil(2.5, 0)", "CEIL(2.5)"]),
    ("SELECT trim(LEADING 'x' FROM 'xy'), position('a' IN 'ba')", ["TRIM(LEADING x FROM xy)", "locate(a, ba, 1)"]),
    ("SELECT mode(id, true) FROM range(3)", ["mode() WITHIN GROUP (ORDER BY id DESC)"]),
    (f"SELECT r.* FROM {JOINED}", ["k", "y"]),
]


@pytest.mark.parametrize(("text", "expected"), COLUMNS)
def test_column_names(spark, text, expected):
    assert spark.sql(text).columns == expected


VALUES = [
    ("SELECT explode(array(1, 2)), explode(array('x'))", [(1, "x"), (2, "x")]),
    ("SELECT explode(array(1, 2)) AS a, a + 1", [(1, 2), (2, 3)]),
    ("SELECT explode(collect_list(id)), count(*) FROM range(2)", [(0, 2), (1, 2)]),
    ("SELECT * FROM VALUES (1, 2) AS t(a, b), LATERAL (SELECT t.*)", [(1, 2, 1, 2)]),
    ("SELECT sum(id) FROM range(4) GROUP BY id % 2 + 1 HAVING 1 + id % 2 > 1", [(4,)]),
    ("VALUES (3, 4), (3, 5) AS t(x, y) |> AGGREGATE sum(y) GROUP BY 1", [(3, 9)]),
    ("SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY m) = INTERVAL '2' MONTH FROM VALUES (INTERVAL '1' MONTH), (INTERVAL '3' MONTH) AS t(m)", [(True,)]),
    ("SELECT regexp_extract_all('1a', '(\\\\d+)?', 1)", [(["1", "", ""],)]),
    ("SELECT ceil(-0.35, 1) = -0.3, floor(-35, -1) = -40", [(True, True)]),
]


@pytest.mark.parametrize(("text", "expected"), VALUES)
def test_values(spark, text, expected):
    assert sorted(rows(spark.sql(text))) == expected


REFUSED = [
    ("SELECT 1 + explode(array(1))", "UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS"),
    ("SELECT ceil(2.5, 'a')", "NON_FOLDABLE_ARGUMENT"),
    ("SELECT date_add(current_date(), 1L)", "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE"),
    ("SELECT median(id) OVER (ORDER BY id) FROM range(2)", "INVALID_WINDOW_SPEC_FOR_AGGREGATION_FUNC"),
    ("SELECT from_json('{}', 'a INT', named_struct('mode', 'x'))", "INVALID_OPTIONS.NON_MAP_FUNCTION"),
]


@pytest.mark.parametrize(("text", "condition"), REFUSED)
def test_refused(spark, text, condition):
    with pytest.raises(AnalysisException) as raised:
        spark.sql(text).collect()
    assert raised.value.getCondition() == condition


REASONS = [
    ("to_timestamp('2019-10-06 10:11:12.', 'yyyy-MM-dd HH:mm:ss.SSS')", "message", "Text '2019-10-06 10:11:12.' could not be parsed at index 20"),
    ("to_date('02-29', 'MM-dd')", "message", "Invalid date 'February 29' as '1970' is not a leap year"),
    ("make_date(2000, 13, 1)", "rangeMessage", "Invalid value for MonthOfYear (valid values 1 - 12): 13"),
]


@pytest.mark.parametrize(("expression", "name", "reason"), REASONS)
def test_reasons(spark, expression, name, reason):
    with pytest.raises(Exception) as raised:
        spark.sql(f"SELECT {expression}").collect()
    assert raised.value.getMessageParameters()[name] == reason
    assert raised.value.getQueryContext() == []


NAMES_OF_FUNCTIONS = ["current_date", "current_timestamp", "current_user", "user", "session_user", "current_time", "current_path", "localtimestamp"]


@pytest.mark.parametrize("name", NAMES_OF_FUNCTIONS)
def test_a_column_comes_before_a_function_of_its_name(spark, name):
    rows = spark.sql(f"SELECT {name}, t.{name}, max({name}) OVER () FROM VALUES (7) AS t({name}) WHERE {name} = 7 ORDER BY {name}").collect()
    assert [tuple(row) for row in rows] == [(7, 7, 7)]
    without = spark.sql(f"SELECT {name}, {name} AS x, {name}() FROM VALUES (7) AS t(a)")
    assert without.columns[0] == without.columns[2] and without.columns[0].startswith(f"{name}(")
    row = without.first()
    assert row[0] == row[1] == row[2] != 7


def test_fields_of_a_struct_of_lambda_parameters(spark):
    df = spark.sql("SELECT zip_with(array(1), array('a'), (x, y) -> (y, x)) AS pairs")
    assert df.schema["pairs"].dataType.simpleString() == "array<struct<y:string,x:int>>"
    assert spark.sql("SELECT transform(array(1), user -> user + 1)").first()[0] == [2]


def test_a_function_without_parentheses_comes_before_aliases_and_outer_columns(spark):
    assert rows(spark.sql("SELECT 'abc' AS current_user, current_user = current_user() AS same")) == [("abc", True)]
    assert rows(spark.sql("SELECT (SELECT typeof(current_date)) FROM VALUES (1) AS t(current_date)")) == [("date",)]
