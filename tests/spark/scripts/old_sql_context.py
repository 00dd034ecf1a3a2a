"""SQLContext over a SparkContext, as Spark 1 had it."""
from pyspark import SparkContext
from pyspark.sql import HiveContext, Row, SQLContext

sc = SparkContext("local", "old sql")
sqlContext = SQLContext(sc)
rows = sc.parallelize(["ann,31", "bob,25"]).map(lambda l: l.split(",")).map(lambda p: Row(name=p[0], age=int(p[1])))
df = sqlContext.createDataFrame(rows)
sqlContext.registerDataFrameAsTable(df, "people")
teens = sqlContext.sql("SELECT name FROM people WHERE age < 30")
assert [row.name for row in teens.collect()] == ["bob"]
assert HiveContext(sc).table("people").count() == 2
sqlContext.dropTempTable("people")
sc.stop()
