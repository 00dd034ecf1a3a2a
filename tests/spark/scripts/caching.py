"""What is kept is not computed again."""
import tempfile

from pyspark import SparkContext, StorageLevel

sc = SparkContext("local[2]", "caching")
calls = sc.accumulator(0)


def slow(x):
    calls.add(1)
    return x * x


squares = sc.parallelize(range(50), 4).map(slow).persist(StorageLevel.MEMORY_AND_DISK)
assert squares.is_cached and squares.count() == 50 and squares.sum() == 40425 and squares.max() == 2401
assert calls.value == 50, calls.value
squares.unpersist()
assert squares.count() == 50 and calls.value == 100
sc.setCheckpointDir(tempfile.mkdtemp())
long = sc.parallelize(range(10), 2)
for _ in range(5):
    long = long.map(lambda x: x + 1)
long.checkpoint()
assert long.collect() == list(range(5, 15)) and long.isCheckpointed() and long.getCheckpointFile()
assert long.map(lambda x: x).sum() == 95
sc.stop()
