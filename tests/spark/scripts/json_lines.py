"""JSON parsed in tasks, and written by saveAsTextFile."""
import json
import os
import tempfile

from pyspark import SparkContext

sc = SparkContext("local[2]", "json")
records = sc.parallelize([{"id": i, "tags": ["t%d" % (i % 3)]} for i in range(10)], 2)
path = os.path.join(tempfile.mkdtemp(), "json")
records.map(json.dumps).saveAsTextFile(path)
read = sc.textFile(path).map(json.loads)
assert read.count() == 10 and sorted(r["id"] for r in read.collect()) == list(range(10))
tags = read.flatMap(lambda r: r["tags"]).map(lambda t: (t, 1)).reduceByKey(lambda a, b: a + b).collectAsMap()
assert tags == {"t0": 4, "t1": 3, "t2": 3}
sc.stop()
