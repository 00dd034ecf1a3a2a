"""The most frequent pairs of words."""
from pyspark import SparkContext

sc = SparkContext.getOrCreate()
lines = sc.parallelize(["to be or not to be", "not to be seen", "to be frank"], 3)
grams = lines.map(lambda l: l.split()).flatMap(lambda ws: zip(ws, ws[1:]))
counts = grams.map(lambda g: (g, 1)).reduceByKey(lambda a, b: a + b)
assert counts.takeOrdered(2, key=lambda kv: (-kv[1], kv[0])) == [(("to", "be"), 4), (("not", "to"), 2)]
sc.stop()
