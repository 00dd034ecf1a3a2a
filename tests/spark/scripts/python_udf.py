"""A Python function in SQL, its result as an RDD."""
from pyspark.sql import SparkSession
from pyspark.sql.functions import udf
from pyspark.sql.types import StringType

spark = SparkSession.builder.getOrCreate()
shout = udf(lambda s: s.upper() + "!", StringType())
spark.udf.register("shout", lambda s: s.upper() + "!", StringType())
df = spark.sparkContext.parallelize([("hi", 1), ("ho", 2)]).toDF(["word", "n"])
assert sorted(df.select(shout("word")).rdd.map(lambda r: r[0]).collect()) == ["HI!", "HO!"]
df.createOrReplaceTempView("words")
assert spark.sql("SELECT shout(word) FROM words WHERE n = 2").first()[0] == "HO!"
spark.stop()
