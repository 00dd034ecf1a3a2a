"""reduce, fold, aggregate and their trees."""
from operator import add, mul

from pyspark import SparkContext

sc = SparkContext("local[2]", "aggregations")
n = sc.parallelize(range(1, 11), 3)
assert n.reduce(mul) == 3628800
assert n.fold(0, add) == 55
assert n.aggregate((0, 0), lambda a, x: (a[0] + x, a[1] + 1), lambda a, b: (a[0] + b[0], a[1] + b[1])) == (55, 10)
assert n.treeReduce(add) == 55
assert sc.parallelize(range(100), 16).treeAggregate(0, add, add, depth=3) == 4950
longest = sc.parallelize(["a", "abc", "ab"]).reduce(lambda a, b: a if len(a) >= len(b) else b)
assert longest == "abc"
sc.stop()
