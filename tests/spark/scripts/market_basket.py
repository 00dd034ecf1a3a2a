"""Pairs bought together."""
from itertools import combinations

from pyspark.sql import SparkSession

spark = SparkSession.builder.appName("baskets").getOrCreate()
baskets = spark.sparkContext.parallelize(
    [["milk", "bread"], ["milk", "eggs", "bread"], ["eggs", "bread"], ["milk", "bread", "jam"]], 2).cache()
single = baskets.flatMap(lambda b: b).map(lambda i: (i, 1)).reduceByKey(lambda a, b: a + b).collectAsMap()
support = spark.sparkContext.broadcast(single)
pairs = baskets.flatMap(lambda b: combinations(sorted(b), 2)).map(lambda p: (p, 1)).reduceByKey(lambda a, b: a + b)
rules = pairs.filter(lambda pc: pc[1] >= 2).flatMap(
    lambda pc: [(pc[0], pc[1] / support.value[pc[0][0]]), (pc[0][::-1], pc[1] / support.value[pc[0][1]])])
assert rules.filter(lambda r: r[1] == 1.0).keys().collect().count(("milk", "bread")) == 1
assert dict(rules.collect())[("bread", "milk")] == 0.75
spark.stop()
