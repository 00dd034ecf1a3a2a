"""What runs while things fail: each job answers what is wrong with its result, or nothing."""

from pathlib import Path

import pandas
import pyarrow.parquet as parquet
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

import data
from processes import Store, wait_for


class Jobs:
    """Jobs over the tables, each with a session of its caller's."""

    def __init__(self, store: Store, tables: dict[str, Path]):
        self.store = store
        self.queries = data.answers(tables)
        self.orders = parquet.read_table(tables["orders"]).to_pandas()
        self.numbered = 0
        others = {"write": self.write, "word count": self.word_count, "rdd of rows": self.rdd_of_rows}
        functions = {"udf": self.scalar_udf, "pandas groups": self.pandas_groups}
        self.all = {name: self.query(name) for name in self.queries} | others | functions
        # Writes and Python break in more ways than queries.
        self.names = [*self.queries, *["write"] * 4, *(["word count", "rdd of rows", "udf", "pandas groups"] * 2)]

    def query(self, name: str):
        def run(spark: SparkSession):
            found = [tuple(row) for row in spark.sql(data.QUERIES[name]).collect()]
            return different(found, self.queries[name])

        return run

    def write(self, spark: SparkSession):
        """Writes a table and looks at the files themselves: every row once, nothing half written."""
        self.numbered += 1
        name = f"out-{self.numbered}"
        frame = spark.sql("SELECT id, customer, total, priority FROM orders").repartition(6, "customer")
        folder = self.store.folder / "chaos" / name
        try:
            frame.write.partitionBy("priority").parquet(f"s3://chaos/{name}")
        except PySparkException:
            wait_for(lambda: not any(path.is_file() for path in folder.rglob("*")), 20, f"nothing left of {name}, which failed")
            raise
        if self.store.name == "MinIO":
            ids = [row.id for row in spark.read.parquet(f"s3://chaos/{name}").select("id").collect()]
        else:
            left = [path.name for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".parquet")]
            if left != ["_SUCCESS"]:
                return f"beside its rows {name} has {left}"
            ids = [i for file in folder.rglob("*.parquet") for i in parquet.ParquetFile(file).read(["id"])["id"].to_pylist()]
        if sorted(ids) == list(range(len(self.orders))):
            return None
        return f"{name}: {len(ids)} rows of {len(self.orders)}, {len(set(ids))} of them different"

    def word_count(self, spark: SparkSession):
        words = [f"word{n * n % 101}" for n in range(4000)]
        pairs = spark.sparkContext.parallelize(words, 6).map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b, 4)
        return different(sorted(pairs.collect()), sorted((word, words.count(word)) for word in set(words)))

    def rdd_of_rows(self, spark: SparkSession):
        rows = spark.sql("SELECT customer, total FROM orders WHERE id % 4 = 0").rdd
        totals = rows.map(lambda row: (row[0] % 50, row[1])).reduceByKey(lambda a, b: a + b, 4).collectAsMap()
        orders = self.orders[self.orders.id % 4 == 0]
        return different(totals, orders.total.groupby(orders.customer % 50).sum().to_dict())

    def scalar_udf(self, spark: SparkSession):
        mixed = F.udf(lambda a, b: (a * 7 + b) % 13, "long")
        frame = spark.table("orders").select(mixed("customer", "total").alias("k"), "total")
        found = {row.k: row.s for row in frame.groupBy("k").agg(F.sum("total").alias("s")).collect()}
        keys = (self.orders.customer * 7 + self.orders.total) % 13
        return different(found, self.orders.total.groupby(keys).sum().to_dict())

    def pandas_groups(self, spark: SparkSession):
        def spread(group):
            return group.assign(spread=group.total.max() - group.total.min())[["priority", "spread"]].head(1)

        found = spark.table("orders").groupBy("priority").applyInPandas(spread, "priority long, spread long").collect()
        grouped: pandas.Series = self.orders.groupby("priority").total
        return different({row.priority: row.spread for row in found}, (grouped.max() - grouped.min()).to_dict())


def different(found, expected) -> str | None:
    if found == expected:
        return None
    return f"{len(found)} rows, {len(expected)} expected: {str(found)[:200]} {str(expected)[:200]}"
