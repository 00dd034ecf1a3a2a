"""Values of each key in order, through a composite key and a partitioner of its own."""
from pyspark import SparkConf, SparkContext
from pyspark.rdd import portable_hash

sc = SparkContext(conf=SparkConf().setAppName("secondary sort"))
readings = sc.parallelize([("b", 3), ("a", 9), ("a", 1), ("b", 2), ("a", 5), ("c", 7)], 3)
keyed = readings.map(lambda r: ((r[0], r[1]), None))
ordered = keyed.repartitionAndSortWithinPartitions(
    numPartitions=2, partitionFunc=lambda key: portable_hash(key[0]) % 2, keyfunc=lambda key: (key[0], -key[1])
)
series = {}
for part in ordered.keys().glom().collect():
    for name, value in part:
        series.setdefault(name, []).append(value)
assert series == {"a": [9, 5, 1], "b": [3, 2], "c": [7]}, series
sc.stop()
