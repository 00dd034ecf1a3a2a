"""Queries in SQL: subqueries, common table expressions, recursion, pipes and the like."""

import pytest
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import functions as F
from results import bag, column, in_any_order, rows, sql, value


@pytest.fixture
def tables(spark, people):
    people.createOrReplaceTempView("people")
    data = [("UK", "London"), ("US", "Washington"), ("FR", "Paris")]
    spark.createDataFrame(data, ["code", "capital"]).createOrReplaceTempView("countries")


def test_scalar_subquery(spark, tables):
    assert column(spark.sql("SELECT name FROM people WHERE age = (SELECT max(age) FROM people)")) == ["Edsger"]
    assert value(spark.sql("SELECT (SELECT count(*) FROM countries) + 1")) == 4
    assert value(spark.sql("SELECT (SELECT capital FROM countries WHERE code = 'XX')")) is None


def test_scalar_subquery_of_many_rows(spark, tables):
    with pytest.raises(PySparkException) as raised:
        spark.sql("SELECT (SELECT code FROM countries)").collect()
    assert raised.value.getCondition() == "SCALAR_SUBQUERY_TOO_MANY_ROWS"


def test_correlated_scalar_subquery(spark, tables):
    text = "SELECT name, (SELECT max(capital) FROM countries WHERE code = country) FROM people"
    assert bag(spark.sql(text)) == in_any_order(
        ("Ada", "London"), ("Alan", "London"), ("Barbara", "Washington"), ("Edsger", None), ("Grace", "Washington")
    )
    text = "SELECT code, (SELECT count(*) FROM people WHERE country = code) AS n FROM countries"
    assert bag(spark.sql(text)) == [("FR", 0), ("UK", 2), ("US", 2)]


def test_in_subquery(spark, tables):
    inside = "SELECT name FROM people WHERE country {} (SELECT code FROM countries)"
    assert sorted(column(spark.sql(inside.format("IN")))) == ["Ada", "Alan", "Barbara", "Grace"]
    assert column(spark.sql(inside.format("NOT IN"))) == ["Edsger"]
    assert column(spark.sql("SELECT name FROM people WHERE country NOT IN (SELECT cast(null AS string))")) == []


def test_exists(spark, tables):
    text = "SELECT code FROM countries WHERE {} (SELECT 1 FROM people WHERE country = code AND age > 40)"
    assert sorted(column(spark.sql(text.format("EXISTS")))) == ["UK", "US"]
    assert column(spark.sql(text.format("NOT EXISTS"))) == ["FR"]


def test_exists_inside_an_expression(spark, tables):
    text = "SELECT code, EXISTS (SELECT 1 FROM people WHERE country = code) OR code = 'FR' FROM countries"
    assert bag(spark.sql(text)) == [("FR", True), ("UK", True), ("US", True)]


def test_subquery_in_from(spark, tables):
    text = "SELECT n FROM (SELECT country, count(*) AS n FROM people GROUP BY country) AS t WHERE country = 'UK'"
    assert value(spark.sql(text)) == 2


def test_common_table_expressions(spark, tables):
    text = """
        WITH british AS (SELECT * FROM people WHERE country = 'UK'),
             old(who) AS (SELECT name FROM british WHERE age > 40)
        SELECT who FROM old
    """
    assert column(spark.sql(text)) == ["Alan"]
    assert value(spark.sql("WITH t AS (SELECT 1 AS a) SELECT * FROM (WITH t AS (SELECT 2 AS a) SELECT * FROM t)")) == 2


def test_recursion(spark):
    text = """
        WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 10)
        SELECT sum(n), count(*) FROM numbers
    """
    assert rows(spark.sql(text)) == [(55, 10)]


def test_recursion_over_a_graph(spark):
    text = """
        WITH RECURSIVE edges(a, b) AS (VALUES (1, 2), (2, 3), (3, 4), (7, 8)),
        reached(n) AS (SELECT 1 UNION ALL SELECT b FROM reached JOIN edges ON a = n)
        SELECT n FROM reached ORDER BY n
    """
    assert column(spark.sql(text)) == [1, 2, 3, 4]


def test_endless_recursion_ends(spark):
    with pytest.raises(PySparkException) as raised:
        spark.sql("WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT * FROM t").collect()
    assert raised.value.getCondition() == "RECURSION_LEVEL_LIMIT_EXCEEDED"
    assert raised.value.getMessageParameters()["levelLimit"] == "100"


def test_limits_of_recursion(spark):
    def numbers(levels, step="SELECT n + 1 FROM t WHERE n < 150"):
        return spark.sql(f"WITH RECURSIVE t(n) {levels} AS (SELECT 1 UNION ALL {step}) SELECT n FROM t")

    with pytest.raises(PySparkException) as raised:
        numbers("").collect()
    assert raised.value.getCondition() == "RECURSION_LEVEL_LIMIT_EXCEEDED"
    assert numbers("MAX RECURSION LEVEL 200").count() == 150
    assert numbers("", "SELECT n + 1 FROM t WHERE n < 100").count() == 100
    assert numbers("", "SELECT n + 1 FROM t").limit(20).count() == 20
    spark.conf.set("spark.sql.cteRecursionLevelLimit", "-1")
    assert numbers("").count() == 150
    spark.conf.set("spark.sql.cteRecursionRowLimit", "1000")
    with pytest.raises(PySparkException) as raised:
        numbers("", "SELECT n FROM t CROSS JOIN range(2)").collect()
    assert raised.value.getCondition() == "RECURSION_ROW_LIMIT_EXCEEDED"


def test_pipes(spark, tables):
    text = """
        FROM people
        |> WHERE age < 50
        |> AGGREGATE count(*) AS n GROUP BY country
        |> ORDER BY country
        |> SELECT country, n
    """
    assert rows(spark.sql(text)) == [("UK", 2), ("US", 2)]
    assert column(spark.sql("VALUES (1), (2) AS t(a) |> EXTEND a * 2 AS b |> SET a = b + 1 |> DROP b")) == [3, 5]


def test_star_except(spark, tables):
    assert spark.sql("SELECT * EXCEPT (age) FROM people").columns == ["name", "country"]
    assert spark.sql("SELECT p.* FROM people p").columns == ["name", "age", "country"]


def test_table_functions(spark):
    assert column(spark.sql("SELECT * FROM explode(array(1, 2))")) == [1, 2]
    assert rows(spark.sql("SELECT * FROM posexplode(array('a'))")) == [(0, "a")]
    assert column(spark.tvf.explode(F.array(F.lit(1), F.lit(2)))) == [1, 2]
    assert column(spark.tvf.range(3)) == [0, 1, 2]


def test_subqueries_in_python(spark, tables):
    people, countries = spark.table("people"), spark.table("countries")
    oldest = people.select(F.max("age"))
    assert column(people.where(F.col("age") == oldest.scalar()).select("name")) == ["Edsger"]
    there = countries.where(F.col("code") == F.col("country").outer())
    assert people.where(there.exists()).count() == 4
    assert people.where(F.col("country").isin(countries.select("code"))).count() == 4


def test_values_and_order(spark):
    assert column(spark.sql("(SELECT 1 AS a) UNION ALL (SELECT 0) ORDER BY a")) == [0, 1]


def test_variables(spark):
    spark.sql("DECLARE VARIABLE threshold INT DEFAULT 40")
    assert value(spark.sql("SELECT threshold + 1")) == 41
    spark.sql("SET VAR threshold = (SELECT 2)")
    assert value(spark.sql("SELECT threshold")) == 2
    spark.sql("DROP TEMPORARY VARIABLE threshold")
    with pytest.raises(AnalysisException):
        spark.sql("SELECT threshold").collect()


def test_execute_immediate(spark):
    assert value(spark.sql("EXECUTE IMMEDIATE 'SELECT ? + 1' USING 41")) == 42


def test_identifier_clause(spark, tables):
    assert spark.sql("SELECT * FROM IDENTIFIER(:t)", args={"t": "people"}).count() == 5
    assert value(spark.sql("SELECT max(IDENTIFIER('age')) FROM people")) == 72


def test_sql_functions(spark):
    spark.sql("CREATE TEMPORARY FUNCTION twice(x INT) RETURNS INT RETURN x * 2")
    assert sql(spark, "twice(21)") == 42
    assert column(spark.sql("SELECT twice(cast(id AS int)) FROM range(3)")) == [0, 2, 4]
    spark.sql("DROP TEMPORARY FUNCTION twice")


def test_comments_and_semicolons(spark):
    assert value(spark.sql("SELECT /* a /* nested */ comment */ 1 -- to the end\n;")) == 1


def test_order_by_in_a_subquery_with_limit(spark, tables):
    assert column(spark.sql("SELECT name FROM (SELECT * FROM people ORDER BY age LIMIT 1)")) == ["Barbara"]


def test_deep_expressions(spark):
    assert value(spark.sql("SELECT " + " + ".join(["1"] * 400))) == 400
    df = spark.range(1)
    for i in range(60):
        df = df.withColumn(f"c{i}", F.lit(i))
    assert len(df.columns) == 61
    assert len(rows(df)[0]) == 61
