"""Sorts over all partitions."""
import random

from pyspark import SparkContext

sc = SparkContext("local[4]", "sorting")
random.seed(4)
values = [random.randrange(10000) for _ in range(2000)]
rdd = sc.parallelize(values, 6)
assert rdd.sortBy(lambda x: x).collect() == sorted(values)
assert rdd.sortBy(lambda x: x, ascending=False, numPartitions=3).collect() == sorted(values, reverse=True)
words = sc.parallelize(["Banana", "apple", "cherry", "Apple"], 2).map(lambda w: (w, len(w)))
assert words.sortByKey(True, 2, keyfunc=lambda k: (k.lower(), k)).keys().collect() == ["Apple", "apple", "Banana", "cherry"]
sc.stop()
