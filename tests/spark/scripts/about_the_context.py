"""What a SparkContext tells about itself."""
from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession

conf = SparkConf().setAppName("about").setMaster("local[*]").set("spark.custom.key", "42")
with SparkContext(conf=conf) as sc:
    assert sc.appName == "about" and sc.version.startswith("4.") and sc.applicationId and sc.sparkUser()
    assert sc.getConf().get("spark.custom.key") == "42" and sc.defaultParallelism >= 1 and sc.startTime > 0
    assert SparkContext.getOrCreate() is sc
    try:
        SparkContext("local", "second")
        raise SystemExit("two contexts at once")
    except ValueError as error:
        assert "Cannot run multiple SparkContexts" in str(error)
    spark = SparkSession.builder.getOrCreate()
    assert spark.sparkContext is sc and spark.range(3).rdd.count() == 3
again = SparkContext("local", "again")
assert again.parallelize([1]).collect() == [1] and again.appName == "again"
again.stop()
