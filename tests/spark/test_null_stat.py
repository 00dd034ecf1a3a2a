"""df.na, df.stat, describe, summary."""

import statistics

import pytest
from pyspark.sql import functions as F
from results import bag, column, in_any_order, rows


@pytest.fixture
def gaps(spark):
    return spark.createDataFrame(
        [(1, 1.5, "a"), (None, None, "b"), (3, float("nan"), None), (None, None, None)], "i int, d double, s string"
    )


def test_drop(gaps):
    assert gaps.na.drop().count() == 1
    assert gaps.dropna("all").count() == 3
    assert gaps.dropna(thresh=2).count() == 1
    assert gaps.dropna(subset=["s"]).count() == 2
    assert gaps.dropna(subset="i").count() == 2


def test_fill(gaps):
    assert column(gaps.na.fill(0), "i") == [1, 0, 3, 0]
    assert column(gaps.na.fill(0), "d") == [1.5, 0.0, 0.0, 0.0]
    assert column(gaps.fillna("?"), "s") == ["a", "b", "?", "?"]
    assert rows(gaps.fillna({"i": 9, "s": "x"}))[3] == (9, None, "x")
    assert column(gaps.fillna(7.9, subset=["i"]), "i") == [1, 7, 3, 7]


def test_replace(spark, people):
    assert column(people.na.replace("UK", "GB"), "country").count("GB") == 2
    assert column(people.replace(["UK", "US"], ["GB", "USA"], "country"), "country") == ["GB", "USA", "GB", "NL", "USA"]
    assert column(people.replace({36: 37, 72: 73}), "age") == [37, 45, 41, 73, 28]
    assert column(people.replace({"NL": None}), "country").count(None) == 1


def test_describe(people):
    count, mean, stddev, low, high = rows(people.describe())
    assert (count, mean) == (("count", "5", "5", "5"), ("mean", None, "44.4", None))
    assert (low, high) == (("min", "Ada", "28", "NL"), ("max", "Grace", "72", "US"))
    assert (stddev[0], stddev[1], stddev[3]) == ("stddev", None, None)
    assert float(stddev[2]) == pytest.approx(statistics.stdev([36, 45, 41, 72, 28]))
    assert people.describe("age").columns == ["summary", "age"]


def test_summary(people):
    assert column(people.summary(), "summary") == ["count", "mean", "stddev", "min", "25%", "50%", "75%", "max"]
    assert rows(people.summary("count", "50%", "max").select("summary", "age")) == [
        ("count", "5"), ("50%", "41"), ("max", "72"),
    ]  # fmt: skip


def test_quantiles(spark):
    df = spark.range(1, 101)
    assert df.approxQuantile("id", [0.0, 0.5, 1.0], 0.0) == [1.0, 50.0, 100.0]
    assert df.stat.approxQuantile(["id"], [0.25], 0.0) == [[25.0]]


def test_correlation_and_covariance(spark):
    df = spark.range(1, 11).withColumn("double", F.col("id") * 2)
    assert df.stat.corr("id", "double") == pytest.approx(1.0)
    assert df.cov("id", "double") == pytest.approx(18.333333333333332)


def test_crosstab(people):
    df = people.withColumn("old", people.age > 40).crosstab("country", "old")
    assert df.columns == ["country_old", "false", "true"]
    assert bag(df) == in_any_order(("UK", 1, 1), ("US", 1, 1), ("NL", 0, 1))


def test_frequent_items(spark):
    df = spark.createDataFrame([(1,)] * 9 + [(2,)], ["x"])
    assert rows(df.freqItems(["x"], 0.6)) == [([1],)]


def test_null_functions(spark):
    df = spark.sql(
        "SELECT nvl(NULL, 1), nvl2(NULL, 1, 2), nullif(1, 1), ifnull(NULL, 'x'), coalesce(NULL, NULL, 3), "
        "nanvl(double('nan'), 2.0D), zeroifnull(NULL), nullifzero(0), isnan(double('nan')), equal_null(NULL, NULL)"
    )
    assert rows(df) == [(1, 2, None, "x", 3, 2.0, 0, None, True, True)]
