"""Set operations, order, limits, duplicates, samples, partitions."""

import pytest
from pyspark.errors import AnalysisException
from pyspark.sql import functions as F
from results import bag, column, rows, types, value


@pytest.fixture
def one(spark):
    return spark.createDataFrame([(1,), (2,), (2,), (3,), (None,)], "a int")


@pytest.fixture
def other(spark):
    return spark.createDataFrame([(2,), (3,), (3,), (4,), (None,)], "a int")


def test_union(one, other):
    assert one.union(other).count() == 10
    assert one.unionAll(other).count() == 10
    assert sorted(column(one.union(other).distinct()), key=str) == [1, 2, 3, 4, None]


def test_intersect_and_except(one, other):
    assert bag(one.intersect(other)) == [(2,), (3,), (None,)]
    assert bag(one.intersectAll(other)) == [(2,), (3,), (None,)]
    assert bag(one.subtract(other)) == [(1,)]
    assert bag(one.exceptAll(other)) == [(1,), (2,)]


def test_set_operations_in_sql(spark, one, other):
    one.createOrReplaceTempView("one")
    other.createOrReplaceTempView("other")
    for operator, count in [("UNION", 5), ("UNION ALL", 10), ("INTERSECT", 3), ("INTERSECT ALL", 3), ("EXCEPT", 1),
                            ("EXCEPT ALL", 2), ("MINUS", 1)]:  # fmt: skip
        assert spark.sql(f"SELECT a FROM one {operator} SELECT a FROM other").count() == count, operator


def test_union_by_name(spark):
    one = spark.createDataFrame([(1, "x")], ["a", "b"])
    other = spark.createDataFrame([("y", 2)], ["b", "a"])
    assert rows(one.unionByName(other)) == [(1, "x"), (2, "y")]
    third = spark.createDataFrame([(3, 0.5)], ["a", "c"])
    df = one.unionByName(third, allowMissingColumns=True)
    assert df.columns == ["a", "b", "c"]
    assert rows(df) == [(1, "x", None), (3, None, 0.5)]
    with pytest.raises(AnalysisException):
        one.unionByName(third).collect()


def test_union_widens_types(spark):
    df = spark.sql("SELECT 1 AS a UNION ALL SELECT 2.5D UNION ALL SELECT NULL")
    assert types(df) == ["double"]
    assert bag(df) == [(1.0,), (2.5,), (None,)]


def test_union_of_different_widths(spark):
    with pytest.raises(AnalysisException) as raised:
        spark.sql("SELECT 1 UNION SELECT 1, 2").collect()
    assert raised.value.getCondition() == "NUM_COLUMNS_MISMATCH"


def test_order(people):
    assert column(people.orderBy("age")) == ["Barbara", "Ada", "Alan", "Grace", "Edsger"]
    assert column(people.sort(people.country.desc(), "name")) == ["Barbara", "Grace", "Ada", "Alan", "Edsger"]
    assert column(people.orderBy("country", "age", ascending=[True, False])) == ["Edsger", "Alan", "Ada", "Grace", "Barbara"]
    assert column(people.orderBy(F.length("name"), "name"))[0] == "Ada"


def test_order_of_nulls(one):
    assert column(one.orderBy("a")) == [None, 1, 2, 2, 3]
    assert column(one.orderBy(F.desc("a"))) == [3, 2, 2, 1, None]
    assert column(one.orderBy(F.asc_nulls_last("a"))) == [1, 2, 2, 3, None]
    assert column(one.orderBy(F.desc_nulls_first("a"))) == [None, 3, 2, 2, 1]


def test_order_in_sql(spark, people):
    people.createOrReplaceTempView("people")
    assert column(spark.sql("SELECT name FROM people ORDER BY age DESC LIMIT 2")) == ["Edsger", "Grace"]
    assert column(spark.sql("SELECT name, age FROM people ORDER BY 2 LIMIT 1 OFFSET 1")) == ["Ada"]
    assert column(spark.sql("SELECT name AS n FROM people ORDER BY country, n"))[0] == "Edsger"
    assert rows(spark.sql("SELECT * FROM people ORDER BY ALL LIMIT 1")) == [("Ada", 36, "UK")]
    assert column(spark.sql("SELECT name FROM people SORT BY age"))


def test_order_of_floats(spark):
    df = spark.createDataFrame([(float("nan"),), (1.0,), (float("inf"),), (None,), (-0.5,)], "x double")
    assert str(column(df.orderBy("x"))) == "[None, -0.5, 1.0, inf, nan]"


def test_limit_offset_tail(spark):
    df = spark.range(10)
    assert column(df.limit(3)) == [0, 1, 2]
    assert column(df.offset(7)) == [7, 8, 9]
    assert column(df.offset(2).limit(2)) == [2, 3]
    assert [row.id for row in df.tail(2)] == [8, 9]
    assert [row.id for row in df.head(2)] == [0, 1]
    assert df.head().id == 0
    assert [row.id for row in df.take(2)] == [0, 1]
    assert df.first().id == 0
    assert df.limit(0).collect() == []
    assert df.filter("id > 100").first() is None


def test_duplicates(spark):
    df = spark.createDataFrame([(1, "a"), (1, "a"), (1, "b"), (2, "a")], ["x", "y"])
    assert df.distinct().count() == 3
    assert df.dropDuplicates().count() == 3
    assert df.dropDuplicates(["x"]).count() == 2
    assert df.drop_duplicates(["y"]).count() == 2


def test_sample(spark):
    df = spark.range(10_000)
    sampled = df.sample(fraction=0.1, seed=3)
    assert 800 < sampled.count() < 1200
    assert column(sampled) == column(df.sample(fraction=0.1, seed=3))
    assert df.sample(withReplacement=True, fraction=2.0, seed=3).count() > 15_000
    assert df.sample(0.0).count() == 0
    assert df.sample(1.0).count() == 10_000


def test_random_split(spark):
    parts = spark.range(1000).randomSplit([0.7, 0.3], seed=5)
    counts = [part.count() for part in parts]
    assert sum(counts) == 1000
    assert 600 < counts[0] < 800


def test_sample_by(spark):
    df = spark.range(1000).select((F.col("id") % 3).alias("k"))
    counts = dict(rows(df.sampleBy("k", {0: 0.5, 1: 1.0}, seed=1).groupBy("k").count()))
    assert counts[1] == 333
    assert 100 < counts[0] < 240
    assert 2 not in counts


def test_table_sample_in_sql(spark):
    assert spark.sql("SELECT * FROM (SELECT * FROM range(100)) TABLESAMPLE (5 ROWS)").count() == 5
    assert 20 < spark.sql("SELECT * FROM (SELECT * FROM range(100)) TABLESAMPLE (50 PERCENT) REPEATABLE (7)").count() < 80


def test_repartition(spark):
    df = spark.range(1000)
    partitions = F.spark_partition_id().alias("p")
    assert df.repartition(7).select(partitions).distinct().count() == 7
    assert df.repartition(7).coalesce(2).select(partitions).distinct().count() == 2
    assert df.coalesce(1).select(partitions).distinct().count() == 1
    by_key = df.withColumn("k", F.col("id") % 5).repartition(3, "k").select("k", partitions).distinct()
    assert by_key.count() == 5
    by_range = df.repartitionByRange(4, "id").groupBy(partitions).agg(F.min("id").alias("low"), F.max("id").alias("high"))
    ranges = rows(by_range.orderBy("p").select("low", "high"))
    assert len(ranges) == 4
    assert all(before[1] < after[0] for before, after in zip(ranges, ranges[1:]))


def test_sort_within_partitions(spark):
    df = spark.range(100).repartition(3).sortWithinPartitions(F.desc("id"))
    pairs = rows(df.select(F.spark_partition_id(), "id"))
    for before, after in zip(pairs, pairs[1:]):
        assert before[0] != after[0] or before[1] > after[1]


def test_is_local_and_storage(spark):
    df = spark.range(3)
    assert df.isStreaming is False
    assert df.cache().count() == 3
    assert df.persist().count() == 3
    assert df.unpersist().count() == 3
    assert df.sameSemantics(spark.range(3)) in (True, False)
    assert isinstance(df.semanticHash(), int)


def test_big_sort(spark):
    df = spark.range(300_000).select(((F.col("id") * 7919) % 300_007).alias("x")).orderBy("x")
    found = column(df)
    assert found == sorted(found)
    assert len(found) == 300_000


@pytest.mark.parametrize("key", ["abs(id - 5) > 3", "upper(string(id)) < '5'", "size(transform(array(id), x -> x + 1)) = 1",
                                 "named_struct('a', id).a < 1000", "CAST(DATE'1970-01-01' + int(id) AS timestamp) < TIMESTAMP'1970-03-01'"])
def test_order_by_a_comparison_with_a_call(spark, key):
    found = column(spark.sql(f"SELECT id FROM range(0, 300000, 1, 4) ORDER BY {key} DESC, id DESC"))
    whether = column(spark.sql(f"SELECT {key} FROM range(300000) ORDER BY id"))
    assert found == sorted(range(300_000), key=lambda id: (whether[id], id), reverse=True)


def test_hash_of_rows(spark):
    # Spark's own values of Murmur3 with seed 42.
    assert rows(spark.sql("SELECT hash('ABC'), hash(1), hash('Spark', array(123), 2)")) == [
        (-757602832, -559580957, -1321691492)
    ]
    assert value(spark.sql("SELECT xxhash64('Spark', array(123), 2)")) == 5602566077635097486
