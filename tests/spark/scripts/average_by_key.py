"""Averages by key, four ways."""
from pyspark import SparkContext

sc = SparkContext("local[*]", "averages")
marks = sc.parallelize([("ann", 80), ("bob", 60), ("ann", 90), ("bob", 70), ("cid", 50)], 3)
expected = {"ann": 85.0, "bob": 65.0, "cid": 50.0}

by_combine = marks.combineByKey(
    lambda v: (v, 1), lambda acc, v: (acc[0] + v, acc[1] + 1), lambda a, b: (a[0] + b[0], a[1] + b[1])
).mapValues(lambda s: s[0] / s[1])
by_aggregate = marks.aggregateByKey(
    (0, 0), lambda acc, v: (acc[0] + v, acc[1] + 1), lambda a, b: (a[0] + b[0], a[1] + b[1])
).mapValues(lambda s: s[0] / s[1])
by_reduce = marks.mapValues(lambda v: (v, 1)).reduceByKey(lambda a, b: (a[0] + b[0], a[1] + b[1])).mapValues(
    lambda s: s[0] / s[1])
by_group = marks.groupByKey().mapValues(lambda vs: sum(vs) / len(vs))
for rdd in (by_combine, by_aggregate, by_reduce, by_group):
    assert rdd.collectAsMap() == expected
sc.stop()
