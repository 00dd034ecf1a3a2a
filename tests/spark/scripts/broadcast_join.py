"""A join against a broadcast dictionary."""
from pyspark.sql import SparkSession

spark = SparkSession.builder.appName("broadcast join").getOrCreate()
sc = spark.sparkContext
countries = sc.broadcast({"de": "Germany", "fr": "France"})
visits = sc.parallelize([("de", 3), ("fr", 1), ("xx", 9), ("de", 2)], 2)
named = visits.map(lambda v: (countries.value.get(v[0], "unknown"), v[1])).reduceByKey(lambda a, b: a + b)
assert named.collectAsMap() == {"Germany": 5, "France": 1, "unknown": 9}
countries.unpersist()
assert named.count() == 3
countries.destroy()
spark.stop()
