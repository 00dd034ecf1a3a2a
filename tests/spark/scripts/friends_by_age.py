"""Average number of friends by age, from a CSV parsed by hand."""
import os
import tempfile

from pyspark import SparkConf, SparkContext


def parse_line(line):
    fields = line.split(",")
    return int(fields[2]), int(fields[3])


path = os.path.join(tempfile.mkdtemp(), "fakefriends.csv")
with open(path, "w") as f:
    for i in range(100):
        f.write("%d,Name%d,%d,%d\n" % (i, i, 20 + i % 5, i))

conf = SparkConf().setMaster("local").setAppName("FriendsByAge")
sc = SparkContext(conf=conf)
lines = sc.textFile("file://" + path)
totals = lines.map(parse_line).mapValues(lambda x: (x, 1)).reduceByKey(lambda x, y: (x[0] + y[0], x[1] + y[1]))
averages = totals.mapValues(lambda x: x[0] / x[1])
results = sorted(averages.collect())
assert results == [(20 + k, 47.5 + k) for k in range(5)], results
sc.stop()
