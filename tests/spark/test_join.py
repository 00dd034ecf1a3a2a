"""Joins of every kind, by every way of asking."""

import pytest
from pyspark.errors import AnalysisException
from pyspark.sql import functions as F
from results import bag, in_any_order, rows, value


@pytest.fixture
def left(spark):
    return spark.createDataFrame([(1, "a"), (2, "b"), (2, "c"), (3, "d"), (None, "e")], "id int, l string")


@pytest.fixture
def right(spark):
    return spark.createDataFrame([(2, "x"), (3, "y"), (3, "z"), (4, "w"), (None, "n")], "id int, r string")


INNER = [(2, "b", "x"), (2, "c", "x"), (3, "d", "y"), (3, "d", "z")]
LEFT_ONLY = [(1, "a", None), (None, "e", None)]
RIGHT_ONLY = [(4, None, "w"), (None, None, "n")]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("inner", INNER),
        ("left", INNER + LEFT_ONLY),
        ("leftouter", INNER + LEFT_ONLY),
        ("right", INNER + RIGHT_ONLY),
        ("right_outer", INNER + RIGHT_ONLY),
        ("full", INNER + LEFT_ONLY + RIGHT_ONLY),
        ("outer", INNER + LEFT_ONLY + RIGHT_ONLY),
        ("semi", [(2, "b"), (2, "c"), (3, "d")]),
        ("left_semi", [(2, "b"), (2, "c"), (3, "d")]),
        ("anti", [(1, "a"), (None, "e")]),
        ("leftanti", [(1, "a"), (None, "e")]),
    ],
)
@pytest.mark.parametrize("threshold", ["10485760", "-1"])
def test_join_by_name(spark, left, right, kind, expected, threshold):
    spark.conf.set("spark.sql.autoBroadcastJoinThreshold", threshold)
    assert bag(left.join(right, "id", kind)) == in_any_order(*expected)


def test_join_by_condition_keeps_both_columns(left, right):
    df = left.join(right, left.id == right.id)
    assert df.columns == ["id", "l", "id", "r"]
    assert bag(df.select(left.id, right.r)) == in_any_order((2, "x"), (2, "x"), (3, "y"), (3, "z"))
    assert df.drop(right.id).columns == ["id", "l", "r"]


def test_join_by_several_names(spark):
    one = spark.createDataFrame([(1, 1, "a"), (1, 2, "b")], ["x", "y", "l"])
    other = spark.createDataFrame([(1, 2, "c"), (1, 3, "d")], ["x", "y", "r"])
    df = one.join(other, ["x", "y"])
    assert df.columns == ["x", "y", "l", "r"]
    assert rows(df) == [(1, 2, "b", "c")]


def test_cross_join(left, right):
    assert left.crossJoin(right).count() == 25
    assert left.join(right).count() == 25
    assert left.join(right, how="cross").count() == 25


def test_join_by_inequality(left, right):
    df = left.join(right, left.id < right.id, "left").select(left.l, right.r)
    assert df.count() == 11 + 1
    # 1 meets four rows, each 2 three, 3 one; the null is a row of its own.
    assert value(df.filter("r IS NULL").select("l")) == "e"


def test_null_safe_join(left, right):
    df = left.join(right, left.id.eqNullSafe(right.id))
    assert df.count() == 5


def test_self_join(people):
    one, other = people.alias("one"), people.alias("other")
    df = one.join(other, (F.col("one.country") == F.col("other.country")) & (F.col("one.age") < F.col("other.age")))
    assert bag(df.select("one.name", "other.name")) == in_any_order(("Ada", "Alan"), ("Barbara", "Grace"))


def test_self_join_by_name(people):
    assert people.join(people, "country").count() == 9


def test_ambiguous_columns_are_refused(left, right):
    df = left.join(right, left.id == right.id)
    with pytest.raises(AnalysisException) as raised:
        df.select("id").collect()
    assert raised.value.getCondition() == "AMBIGUOUS_REFERENCE"
    assert raised.value.getMessageParameters()["name"] == "`id`"


def test_using_a_column_that_is_not_there(left, right):
    with pytest.raises(AnalysisException) as raised:
        left.join(right, "nothing").collect()
    assert raised.value.getCondition() == "UNRESOLVED_USING_COLUMN_FOR_JOIN"


def test_broadcast_hint(left, right):
    assert bag(left.join(F.broadcast(right), "id")) == in_any_order(*INNER)
    for hint in ("merge", "shuffle_hash", "shuffle_replicate_nl"):
        assert bag(left.join(right.hint(hint), "id")) == in_any_order(*INNER)


def test_joins_in_sql(spark, left, right):
    left.createOrReplaceTempView("l")
    right.createOrReplaceTempView("r")
    for kind, count in [
        ("JOIN", 4), ("LEFT JOIN", 6), ("RIGHT JOIN", 6), ("FULL JOIN", 8), ("LEFT SEMI JOIN", 3), ("LEFT ANTI JOIN", 2),
    ]:  # fmt: skip
        assert spark.sql(f"SELECT * FROM l {kind} r ON l.id = r.id").count() == count, kind
        assert spark.sql(f"SELECT * FROM l {kind} r USING (id)").count() == count, kind
    assert spark.sql("SELECT * FROM l NATURAL JOIN r").columns == ["id", "l", "r"]
    assert spark.sql("SELECT * FROM l, r").count() == 25
    assert spark.sql("SELECT * FROM l CROSS JOIN r").count() == 25
    assert spark.sql("SELECT /*+ BROADCAST(r) */ * FROM l JOIN r USING (id)").count() == 4


def test_full_join_using_coalesces(spark, left, right):
    left.createOrReplaceTempView("l")
    right.createOrReplaceTempView("r")
    df = spark.sql("SELECT id, l.id, r.id FROM l FULL JOIN r USING (id) WHERE l.id IS NULL AND r.id IS NOT NULL")
    assert rows(df) == [(4, None, 4)]


def test_lateral_join(spark):
    text = "SELECT a, b FROM VALUES (1), (2) AS t(a), LATERAL (SELECT a * 10 AS b)"
    assert bag(spark.sql(text)) == [(1, 10), (2, 20)]


def test_three_tables(spark):
    for name, data in {"a": [(1, 2)], "b": [(2, 3)], "c": [(3, 4)]}.items():
        spark.createDataFrame(data, ["x", "y"]).createOrReplaceTempView(name)
    assert rows(spark.sql("SELECT a.x, c.y FROM a JOIN b ON a.y = b.x JOIN c ON b.y = c.x")) == [(1, 4)]


def test_join_of_different_types(spark):
    one = spark.createDataFrame([(1,)], "k int")
    other = spark.createDataFrame([(1.0, "x")], "k double, v string")
    assert value(one.join(other, one.k == other.k).select("v")) == "x"


def test_large_join(spark):
    spark.conf.set("spark.sql.autoBroadcastJoinThreshold", "-1")
    one = spark.range(200_000).withColumn("k", F.col("id") % 1000)
    other = spark.range(1000).withColumnRenamed("id", "k")
    df = one.join(other, "k").groupBy("k").count()
    assert df.count() == 1000
    assert df.filter("count <> 200").count() == 0


@pytest.mark.parametrize("kind", ["inner", "left", "right", "full", "left_semi", "left_anti"])
def test_a_partition_far_larger_than_the_others_is_shared_out(spark, kind):
    for key, number in [
        ("spark.sql.autoBroadcastJoinThreshold", "-1"),
        ("firesteel.sql.smallQueryThreshold", "0"),
        ("spark.sql.shuffle.partitions", "4"),
        ("spark.sql.adaptive.advisoryPartitionSizeInBytes", "4000"),
        ("spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes", "2000"),
    ]:
        spark.conf.set(key, number)
    # Nearly all rows of the left side have one key.
    facts = spark.range(0, 4000, numPartitions=8).select(F.expr("if(id % 40 = 0, id, 1)").alias("k"), F.col("id").alias("v"))
    names = spark.range(0, 300, numPartitions=3).select((F.col("id") * 3 - 2).alias("k"), F.col("id").alias("n"))

    def joined():
        both = facts.join(names, "k", kind)
        return rows(both.groupBy("k").agg(F.count("*").alias("c"), F.sum(both.columns[-1]).alias("s")).orderBy("k"))

    found = joined()
    spark.conf.set("spark.sql.adaptive.skewJoin.enabled", "false")
    assert found == joined()
    assert kind == "left_anti" or (1, 3900) in [row[:2] for row in found]


def test_a_selective_side_filters_the_scan_of_the_other(spark, bucket):
    """The plan says so, and says so no more when it is switched off; the rows are the same."""
    spark.conf.set("spark.sql.optimizer.runtime.bloomFilter.applicationSideScanSizeThreshold", "0")
    spark.conf.set("spark.sql.autoBroadcastJoinThreshold", "-1")
    spark.conf.set("firesteel.sql.smallQueryThreshold", "0")
    spark.range(20_000, numPartitions=4).withColumn("v", F.col("id") % 7).write.parquet(f"{bucket.url}/large")
    spark.range(0, 20_000, 100, 2).withColumn("w", F.col("id") / 100).write.parquet(f"{bucket.url}/small")
    large, small = spark.read.parquet(f"{bucket.url}/large"), spark.read.parquet(f"{bucket.url}/small")
    counted = large.groupBy("id").agg(F.max("v").alias("v"))
    expected = bag(spark.range(0, 500, 100).select("id", F.col("id") % 7))
    for frame in (large, counted, large.union(large).distinct()):
        joined = small.where("w < 5").join(frame, "id").select("id", "v")
        spark.conf.set("spark.sql.optimizer.runtime.bloomFilter.enabled", "true")
        assert "KeyFilterExec: keys 0" in joined._explain_string()
        assert bag(joined) == expected
        spark.conf.set("spark.sql.optimizer.runtime.bloomFilter.enabled", "false")
        assert "KeyFilterExec" not in joined._explain_string()
        assert bag(joined) == expected
