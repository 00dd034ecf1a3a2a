"""How often each rating was given."""
import collections

from pyspark import SparkConf, SparkContext

sc = SparkContext(conf=SparkConf().setMaster("local").setAppName("RatingsHistogram"))
lines = sc.parallelize(["%d\t%d\t%d\t0" % (u, u * 3 % 7, u % 5 + 1) for u in range(52)])
result = lines.map(lambda x: x.split()[2]).countByValue()
ordered = collections.OrderedDict(sorted(result.items()))
assert list(ordered.items()) == [("1", 11), ("2", 11), ("3", 10), ("4", 10), ("5", 10)]
sc.stop()
