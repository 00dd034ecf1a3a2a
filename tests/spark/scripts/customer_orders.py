"""Spending per customer, sorted."""
from pyspark import SparkConf, SparkContext

conf = SparkConf().setMaster("local").setAppName("SpendByCustomer")
sc = SparkContext(conf=conf)
orders = sc.parallelize(["44,8602,37.19", "35,5368,65.89", "44,3391,40.64", "47,6694,14.98", "35,680,13.08"])
totals = orders.map(lambda line: line.split(",")).map(lambda f: (int(f[0]), float(f[2]))).reduceByKey(lambda x, y: x + y)
flipped = totals.map(lambda x: (x[1], x[0])).sortByKey()
assert [(customer, round(total, 2)) for total, customer in flipped.collect()] == [(47, 14.98), (44, 77.83), (35, 78.97)]
sc.stop()
