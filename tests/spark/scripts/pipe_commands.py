"""Records through shell commands."""
from pyspark import SparkContext

sc = SparkContext("local[2]", "pipe")
words = sc.parallelize(["spark", "flink", "storm"], 2)
assert words.pipe("tr a-z A-Z").collect() == ["SPARK", "FLINK", "STORM"]
assert [int(line) for line in words.pipe("wc -l").collect()] == [1, 2]
assert words.pipe("sh -c 'echo $WHO'", {"WHO": "me"}).distinct().collect() == ["me"]
sc.stop()
