"""Features by pandas functions over a DataFrame, then an RDD of what they give."""
import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql.functions import pandas_udf

spark = SparkSession.builder.appName("features").getOrCreate()
df = spark.createDataFrame([(i, float(i % 4)) for i in range(40)], "id long, x double")


@pandas_udf("double")
def scaled(x: pd.Series) -> pd.Series:
    return x * 10


featured = df.withColumn("y", scaled("x"))
assert featured.rdd.map(lambda r: r.y).sum() == 600.0
means = df.groupBy("x").applyInPandas(
    lambda g: pd.DataFrame({"x": [g["x"].iloc[0]], "mean": [g["id"].mean()]}), "x double, mean double")
assert {r.x: r["mean"] for r in means.collect()} == {0.0: 18.0, 1.0: 19.0, 2.0: 20.0, 3.0: 21.0}
spark.stop()
