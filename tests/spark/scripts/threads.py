"""Several actions at once from threads."""
from concurrent.futures import ThreadPoolExecutor

from pyspark import SparkContext

sc = SparkContext("local[4]", "threads")
data = sc.parallelize(range(100), 4).cache()


def job(k):
    return data.map(lambda x: x * k).sum()


with ThreadPoolExecutor(4) as pool:
    results = list(pool.map(job, range(6)))
assert results == [4950 * k for k in range(6)]
sc.stop()
