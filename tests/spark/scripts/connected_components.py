"""Connected components by passing on the smallest label."""
from pyspark import SparkContext

sc = SparkContext("local[2]", "components")
edges = sc.parallelize([(1, 2), (2, 3), (4, 5), (6, 6), (7, 5)], 2)
both = edges.flatMap(lambda e: [e, (e[1], e[0])]).distinct().partitionBy(3).cache()
labels = both.keys().distinct().map(lambda v: (v, v))
while True:
    offered = both.join(labels).map(lambda kv: kv[1])
    new = labels.union(offered).reduceByKey(min).cache()
    changed = new.join(labels).filter(lambda kv: kv[1][0] != kv[1][1]).count()
    labels = new
    if changed == 0:
        break
assert labels.collectAsMap() == {1: 1, 2: 1, 3: 1, 4: 4, 5: 4, 7: 4, 6: 6}
sc.stop()
