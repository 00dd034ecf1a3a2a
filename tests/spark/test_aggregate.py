"""Aggregates: groupBy, rollup, cube, grouping sets, pivot, unpivot, every aggregate function."""

import datetime
import math
from decimal import Decimal

import pytest
from pyspark.errors import AnalysisException
from pyspark.sql import functions as F
from results import bag, column, in_any_order, rows, sql, types, value


@pytest.fixture
def sales(spark):
    data = [("DE", "lamp", 2, 10.0), ("DE", "desk", 1, 100.0), ("US", "lamp", 5, 25.0), ("US", "lamp", None, None)]
    df = spark.createDataFrame(data, "country string, product string, quantity int, amount double")
    df.createOrReplaceTempView("sales")
    return df


def test_group_by(sales):
    assert bag(sales.groupBy("country").count()) == [("DE", 2), ("US", 2)]
    assert bag(sales.groupBy("country").sum("quantity")) == [("DE", 3), ("US", 5)]
    assert sales.groupBy("country").sum("quantity").columns == ["country", "sum(quantity)"]
    assert bag(sales.groupBy("country").agg({"amount": "max"})) == [("DE", 100.0), ("US", 25.0)]
    assert bag(sales.groupBy("country", "product").avg("amount")) == in_any_order(
        ("DE", "desk", 100.0), ("DE", "lamp", 10.0), ("US", "lamp", 25.0)
    )
    assert bag(sales.groupBy(F.upper("product").alias("p")).agg(F.count("quantity"))) == [("DESK", 1), ("LAMP", 2)]
    assert bag(sales.groupBy("country").min()) == [("DE", 1, 10.0), ("US", 5, 25.0)]
    assert rows(sales.groupBy().sum()) == [(8, 135.0)]


def test_aggregate_without_groups(sales):
    df = sales.agg(F.count("*"), F.count("quantity"), F.sum("quantity"), F.avg("amount"), F.min("product"), F.max("product"))
    assert rows(df) == [(4, 3, 8, 45.0, "desk", "lamp")]
    assert rows(sales.filter("false").agg(F.count("*"), F.sum("quantity"), F.max("product"))) == [(0, None, None)]
    assert rows(sales.filter("false").groupBy("country").count()) == []


def test_types_of_aggregates(spark):
    df = spark.sql(
        "SELECT sum(a), avg(a), sum(d), avg(d), count(*), sum(f), max(a), first(a) "
        "FROM VALUES (1, 1.50, cast(1 AS float)) AS t(a, d, f)"
    )
    assert types(df) == ["bigint", "double", "decimal(13,2)", "decimal(7,6)", "bigint", "double", "int", "int"]
    assert rows(df) == [(1, 1.0, Decimal("1.50"), Decimal("1.500000"), 1, 1.0, 1, 1)]


def test_distinct_aggregates(sales):
    df = sales.agg(F.countDistinct("product"), F.sum_distinct("quantity"), F.count_distinct("country", "product"))
    assert rows(df) == [(2, 8, 3)]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("count_if(x > 1)", 3),
        ("any_value(x)", 1.0),
        ("first(x)", 1.0),
        ("last(x)", 4.0),
        ("bool_and(x > 0)", True),
        ("every(x > 1)", False),
        ("bool_or(x > 3)", True),
        ("some(x > 9)", False),
        ("collect_list(x)", [1.0, 2.0, 3.0, 4.0]),
        ("array_size(collect_set(x))", 4),
        ("max_by(k, x)", "d"),
        ("min_by(k, x)", "a"),
        ("median(x)", 2.5),
        ("percentile(x, 0.25)", 1.75),
        ("percentile(x, array(0.0, 1.0))", [1.0, 4.0]),
        ("percentile_cont(0.5) WITHIN GROUP (ORDER BY x)", 2.5),
        ("percentile_disc(0.5) WITHIN GROUP (ORDER BY x)", 2.0),
        ("approx_percentile(x, 0.5)", 2.0),
        ("approx_count_distinct(x)", 4),
        ("mode(k)", "d"),
        ("string_agg(k, '-')", "a-b-c-d"),
        ("listagg(k)", "abcd"),
        ("listagg(k, ',') WITHIN GROUP (ORDER BY k DESC)", "d,c,b,a"),
        ("bit_and(cast(x AS int))", 0),
        ("bit_or(cast(x AS int))", 7),
        ("bit_xor(cast(x AS int))", 4),
        ("sum(x) FILTER (WHERE x > 2)", 7.0),
        ("count(*) FILTER (WHERE k = 'a')", 1),
        ("regr_slope(x, x)", 1.0),
        ("regr_count(x, x)", 4),
        ("try_sum(x)", 10.0),
        ("try_avg(x)", 2.5),
    ],
)
def test_functions(spark, expression, expected):
    text = f"SELECT {expression} FROM VALUES ('a', 1D), ('b', 2D), ('c', 3D), ('d', 4D) AS t(k, x)"
    if expression == "mode(k)":
        text = "SELECT mode(k) FROM VALUES ('a'), ('d'), ('d') AS t(k)"
    assert value(spark.sql(text)) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("stddev(x)", math.sqrt(5 / 3)),
        ("stddev_samp(x)", math.sqrt(5 / 3)),
        ("stddev_pop(x)", math.sqrt(5 / 4)),
        ("variance(x)", 5 / 3),
        ("var_pop(x)", 5 / 4),
        ("skewness(x)", 0.0),
        ("kurtosis(x)", -1.36),
        ("corr(x, y)", 1.0),
        ("covar_pop(x, y)", 2.5),
        ("covar_samp(x, y)", 10 / 3),
    ],
)
def test_statistics(spark, expression, expected):
    text = f"SELECT {expression} FROM VALUES (1D, 2D), (2D, 4D), (3D, 6D), (4D, 8D) AS t(x, y)"
    assert value(spark.sql(text)) == pytest.approx(expected, abs=1e-9)


def test_statistics_of_little(spark):
    df = spark.sql("SELECT stddev(x), var_samp(x), stddev_pop(x), avg(x), corr(x, x) FROM VALUES (1D) AS t(x)")
    assert rows(df) == [(None, None, 0.0, 1.0, None)]


def test_product_in_python(spark):
    assert value(spark.range(1, 5).agg(F.product("id"))) == 24.0


def test_first_and_last_ignore_nulls(spark):
    df = spark.createDataFrame([(None,), (1,), (2,), (None,)], "x int").coalesce(1)
    assert rows(df.agg(F.first("x"), F.first("x", True), F.last("x"), F.last("x", True))) == [(None, 1, None, 2)]


def test_rollup(sales):
    df = sales.rollup("country", "product").agg(F.sum("amount"), F.grouping_id())
    assert bag(df) == in_any_order(
        ("DE", "lamp", 10.0, 0), ("DE", "desk", 100.0, 0), ("US", "lamp", 25.0, 0),
        ("DE", None, 110.0, 1), ("US", None, 25.0, 1), (None, None, 135.0, 3),
    )  # fmt: skip


def test_cube(sales):
    df = sales.cube("country", "product").agg(F.count("*").alias("n"), F.grouping("country"), F.grouping("product"))
    assert bag(df) == in_any_order(
        ("DE", "lamp", 1, 0, 0), ("DE", "desk", 1, 0, 0), ("US", "lamp", 2, 0, 0), ("DE", None, 2, 0, 1),
        ("US", None, 2, 0, 1), (None, "lamp", 3, 1, 0), (None, "desk", 1, 1, 0), (None, None, 4, 1, 1),
    )  # fmt: skip


def test_grouping_sets(spark, sales):
    text = "SELECT country, product, count(*) FROM sales GROUP BY GROUPING SETS ((country), (product), ())"
    assert bag(spark.sql(text)) == in_any_order(
        ("DE", None, 2), ("US", None, 2), (None, "lamp", 3), (None, "desk", 1), (None, None, 4)
    )
    assert spark.sql("SELECT country, count(*) FROM sales GROUP BY country WITH ROLLUP").count() == 3
    assert spark.sql("SELECT country, product, count(*) FROM sales GROUP BY CUBE (country, product)").count() == 8


def test_grouping_sets_in_python(sales):
    df = sales.groupingSets([["country"], []], "country").agg(F.sum("quantity"))
    assert bag(df) == in_any_order(("DE", 3), ("US", 5), (None, 8))


def test_group_by_in_sql(spark, sales):
    assert bag(spark.sql("SELECT country, sum(quantity) s FROM sales GROUP BY country HAVING s > 3")) == [("US", 5)]
    assert bag(spark.sql("SELECT country c, count(*) FROM sales GROUP BY c")) == [("DE", 2), ("US", 2)]
    assert bag(spark.sql("SELECT upper(country), count(*) FROM sales GROUP BY 1")) == [("DE", 2), ("US", 2)]
    assert bag(spark.sql("SELECT country, count(*) FROM sales GROUP BY ALL")) == [("DE", 2), ("US", 2)]
    assert rows(spark.sql("SELECT count(*) FROM sales HAVING count(*) > 100")) == []
    text = "SELECT country FROM sales GROUP BY country ORDER BY sum(amount) DESC"
    assert column(spark.sql(text)) == ["DE", "US"]


def test_columns_outside_the_group(spark, sales):
    with pytest.raises(AnalysisException) as raised:
        spark.sql("SELECT product, count(*) FROM sales GROUP BY country").collect()
    assert raised.value.getCondition() == "MISSING_AGGREGATION"
    with pytest.raises(AnalysisException) as raised:
        spark.sql("SELECT product, count(*) FROM sales").collect()
    assert raised.value.getCondition() == "MISSING_GROUP_BY"
    with pytest.raises(AnalysisException) as raised:
        spark.sql("SELECT * FROM sales WHERE count(*) > 1").collect()
    assert raised.value.getCondition() == "INVALID_WHERE_CONDITION"


def test_pivot(sales):
    df = sales.groupBy("country").pivot("product", ["desk", "lamp"]).sum("quantity")
    assert df.columns == ["country", "desk", "lamp"]
    assert bag(df) == in_any_order(("DE", 1, 2), ("US", None, 5))
    found = sales.groupBy("country").pivot("product").agg(F.sum("quantity").alias("q"), F.count("*").alias("n"))
    assert found.columns == ["country", "desk_q", "desk_n", "lamp_q", "lamp_n"]
    assert bag(found) == in_any_order(("DE", 1, 1, 2, 1), ("US", None, None, 5, 2))


def test_pivot_of_expressions_in_text(sales):
    totals = sales.groupBy("country").pivot("product", ["desk", "lamp"])
    assert bag(totals.agg(F.expr("sum(quantity) as q"))) == in_any_order(("DE", 1, 2), ("US", None, 5))
    assert bag(totals.agg(F.sum("quantity").cast("string"))) == in_any_order(("DE", "1", "2"), ("US", None, "5"))


def test_pivot_in_sql(spark, sales):
    text = """
        SELECT * FROM (SELECT country, product, quantity FROM sales)
        PIVOT (sum(quantity) FOR product IN ('lamp' AS lamps, 'desk'))
    """
    df = spark.sql(text)
    assert df.columns == ["country", "lamps", "desk"]
    assert bag(df) == in_any_order(("DE", 2, 1), ("US", 5, None))


def test_unpivot(spark):
    df = spark.createDataFrame([(1, 11, 1.5), (2, 12, None)], "id int, a int, b double")
    expected = in_any_order((1, "a", 11.0), (1, "b", 1.5), (2, "a", 12.0), (2, "b", None))
    assert bag(df.unpivot("id", ["a", "b"], "which", "v")) == expected
    assert bag(df.melt("id", None, "which", "v")) == expected
    df.createOrReplaceTempView("wide")
    assert bag(spark.sql("SELECT * FROM wide UNPIVOT (v FOR which IN (a, b))")) == expected[:3]
    assert spark.sql("SELECT * FROM wide UNPIVOT INCLUDE NULLS (v FOR which IN (a, b))").count() == 4


def test_group_by_nulls_and_floats(spark):
    df = spark.createDataFrame([(None,), (None,), (float("nan"),), (float("nan"),), (0.0,), (-0.0,)], "x double")
    assert sorted(column(df.groupBy("x").count(), "count")) == [2, 2, 2]


def test_group_by_nested_values(spark):
    df = spark.createDataFrame([([1, 2], (1, "a")), ([1, 2], (1, "a")), ([2], (1, "b"))], "xs array<int>, s struct<a:int,b:string>")
    assert bag(df.groupBy("xs", "s").count()) == in_any_order(([1, 2], (1, "a"), 2), ([2], (1, "b"), 1))


def test_aggregate_of_dates_and_decimals(spark):
    df = spark.sql("SELECT max(d), min(d), sum(x), avg(x) FROM VALUES (date'2026-01-01', 1.10), (date'2025-01-01', 2.20) AS t(d, x)")
    assert rows(df) == [
        (datetime.date(2026, 1, 1), datetime.date(2025, 1, 1), Decimal("3.30"), Decimal("1.650000"))
    ]


def test_sum_overflows(spark):
    with pytest.raises(Exception) as raised:
        spark.sql("SELECT sum(x) FROM VALUES (9223372036854775807), (1) AS t(x)").collect()
    assert raised.value.getCondition() == "ARITHMETIC_OVERFLOW"
    assert sql(spark, "1") == 1
    assert value(spark.sql("SELECT try_sum(x) FROM VALUES (9223372036854775807), (1) AS t(x)")) is None


def test_many_groups(spark):
    df = spark.range(200_000).groupBy((F.col("id") % 50_000).alias("k")).agg(F.sum("id").alias("s"))
    assert df.count() == 50_000
    assert value(df.agg(F.sum("s"))) == 200_000 * 199_999 // 2


def test_observe(spark):
    from pyspark.sql import Observation

    observation = Observation("seen")
    df = spark.range(10).observe(observation, F.count("*").alias("n"), F.max("id").alias("high"))
    assert df.count() == 10
    assert observation.get == {"n": 10, "high": 9}
