"""An exact median by sorting, and deciles by histogram."""
from pyspark import SparkContext

sc = SparkContext("local[2]", "median")
values = sc.parallelize([7, 1, 9, 4, 3, 8, 2, 6, 5], 3)
ordered = values.sortBy(lambda x: x).zipWithIndex().map(lambda vi: (vi[1], vi[0]))
n = ordered.count()
assert ordered.lookup(n // 2) == [5]
bounds, counts = sc.range(0, 1000, numSlices=4).histogram(10)
assert counts[:9] == [100] * 9 and sum(counts) == 1000
sc.stop()
