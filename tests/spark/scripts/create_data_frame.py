"""createDataFrame of an RDD: inferred, by names, by a schema, by a DDL text."""
import datetime

from pyspark.sql import SparkSession
from pyspark.sql.types import DoubleType, IntegerType, StringType, StructField, StructType

spark = SparkSession.builder.getOrCreate()
sc = spark.sparkContext
rows = sc.parallelize([(1, "one", 1.5), (2, None, 2.5)], 2)
assert [f.dataType.simpleString() for f in spark.createDataFrame(rows).schema] == ["bigint", "string", "double"]
assert spark.createDataFrame(rows, ["n", "text", "x"]).filter("text is null").first().n == 2
schema = StructType([
    StructField("n", IntegerType(), False), StructField("text", StringType()), StructField("x", DoubleType())])
df = spark.createDataFrame(rows, schema)
assert df.schema == schema and df.count() == 2
assert spark.createDataFrame(rows, "n int, text string, x double").select("x").rdd.flatMap(tuple).sum() == 4.0
dicts = sc.parallelize([{"day": datetime.date(2024, 5, 1), "tags": ["a", "b"]}])
first = spark.createDataFrame(dicts).first()
assert first.day == datetime.date(2024, 5, 1) and first.tags == ["a", "b"]
assert spark.createDataFrame(sc.parallelize([1, 2, 3]), "int").agg({"value": "sum"}).first()[0] == 6
assert spark.createDataFrame(sc.emptyRDD(), schema).count() == 0
spark.stop()
