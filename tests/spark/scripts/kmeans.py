"""K-means by hand."""
import numpy as np
from pyspark import SparkContext


def closest(point, centers):
    return int(np.argmin([np.sum((point - center) ** 2) for center in centers]))


sc = SparkContext.getOrCreate()
random = np.random.RandomState(7)
data = np.concatenate([random.normal(at, 0.3, (60, 2)) for at in ((0, 0), (5, 5), (0, 6))])
points = sc.parallelize([row for row in data], 4).cache()
assert points.count() == 180

centers = [np.array(c, dtype=float) for c in ((1, 1), (4, 4), (1, 5))]
moved = 1.0
rounds = 0
while moved > 0.01 and rounds < 10:
    nearest = points.map(lambda p: (closest(p, centers), (p, 1)))
    sums = nearest.reduceByKey(lambda a, b: (a[0] + b[0], a[1] + b[1]))
    new = sums.map(lambda kv: (kv[0], kv[1][0] / kv[1][1])).collect()
    moved = sum(float(np.sum((centers[i] - p) ** 2)) for i, p in new)
    for i, p in new:
        centers[i] = p
    rounds += 1

assert np.allclose(sorted(map(tuple, np.round(centers))), [(0, 0), (0, 6), (5, 5)]), centers
sc.stop()
