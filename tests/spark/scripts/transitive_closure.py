"""The transitive closure of a random graph, until nothing is added."""
from random import Random

from pyspark.sql import SparkSession

random = Random(42)
edges = set()
while len(edges) < 12:
    src, dst = random.randrange(0, 10), random.randrange(0, 10)
    if src != dst:
        edges.add((src, dst))

spark = SparkSession.builder.appName("PythonTransitiveClosure").getOrCreate()
tc = spark.sparkContext.parallelize(sorted(edges), 2).cache()
reversed_edges = tc.map(lambda e: (e[1], e[0]))
old, count = 0, tc.count()
while count != old:
    old = count
    new = tc.join(reversed_edges).map(lambda e: (e[1][1], e[1][0]))
    tc = tc.union(new).distinct(2).cache()
    count = tc.count()

closure = set(edges)
while True:
    more = {(a, d) for a, b in closure for c, d in edges if b == c} | closure
    if more == closure:
        break
    closure = more
assert set(tc.collect()) == closure
spark.stop()
