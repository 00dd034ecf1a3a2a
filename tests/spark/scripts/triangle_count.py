"""Triangles in a graph by a self join."""
from pyspark import SparkContext

sc = SparkContext("local[*]", "triangles")
edges = sc.parallelize([(1, 2), (2, 3), (1, 3), (3, 4), (4, 5), (3, 5)], 3)
paths = edges.join(edges).filter(lambda kv: kv[1][0] < kv[1][1]).map(lambda kv: ((kv[1][0], kv[1][1]), kv[0]))
triangles = paths.join(edges.map(lambda e: (e, None))).map(lambda kv: (kv[1][0],) + kv[0])
assert sorted(triangles.collect()) == [(1, 2, 3), (3, 4, 5)]
sc.stop()
