"""A product of sparse matrices, as a join."""
from pyspark import SparkContext

sc = SparkContext("local[2]", "matrix")
left = sc.parallelize([(0, 0, 1), (0, 1, 2), (1, 1, 3)], 2)
right = sc.parallelize([(0, 0, 4), (1, 0, 5), (1, 1, 6)], 2)
by_column = left.map(lambda e: (e[1], (e[0], e[2])))
by_row = right.map(lambda e: (e[0], (e[1], e[2])))
product = by_column.join(by_row).map(lambda kv: ((kv[1][0][0], kv[1][1][0]), kv[1][0][1] * kv[1][1][1])).reduceByKey(
    lambda a, b: a + b)
assert product.collectAsMap() == {(0, 0): 14, (0, 1): 12, (1, 0): 15, (1, 1): 18}
sc.stop()
