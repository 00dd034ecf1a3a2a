"""RDDs and DataFrames of the same data."""
from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.master("local[2]").appName("mix").enableHiveSupport().getOrCreate()
sc = spark.sparkContext
people = sc.parallelize([Row(name="Ann", age=31), Row(name="Bob", age=25), Row(name="Cid", age=44)], 2)
df = people.toDF()
assert df.columns == ["name", "age"]
older = df.filter(F.col("age") > 30)
names = older.rdd.map(lambda row: row.name.upper()).collect()
assert sorted(names) == ["ANN", "CID"]
df.createOrReplaceTempView("people")
assert spark.sql("SELECT max(age) FROM people").first()[0] == 44
pairs = sc.parallelize([("a", 1), ("b", 2)]).toDF(["letter", "number"])
assert pairs.groupBy().sum("number").first()[0] == 3
back = pairs.rdd.map(tuple).collect()
assert sorted(back) == [("a", 1), ("b", 2)]
spark.stop()
