"""Degrees of separation from a start."""
from pyspark import SparkContext

sc = SparkContext.getOrCreate()
graph = {1: [2, 3], 2: [4], 3: [4], 4: [5], 5: [], 6: [1]}
frontier = sc.parallelize([(node, (to, 0 if node == 1 else 9999)) for node, to in graph.items()], 2)


def spread(entry):
    node, (neighbours, distance) = entry
    yield node, (neighbours, distance)
    if distance < 9999:
        for other in neighbours:
            yield other, ([], distance + 1)


for _ in range(4):
    frontier = frontier.flatMap(spread).reduceByKey(lambda a, b: (a[0] or b[0], min(a[1], b[1])))
assert frontier.mapValues(lambda v: v[1]).collectAsMap() == {1: 0, 2: 1, 3: 1, 4: 2, 5: 3, 6: 9999}
sc.stop()
