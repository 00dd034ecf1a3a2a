"""Union, intersection, subtraction, cartesian product, distinct."""
from pyspark import SparkContext

sc = SparkContext.getOrCreate()
a = sc.parallelize([1, 2, 3, 3, 4], 2)
b = sc.parallelize([3, 4, 5], 2)
assert a.union(b).count() == 8 and (a + b).getNumPartitions() == 4
assert sorted(a.union(b).distinct().collect()) == [1, 2, 3, 4, 5]
assert sorted(a.intersection(b).collect()) == [3, 4]
assert sorted(a.subtract(b).collect()) == [1, 2]
assert a.cartesian(b).count() == 15
assert sc.union([a, b, a]).sum() == 13 + 12 + 13
sc.stop()
