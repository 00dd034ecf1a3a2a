"""Correlated subqueries among several tables."""

import pytest
from pyspark.errors import PySparkException


@pytest.fixture
def four_tables(spark):
    for name in "abcd":
        frame = spark.range(2000).selectExpr("id AS k", "id % 7 AS g", "CAST(id % 100 AS INT) AS v")
        frame.createOrReplaceTempView(name)
    return spark


JOINED = "a, b, c, d WHERE a.k = b.k AND b.k = c.k AND c.k = d.k"


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "condition, expected",
    [
        # Not an equality of two columns, so the subquery is computed for the values that b.g has: without b's join.
        ("b.v > (SELECT avg(v) FROM a x WHERE x.g + 0 = b.g)", 1000),
        ("(EXISTS (SELECT 1 FROM a x WHERE x.k = b.k + 1990) OR b.k = 5)", 10),
        ("b.k IN (SELECT g FROM a GROUP BY g HAVING count(*) > (SELECT 1))", 7),
        ("NOT EXISTS (SELECT 1 FROM a x WHERE x.k > b.k + c.k)", 1000),
        ("(b.g = 1 OR d.g NOT IN (SELECT x.g FROM a x WHERE x.g = c.g))", 286),
    ],
)
def test_a_subquery_does_not_multiply_the_tables(four_tables, condition, expected):
    assert four_tables.sql(f"SELECT count(*) FROM {JOINED} AND {condition}").collect() == [(expected,)]


def test_too_many_rows_count_only_where_they_are_met(four_tables):
    query = "SELECT k, (SELECT x.v FROM a x WHERE x.g + 0 = b.g AND x.k < 8) AS v FROM b WHERE k < 10 AND {}"
    assert four_tables.sql(query.format("g BETWEEN 1 AND 2 ORDER BY k")).collect() == [(1, 1), (2, 2), (8, 1), (9, 2)]
    with pytest.raises(PySparkException) as error:
        four_tables.sql(query.format("g = 0")).collect()
    assert error.value.getCondition() == "SCALAR_SUBQUERY_TOO_MANY_ROWS"


def test_casts_of_empty_collections(spark):
    row = spark.sql("SELECT CAST(map() AS MAP<STRING, INT>) AS m, CAST(array() AS ARRAY<INT>) AS a, size(map()) AS n").collect()
    assert row == [({}, [], 0)]
