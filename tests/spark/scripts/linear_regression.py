"""Least squares through sums over an RDD."""
from pyspark import SparkContext

sc = SparkContext("local[2]", "regression")
points = sc.parallelize([(float(x), 3.0 * x + 2.0 + (0.1 if x % 2 else -0.1)) for x in range(100)], 4)
n, sx, sy, sxx, sxy = points.map(lambda p: (1, p[0], p[1], p[0] ** 2, p[0] * p[1])).reduce(
    lambda a, b: tuple(u + v for u, v in zip(a, b)))
slope = (n * sxy - sx * sy) / (n * sxx - sx ** 2)
intercept = (sy - slope * sx) / n
assert abs(slope - 3.0) < 0.01 and abs(intercept - 2.0) < 0.1
sc.stop()
