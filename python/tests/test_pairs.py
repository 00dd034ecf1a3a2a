"""Operations by key, over frames in this process."""

import operator

import pytest
from pyspark.core import exchange
from pyspark.core.hashing import portable_hash
from pyspark.core.rdd import Partitioner
from pyspark.resultiterable import ResultIterable


def lists(pairs):
    return sorted((key, sorted(values)) for key, values in pairs)


def test_reductions_by_key(sc):
    rdd = sc.parallelize([("a", 1), ("b", 1), ("a", 1)], 3)
    assert sorted(rdd.reduceByKey(operator.add).collect()) == [("a", 2), ("b", 1)]
    assert rdd.reduceByKeyLocally(operator.add) == {"a": 2, "b": 1}
    assert sorted(rdd.foldByKey(0, operator.add).collect()) == [("a", 2), ("b", 1)]
    mean = rdd.aggregateByKey((0, 0), lambda a, v: (a[0] + v, a[1] + 1), lambda a, b: (a[0] + b[0], a[1] + b[1]))
    assert mean.collectAsMap() == {"a": (2, 2), "b": (1, 1)}
    assert lists(rdd.aggregateByKey([], lambda a, v: a.append(v) or a, operator.add).collect()) == [("a", [1, 1]), ("b", [1])]
    joined = rdd.combineByKey(str, lambda c, v: c + str(v), lambda a, b: a + b, 2)
    assert sorted(joined.collect()) == [("a", "11"), ("b", "1")] and joined.getNumPartitions() == 2
    assert dict(rdd.countByKey()) == {"a": 2, "b": 1}


def test_groups(sc):
    rdd = sc.parallelize([("a", 1), ("b", 1), ("a", 2)], 3)
    grouped = rdd.groupByKey()
    assert lists(grouped.collect()) == [("a", [1, 2]), ("b", [1])]
    assert isinstance(grouped.values().first(), ResultIterable)
    assert sorted(grouped.mapValues(len).collect()) == [("a", 2), ("b", 1)]
    assert sorted(rdd.flatMapValues(range).collect()) == [("a", 0), ("a", 0), ("a", 1), ("b", 0)]
    assert rdd.keys().collect() == ["a", "b", "a"] and rdd.values().collect() == [1, 1, 2]


def test_joins(sc):
    x, y = sc.parallelize([("a", 1), ("b", 4), ("a", 3)], 2), sc.parallelize([("a", 2), ("c", 8)], 3)
    assert sorted(x.join(y).collect()) == [("a", (1, 2)), ("a", (3, 2))]
    assert sorted(x.leftOuterJoin(y).collect()) == [("a", (1, 2)), ("a", (3, 2)), ("b", (4, None))]
    assert sorted(x.rightOuterJoin(y).collect()) == [("a", (1, 2)), ("a", (3, 2)), ("c", (None, 8))]
    assert len(x.fullOuterJoin(y, 5).collect()) == 4
    assert [(k, tuple(map(sorted, v))) for k, v in sorted(x.cogroup(y).collect())] == [
        ("a", ([1, 3], [2])),
        ("b", ([4], [])),
        ("c", ([], [8])),
    ]
    three = x.groupWith(y, sc.parallelize([("b", 9)]))
    assert sorted((k, tuple(map(sorted, v))) for k, v in three.collect())[1] == ("b", ([4], [], [9]))
    assert x.subtractByKey(y).collect() == [("b", 4)]
    assert sorted(x.join(x).collect()) == [("a", (1, 1)), ("a", (1, 3)), ("a", (3, 1)), ("a", (3, 3)), ("b", (4, 4))]


def test_partitioners_save_shuffles(sc):
    rdd = sc.parallelize([(i, i) for i in range(20)], 4).partitionBy(3)
    assert rdd.partitioner == Partitioner(3, portable_hash) and rdd.partitionBy(3) is rdd
    assert all(len({k % 3 for k, _ in part}) <= 1 for part in rdd.glom().collect())
    assert rdd.mapValues(str).partitioner == rdd.partitioner and rdd.map(lambda kv: kv).partitioner is None
    summed = rdd.reduceByKey(operator.add)
    before = sc._frames.stages_run
    assert summed.getNumPartitions() == 3 and len(summed.collect()) == 20
    assert sc._frames.stages_run - before == 2
    small = sc.parallelize([(1, "x"), (7, "y")], 2)
    joined = rdd.join(small)
    assert joined.partitioner == rdd.partitioner and sorted(joined.collect()) == [(1, (1, "x")), (7, (7, "y"))]
    evens = rdd.partitionBy(2, lambda key: key % 2)
    assert [sorted({k % 2 for k, _ in part}) for part in evens.glom().collect()] == [[0], [1]]


def test_lookup_and_secondary_sort(sc):
    rdd = sc.parallelize([(i, i * i) for i in range(100)], 5)
    assert rdd.lookup(42) == [1764] and rdd.sortByKey().lookup(42) == [1764] and rdd.partitionBy(7).lookup(1000) == []
    assert rdd.map(lambda kv: (str(kv[0]), kv[1])).partitionBy(4).lookup("7") == [49]
    pairs = sc.parallelize([((i % 3, -i), i) for i in range(30)], 4)
    ordered = pairs.repartitionAndSortWithinPartitions(3, lambda key: key[0])
    assert [[v for _, v in part] for part in ordered.glom().collect()] == [
        list(range(27 + i, -1, -3)) for i in range(3)
    ]


def test_large_shuffles_in_many_payloads(sc):
    rdd = sc.parallelize(range(50_000), 4).map(lambda i: (i % 5000, 1))
    assert rdd.reduceByKey(operator.add).map(lambda kv: kv[1]).distinct().collect() == [10]
    assert rdd.groupByKey(7).mapValues(len).values().distinct().collect() == [10]


def test_shuffles_spill_to_disk(monkeypatch):
    used = iter(range(0, 10_000_000, 100))
    monkeypatch.setattr(exchange, "get_used_memory", lambda: next(used))
    combiners = exchange.Combiners(None, operator.add, operator.add)
    pairs = [(i % 1000, 1) for i in range(50_000)]
    for are_values in (True, False):
        assert sorted(exchange.combined(pairs, combiners, 1, are_values)) == [(i, 50) for i in range(1000)]
    grouped = exchange.grouped(pairs, 1)
    assert sorted((key, sum(values)) for key, values in grouped) == [(i, 50) for i in range(1000)]


def test_portable_hash():
    assert portable_hash(None) == 0 and portable_hash(5) == 5 and portable_hash((1, 2)) != portable_hash((2, 1))
    assert portable_hash(("a", None)) == portable_hash(("a", None))


def test_sampling_errors(sc):
    with pytest.raises(ValueError):
        sc.parallelize([1]).sample(False, -1.0)
    with pytest.raises(ValueError):
        sc.parallelize([1]).takeSample(False, -1)
