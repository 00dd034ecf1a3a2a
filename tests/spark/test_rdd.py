"""RDDs over the real server: what depends on how it runs frames. The rest of the API is tested in python/tests."""

import os

import pytest
from pyspark.sql import Row


@pytest.fixture
def sc(spark):
    return spark.sparkContext


def test_slices_stay_apart(sc):
    assert sc.parallelize(range(10), 3).glom().collect() == [[0, 1, 2], [3, 4, 5], [6, 7, 8, 9]]
    assert sc.parallelize([1], 3).map(lambda x: x).glom().collect() == [[], [], [1]]


def test_large_data_goes_as_rows(sc):
    rdd = sc.parallelize([os.urandom(1000) for _ in range(1500)], 4)
    assert rdd._node.is_inline is False
    assert [len(part) for part in rdd.glom().collect()] == [375] * 4


def test_shuffles(sc):
    pairs = sc.parallelize(range(1000), 3).map(lambda n: (n % 10, n))
    assert pairs.reduceByKey(lambda a, b: a + b, 4).collectAsMap()[3] == sum(range(3, 1000, 10))
    assert [k for k, _ in pairs.groupByKey().sortByKey(numPartitions=3).collect()] == list(range(10))
    assert pairs.partitionBy(10).glom().map(len).collect() == [100] * 10
    assert sc.parallelize(range(20), 3).cartesian(sc.parallelize(range(30), 4)).distinct().count() == 600
    assert sc.parallelize(range(100), 5).map(str).coalesce(2).glom().map(len).collect() == [40, 60]


def test_rows_of_a_data_frame(spark):
    rdd = spark.range(100).repartition(3).rdd
    assert rdd.getNumPartitions() == 3 and rdd.map(lambda row: row.id).sum() == 4950
    assert isinstance(rdd.first(), Row)
    empty = spark.range(10).where("id > 100").rdd
    assert empty.isEmpty() and empty.map(lambda row: (row.id, 1)).groupByKey().collect() == []


def test_a_union_counts_the_partitions_of_each_input(spark, tmp_path):
    for name in "ab":
        tmp_path.joinpath(name).write_text(f"{name}1\n{name}2\n")
    lines = spark.sparkContext.textFile(str(tmp_path))
    count = lines.getNumPartitions()
    both = spark.sparkContext.union([spark.sparkContext.parallelize([0], 2), lines, lines])
    assert both.mapPartitionsWithIndex(lambda index, _: [index]).collect() == list(range(2 + 2 * count))
    assert both.count() == 9
    assert lines.zip(lines).filter(lambda pair: pair[0] != pair[1]).isEmpty()


def test_large_values_are_broadcast_as_files(sc):
    table = sc.broadcast({n: n * n for n in range(300_000)})
    assert sc.parallelize(range(4), 2).map(lambda n: table.value[n]).collect() == [0, 1, 4, 9]


def test_what_is_kept_is_computed_once(sc):
    seen = sc.accumulator(0)
    rdd = sc.parallelize(range(10), 4).map(lambda n: (seen.add(1), n)[1]).cache()
    assert (rdd + rdd).glom().map(len).collect() == [2, 3, 2, 3] * 2
    assert rdd.coalesce(2).glom().collect() == [list(range(5)), list(range(5, 10))]
    assert seen.value == 10


def test_data_frames_of_rdds(spark, sc):
    df = sc.parallelize([Row(name="Ann", tags=["x"]), Row(name="Bob", tags=[])], 2).toDF()
    assert df.where("size(tags) > 0").first() == Row(name="Ann", tags=["x"])
    assert spark.createDataFrame(sc.emptyRDD(), "a int").count() == 0


def test_reach_ins_say_what_to_use(spark, sc):
    for holder, name in ((spark, "_jvm"), (sc, "_jsc"), (sc, "_gateway"), (spark.range(1), "_jdf")):
        with pytest.raises(AttributeError, match=f"{name} is not there: "):
            getattr(holder, name)


def test_a_context_is_that_of_its_session(spark, sc):
    assert spark.sparkContext is sc and sc.version == spark.version
    assert spark.newSession().sparkContext is not sc
