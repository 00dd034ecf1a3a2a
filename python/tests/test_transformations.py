"""RDD transformations and actions, over frames in this process."""

import operator
import re

import pytest
from pyspark import RDD, StorageLevel, TaskContext


def test_parallelize_cuts_slices_evenly(sc):
    assert sc.parallelize(range(10), 3).glom().collect() == [[0, 1, 2], [3, 4, 5], [6, 7, 8, 9]]
    assert sc.parallelize([1, 2], 4).glom().collect() == [[], [1], [], [2]]
    assert sc.parallelize(x for x in "abc").collect() == ["a", "b", "c"]
    assert sc.range(5, 0, -2, 2).collect() == [5, 3, 1]
    assert sc.emptyRDD().collect() == [] and sc.emptyRDD().getNumPartitions() == 0
    with pytest.raises(ValueError):
        sc.parallelize([1], 0)


def test_large_collections_travel_as_rows(sc):
    values = [str(i) * 50 for i in range(40_000)]
    rdd = sc.parallelize(values, 5)
    assert rdd._node.is_inline is False
    assert rdd.collect() == values and rdd.getNumPartitions() == 5
    assert rdd.take(3) == values[:3]


def test_narrow_operations_fuse_into_one_stage(sc):
    rdd = sc.parallelize(range(100), 4).map(lambda x: x + 1).filter(lambda x: x % 2 == 0).flatMap(lambda x: [x, -x])
    before = sc._frames.stages_run
    assert sum(rdd.collect()) == 0
    assert sc._frames.stages_run - before == 1


def test_map_partitions(sc):
    rdd = sc.parallelize(range(6), 3)
    assert rdd.mapPartitions(lambda it: [sum(it)]).collect() == [1, 5, 9]
    assert rdd.mapPartitionsWithIndex(lambda i, it: ((i, x) for x in it)).collect()[-1] == (2, 5)
    assert rdd.map(lambda x: TaskContext.get().partitionId()).collect() == [0, 0, 1, 1, 2, 2]


def test_stop_iteration_of_user_code_is_an_error(sc):
    def stop(x):
        raise StopIteration

    with pytest.raises(RuntimeError):
        sc.parallelize([1, 2]).map(stop).collect()


def test_union_keeps_partitions_and_indexes(sc):
    left, right = sc.parallelize([1, 2], 2), sc.parallelize([3, 4, 5], 3)
    tagged = [rdd.mapPartitionsWithIndex(lambda i, it: ((i, x) for x in it)) for rdd in (left, right)]
    both = tagged[0] + tagged[1]
    assert both.getNumPartitions() == 5
    assert both.collect() == [(0, 1), (1, 2), (0, 3), (1, 4), (2, 5)]
    assert both.mapPartitionsWithIndex(lambda i, it: [i]).collect() == [0, 1, 2, 3, 4]
    assert sc.union([left, sc.emptyRDD(), right]).take(4) == [1, 2, 3, 4]
    with pytest.raises(TypeError):
        left + 1


def test_distinct_subtract_intersection(sc):
    a, b = sc.parallelize([1, 2, 2, 3, None], 3), sc.parallelize([2, 3, 4], 2)
    assert sorted(a.filter(lambda x: x).distinct().collect()) == [1, 2, 3]
    assert sorted(a.intersection(b).collect()) == [2, 3]
    assert a.subtract(b).collect() == [None, 1] or sorted(a.subtract(b).collect(), key=str) == [1, None]
    assert a.distinct().count() == 4


def test_group_and_sort(sc):
    rdd = sc.parallelize([1, 1, 2, 3, 5, 8], 3)
    assert sorted((k, sorted(v)) for k, v in rdd.groupBy(lambda x: x % 2).collect()) == [(0, [2, 8]), (1, [1, 1, 3, 5])]
    assert rdd.sortBy(lambda x: -x).collect() == [8, 5, 3, 2, 1, 1]
    words = sc.parallelize("the quick brown fox jumps over the lazy dog".split(), 4)
    assert words.sortBy(lambda w: w).collect() == sorted("the quick brown fox jumps over the lazy dog".split())
    big = sc.parallelize([(i * 7919) % 1000 for i in range(1000)], 7)
    ordered = big.sortBy(lambda x: x, ascending=False, numPartitions=5)
    assert ordered.collect() == list(range(999, -1, -1))
    sizes = ordered.glom().map(len).collect()
    assert len(sizes) == 5 and min(sizes) > 100
    assert sc.parallelize([(3, "c"), (1, "a"), (2, "b")], 2).sortByKey().collect() == [(1, "a"), (2, "b"), (3, "c")]
    assert sc.parallelize([("B", 1), ("a", 2)]).sortByKey(keyfunc=lambda k: k.lower()).keys().collect() == ["a", "B"]
    assert sc.emptyRDD().sortBy(lambda x: x).collect() == []


def test_coalesce_and_repartition(sc):
    rdd = sc.parallelize(range(10), 5)
    assert rdd.coalesce(2).glom().collect() == [[0, 1, 2, 3], [4, 5, 6, 7, 8, 9]]
    assert rdd.coalesce(9).getNumPartitions() == 5
    assert rdd.coalesce(2).mapPartitionsWithIndex(lambda i, it: [i]).collect() == [0, 1]
    wide = rdd.repartition(8)
    assert wide.getNumPartitions() == 8 and sorted(wide.collect()) == list(range(10))
    assert sorted(sc.parallelize(range(1000), 1).repartition(4).glom().map(len).collect()) == [250] * 4
    assert rdd.filter(lambda x: x > 8).coalesce(1).collect() == [9]
    assert rdd.coalesce(2).take(5) == [0, 1, 2, 3, 4]


def test_zip(sc):
    a = sc.parallelize(range(500), 3)
    assert a.zip(a.map(str)).collect() == [(i, str(i)) for i in range(500)]
    with pytest.raises(ValueError):
        a.zip(sc.parallelize([1], 2))
    with pytest.raises(ValueError):
        a.zip(sc.parallelize(range(499), 3)).collect()
    assert sc.parallelize("abcd", 3).zipWithIndex().collect() == [("a", 0), ("b", 1), ("c", 2), ("d", 3)]
    assert sc.parallelize("abcde", 3).zipWithUniqueId().collect() == [("a", 0), ("b", 1), ("c", 4), ("d", 2), ("e", 5)]


def test_cartesian(sc):
    pairs = sc.parallelize([1, 2, 3], 2).cartesian(sc.parallelize("ab", 2))
    assert pairs.getNumPartitions() == 4
    assert sorted(pairs.collect()) == [(1, "a"), (1, "b"), (2, "a"), (2, "b"), (3, "a"), (3, "b")]
    wide = sc.parallelize(range(20), 3).cartesian(sc.parallelize(range(30), 4))
    assert sorted(wide.collect()) == [(i, j) for i in range(20) for j in range(30)]
    assert sc.emptyRDD().cartesian(pairs).collect() == []


def test_take_looks_into_few_partitions(sc):
    seen = sc.accumulator(0)

    def look(x):
        seen.add(1)
        return x

    rdd = sc.parallelize(range(1000), 100).map(look)
    assert rdd.take(5) == [0, 1, 2, 3, 4] and rdd.first() == 0
    assert seen.value < 100
    assert rdd.take(0) == [] and rdd.take(2000) == list(range(1000))
    assert sc.emptyRDD().isEmpty() and not rdd.isEmpty() and rdd.filter(lambda x: False).isEmpty()
    with pytest.raises(ValueError, match="RDD is empty"):
        sc.emptyRDD().first()
    assert sc.parallelize([("a", 1), ("b", 2)], 2).reduceByKey(operator.add).take(9).__len__() == 2


def test_reductions(sc):
    rdd = sc.parallelize([1, 2, 3, 4, 5], 3)
    assert rdd.reduce(operator.add) == 15 and rdd.sum() == 15 and rdd.count() == 5
    assert rdd.fold(0, operator.add) == 15
    assert rdd.aggregate((0, 0), lambda a, x: (a[0] + x, a[1] + 1), lambda a, b: (a[0] + b[0], a[1] + b[1])) == (15, 5)
    assert rdd.max() == 5 and rdd.min(key=lambda x: -x) == 5
    for depth in (1, 2, 3):
        assert sc.parallelize(range(200), 20).treeReduce(operator.add, depth) == 19900
        assert sc.parallelize(range(200), 20).treeAggregate(0, operator.add, operator.add, depth) == 19900
    with pytest.raises(ValueError, match="empty"):
        sc.parallelize([], 2).reduce(operator.add)
    assert sc.parallelize([[1], [2]], 2).fold([], lambda a, b: a + b) == [1, 2]
    assert sc.parallelize([1, 2, 1], 2).countByValue() == {1: 2, 2: 1}


def test_extremes_and_samples(sc):
    rdd = sc.parallelize([10, 4, 2, 12, 3], 3)
    assert rdd.top(2) == [12, 10] and rdd.top(2, key=lambda x: -x) == [2, 3]
    assert rdd.takeOrdered(3) == [2, 3, 4] and rdd.takeOrdered(2, key=lambda x: -x) == [12, 10]
    hundred = sc.parallelize(range(100), 4)
    assert 4 < hundred.sample(False, 0.1, 81).count() < 25
    assert hundred.sample(True, 2.0, 1).count() > 120
    assert len(set(hundred.takeSample(False, 30, 1))) == 30
    assert len(hundred.takeSample(True, 150, 1)) == 150
    assert len(hundred.takeSample(False, 150)) == 100
    assert hundred.takeSample(False, 5, 3) == hundred.takeSample(False, 5, 3)
    parts = hundred.randomSplit([1, 3], 17)
    assert sorted(parts[0].collect() + parts[1].collect()) == list(range(100))
    strata = sc.parallelize([("a", i) for i in range(100)] + [("b", i) for i in range(100)], 3)
    kept = strata.sampleByKey(False, {"a": 0.2, "b": 0.0}, 2).countByKey()
    assert 5 < kept["a"] < 40 and kept["b"] == 0


def test_statistics(sc):
    rdd = sc.parallelize([1.0, 2.0, 3.0, 4.0], 3)
    assert rdd.mean() == 2.5 and rdd.variance() == 1.25 and rdd.stdev() == pytest.approx(1.118033989)
    assert rdd.sampleVariance() == pytest.approx(5 / 3) and rdd.sampleStdev() == pytest.approx((5 / 3) ** 0.5)
    assert rdd.stats().max() == 4.0
    numbers = sc.parallelize(range(51), 3)
    assert numbers.histogram(2) == ([0, 25, 50], [25, 26])
    assert numbers.histogram([0, 5, 25, 50]) == ([0, 5, 25, 50], [5, 20, 26])
    assert numbers.histogram([0, 15, 30, 45, 60]) == ([0, 15, 30, 45, 60], [15, 15, 15, 6])
    assert sc.parallelize(["ab", "ac", "b", "bd", "ef"]).histogram(("a", "b", "c")) == (("a", "b", "c"), [2, 2])
    for wrong in ([], [1], [2, 1], [1, 1]):
        with pytest.raises(ValueError):
            numbers.histogram(wrong)
    assert rdd.sumApprox(1000) == 10.0 and rdd.meanApprox(1000) == 2.5 and rdd.countApprox(1000, 1.0) == 4
    assert abs(sc.parallelize([i % 1000 for i in range(5000)], 4).countApproxDistinct(0.02) - 1000) < 80
    assert abs(sc.parallelize([str(i % 20) for i in range(5000)], 4).countApproxDistinct() - 20) < 3


def test_foreach_and_iterators(sc):
    total = sc.accumulator(0)
    sc.parallelize(range(10), 3).foreach(lambda x: total.add(x))
    assert total.value == 45

    def each(values):
        for value in values:
            total.add(value)
            yield value

    sc.parallelize(range(10), 3).foreachPartition(each)
    assert total.value == 90
    assert list(sc.parallelize(range(10), 3).toLocalIterator()) == list(range(10))


def test_pipe(sc):
    assert sc.parallelize(["1", "2", "", "3"], 2).pipe("cat").collect() == ["1", "2", "", "3"]
    assert sc.parallelize([1], 1).pipe("sh -c 'echo $GREETING'", {"GREETING": "hello"}).collect() == ["hello"]
    with pytest.raises(RuntimeError):
        sc.parallelize([1]).pipe("false", checkCode=True).collect()


def test_persisted_rdds_are_computed_once(sc):
    computed = sc.accumulator(0)

    def note(x):
        computed.add(1)
        return x

    rdd = sc.parallelize(range(10), 2).map(note).cache()
    assert rdd.is_cached and rdd.getStorageLevel() == StorageLevel.MEMORY_ONLY
    assert rdd.count() == 10 and rdd.sum() == 45 and rdd.map(lambda x: x + 1).take(2) == [1, 2]
    assert rdd.glom().collect() == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    assert computed.value == 10
    rdd.unpersist()
    assert not rdd.is_cached and rdd.count() == 10 and computed.value == 20


def test_checkpoints(sc, tmp_path):
    rdd = sc.parallelize(range(4), 2).map(lambda x: x * x)
    with pytest.raises(Exception, match="Checkpoint directory"):
        rdd.checkpoint()
    sc.setCheckpointDir(str(tmp_path))
    rdd.checkpoint()
    assert not rdd.isCheckpointed() and rdd.getCheckpointFile() is None
    assert rdd.collect() == [0, 1, 4, 9]
    assert rdd.isCheckpointed() and rdd.getCheckpointFile().startswith(str(tmp_path))
    local = sc.parallelize([1])
    local.localCheckpoint()
    assert local.isLocallyCheckpointed() and local.collect() == [1] and local.isCheckpointed()


def test_lineage_is_told(sc):
    rdd = sc.parallelize(range(4), 2).map(lambda x: (x, 1)).setName("pairs").reduceByKey(operator.add, 3)
    lines = [re.sub(r"\[\d+\].*", "", line) for line in rdd.toDebugString().decode().splitlines()]
    assert lines[0] == "(3) ShuffledRDD"
    assert lines[1].startswith(" +-(2) ")
    assert all(line.startswith("    |  ") for line in lines[2:])
    assert any("pairs" in line for line in lines) and "ParallelCollectionRDD" in lines[-1]
    assert rdd.id() != rdd.map(str).id() and rdd.context is sc


def test_an_rdd_in_a_function_is_refused(sc):
    inner = sc.parallelize([1])
    with pytest.raises(Exception, match="SPARK-5063"):
        sc.parallelize([1]).map(lambda x: inner.count()).collect()
    with pytest.raises(Exception, match="SPARK-5063"):
        sc.parallelize([1]).map(lambda x: sc.defaultParallelism).collect()
    with pytest.raises(Exception, match="not supported"):
        inner.barrier()
    assert isinstance(inner, RDD)
