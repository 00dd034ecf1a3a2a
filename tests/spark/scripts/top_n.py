"""The largest in several ways."""
import heapq

from pyspark.sql import SparkSession

sc = SparkSession.builder.getOrCreate().sparkContext
sales = sc.parallelize([("pear", 8), ("fig", 30), ("plum", 12), ("nut", 5), ("kiwi", 21)], 3)
assert sales.top(2, key=lambda kv: kv[1]) == [("fig", 30), ("kiwi", 21)]
assert sales.takeOrdered(2, key=lambda kv: kv[1]) == [("nut", 5), ("pear", 8)]
assert sales.sortBy(lambda kv: kv[1], ascending=False).take(3) == [("fig", 30), ("kiwi", 21), ("plum", 12)]
assert sales.map(lambda kv: (kv[1], kv[0])).sortByKey(False).values().first() == "fig"
local = sales.mapPartitions(lambda it: heapq.nlargest(2, it, key=lambda kv: kv[1])).collect()
assert heapq.nlargest(2, local, key=lambda kv: kv[1]) == [("fig", 30), ("kiwi", 21)]
sc.stop()
