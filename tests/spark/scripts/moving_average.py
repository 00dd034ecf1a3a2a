"""A moving average with zipWithIndex and windows by flatMap."""
from pyspark import SparkContext

sc = SparkContext(appName="moving average")
prices = sc.parallelize([10, 12, 14, 13, 15, 20], 3)
size = 3
windows = prices.zipWithIndex().flatMap(lambda pi: [(pi[1] + shift, (pi[1], pi[0])) for shift in range(size)])
complete = windows.groupByKey().filter(lambda kv: len(kv[1]) == size)
averages = complete.mapValues(lambda vs: sum(v for _, v in vs) / size).sortByKey()
assert averages.values().collect() == [12.0, 13.0, 14.0, 16.0]
sc.stop()
