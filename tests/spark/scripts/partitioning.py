"""A partitioner of its own, and what it saves."""
from pyspark import SparkContext

sc = SparkContext("local[4]", "partitioning")
pairs = sc.parallelize([(i, i * i) for i in range(30)], 5)
assert pairs.partitioner is None
placed = pairs.partitionBy(3, lambda k: k // 10).persist()
assert placed.getNumPartitions() == 3
assert [sorted(k for k, _ in part) for part in placed.glom().collect()] == [
    list(range(10)), list(range(10, 20)), list(range(20, 30))]
assert placed.mapValues(lambda v: -v).partitioner == placed.partitioner
assert placed.map(lambda kv: kv).partitioner is None
assert placed.coalesce(1).getNumPartitions() == 1 and placed.repartition(7).getNumPartitions() == 7
sc.stop()
