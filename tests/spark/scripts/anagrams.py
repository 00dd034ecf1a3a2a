"""Words that are made of the same letters."""
from pyspark import SparkContext

sc = SparkContext("local", "anagrams")
words = sc.parallelize(["listen", "silent", "enlist", "google", "elgoog", "abc"], 3)
groups = words.keyBy(lambda w: "".join(sorted(w))).groupByKey().mapValues(lambda ws: sorted(ws)).values()
assert sorted(g for g in groups.collect() if len(g) > 1) == [["elgoog", "google"], ["enlist", "listen", "silent"]]
sc.stop()
