"""What Spark prints: show, explain, the notebook's table. The text is exact."""

import pytest


@pytest.fixture
def table(spark):
    return spark.createDataFrame([(1, "short", 1.5), (22, None, None), (333, "a text of more than twenty", -0.25)], "id int, text string, x double")


def shown(capsys) -> str:
    return capsys.readouterr().out


def test_show(table, capsys):
    table.show()
    assert shown(capsys) == (
        "+---+--------------------+-----+\n"
        "| id|                text|    x|\n"
        "+---+--------------------+-----+\n"
        "|  1|               short|  1.5|\n"
        "| 22|                NULL| NULL|\n"
        "|333|a text of more th...|-0.25|\n"
        "+---+--------------------+-----+\n\n"
    )


def test_show_all_of_the_text(table, capsys):
    table.show(truncate=False)
    assert shown(capsys) == (
        "+---+--------------------------+-----+\n"
        "|id |text                      |x    |\n"
        "+---+--------------------------+-----+\n"
        "|1  |short                     |1.5  |\n"
        "|22 |NULL                      |NULL |\n"
        "|333|a text of more than twenty|-0.25|\n"
        "+---+--------------------------+-----+\n\n"
    )


def test_show_cut_shorter(table, capsys):
    table.select("text").show(truncate=3)
    assert shown(capsys) == "+----+\n|text|\n+----+\n| sho|\n| NUL|\n| a t|\n+----+\n\n"


def test_show_fewer_rows(table, capsys):
    table.select("id").show(2)
    assert shown(capsys) == "+---+\n| id|\n+---+\n|  1|\n| 22|\n+---+\nonly showing top 2 rows\n\n"
    table.select("id").show(1)
    assert "only showing top 1 row\n" in shown(capsys)


def test_show_upright(table, capsys):
    table.show(2, vertical=True)
    assert shown(capsys) == (
        "-RECORD 0-----\n"
        " id   | 1     \n"
        " text | short \n"
        " x    | 1.5   \n"
        "-RECORD 1-----\n"
        " id   | 22    \n"
        " text | NULL  \n"
        " x    | NULL  \n"
        "only showing top 2 rows\n\n"
    )


def test_show_nothing(spark, capsys):
    spark.range(0).show()
    assert shown(capsys) == "+---+\n| id|\n+---+\n+---+\n\n"
    spark.range(0).show(vertical=True)
    assert shown(capsys) == "(0 rows)\n\n"


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("true", "true"),
        ("1.50", "1.50"),
        ("1e10D", "1.0E10"),
        ("float(0.1)", "0.1"),
        ("date'2026-01-02'", "2026-01-02"),
        ("timestamp'2026-01-02 03:04:05'", "2026-01-02 03:04:05"),
        ("timestamp'2026-01-02 03:04:05.678'", "2026-01-02 03:04:05.678"),
        ("timestamp_ntz'2026-01-02 03:04:05'", "2026-01-02 03:04:05"),
        ("array(1, NULL)", "[1, NULL]"),
        ("map('a', 1.5)", "{a -> 1.5}"),
        ("named_struct('a', 1, 'b', 'x')", "{1, x}"),
        ("x'0aff'", "[0A FF]"),
        ("interval '1-2' year to month", "INTERVAL '1-2' YEAR TO MONTH"),
        ("interval '1' day", "INTERVAL '1' DAY"),
        ("double('NaN')", "NaN"),
        ("'a\\nb'", "a\\nb"),
        ("cast(NULL AS int)", "NULL"),
    ],
)
def test_show_values(spark, capsys, expression, text):
    spark.sql(f"SELECT {expression} AS v").show(truncate=False)
    assert shown(capsys).splitlines()[3].strip("|").strip() == text


def test_show_wide_characters(spark, capsys):
    spark.createDataFrame([("日本",), ("abcd",)], ["s"]).show()
    assert shown(capsys) == "+----+\n|   s|\n+----+\n|日本|\n|abcd|\n+----+\n\n"


def test_html_of_a_notebook(spark, table):
    assert table._repr_html_() is None
    spark.conf.set("spark.sql.repl.eagerEval.enabled", "true")
    html = table._repr_html_()
    assert html == (
        "<table border='1'>\n"
        "<tr><th>id</th><th>text</th><th>x</th></tr>\n"
        "<tr><td>1</td><td>short</td><td>1.5</td></tr>\n"
        "<tr><td>22</td><td>NULL</td><td>NULL</td></tr>\n"
        "<tr><td>333</td><td>a text of more th...</td><td>-0.25</td></tr>\n"
        "</table>\n"
    )
    assert repr(table.select("id")).startswith("+---+")


def test_repr_is_the_schema(table):
    assert repr(table) == "DataFrame[id: int, text: string, x: double]"


@pytest.mark.parametrize(
    ("mode", "titles"),
    [
        ("simple", ["== Physical Plan =="]),
        ("extended", ["== Parsed Logical Plan ==", "== Analyzed Logical Plan ==", "== Optimized Logical Plan ==", "== Physical Plan =="]),
        ("codegen", []),
        ("cost", ["== Optimized Logical Plan ==", "== Physical Plan =="]),
        ("formatted", ["== Physical Plan =="]),
    ],
)
def test_explain(table, capsys, mode, titles):
    table.filter("id > 1").groupBy("text").count().explain(mode=mode)
    text = shown(capsys)
    positions = [text.find(title) for title in titles]
    assert -1 not in positions
    assert positions == sorted(positions)


def test_explain_in_sql(spark, capsys):
    plan = spark.sql("EXPLAIN SELECT 1 + 1").first()[0]
    assert plan.startswith("== Physical Plan ==")
    extended = spark.sql("EXPLAIN EXTENDED SELECT 1 + 1").first()[0]
    assert "== Analyzed Logical Plan ==" in extended


def test_explain_of_a_wrong_query(spark):
    text = spark.sql("EXPLAIN SELECT nothing").first()[0]
    assert "UNRESOLVED_COLUMN" in text
