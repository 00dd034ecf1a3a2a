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


def ranked(frames):
    for frame in frames:
        frame["rank"] = frame["y"].rank(method="dense").astype(int)
        yield frame[["id", "rank"]]


ranks = featured.coalesce(1).mapInPandas(ranked, "id long, rank long")
assert ranks.rdd.map(lambda r: (r["rank"], 1)).countByKey() == {1: 10, 2: 10, 3: 10, 4: 10}
spark.stop()
