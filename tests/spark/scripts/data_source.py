"""A data source of one's own: a folder of key=value files, read with a partition a file and written with a commit."""

import os
import tempfile

from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.datasource import DataSource, DataSourceReader, DataSourceWriter, InputPartition, WriterCommitMessage


class PropertiesSource(DataSource):
    @classmethod
    def name(cls):
        return "properties"

    def schema(self):
        return "file string, key string, value string"

    def reader(self, schema):
        return PropertiesReader(self.options["path"])

    def writer(self, schema, overwrite):
        return PropertiesWriter(self.options["path"], overwrite)


class PropertiesReader(DataSourceReader):
    def __init__(self, path):
        self.path = path

    def partitions(self):
        names = sorted(name for name in os.listdir(self.path) if name.endswith(".properties"))
        return [InputPartition(name) for name in names]

    def read(self, partition):
        with open(os.path.join(self.path, partition.value)) as file:
            for line in file:
                key, _, value = line.strip().partition("=")
                yield partition.value, key, value


class Written(WriterCommitMessage):
    def __init__(self, temporary, final):
        self.temporary, self.final = temporary, final


class PropertiesWriter(DataSourceWriter):
    def __init__(self, path, overwrite):
        self.path, self.overwrite = path, overwrite

    def write(self, rows):
        from pyspark import TaskContext

        final = os.path.join(self.path, f"part{TaskContext.get().partitionId()}.properties")
        with open(final + ".tmp", "w") as file:
            for row in rows:
                file.write(f"{row.key}={row.value}\n")
        return Written(final + ".tmp", final)

    def commit(self, messages):
        if self.overwrite:
            for name in os.listdir(self.path):
                if name.endswith(".properties"):
                    os.remove(os.path.join(self.path, name))
        for message in messages:
            os.rename(message.temporary, message.final)

    def abort(self, messages):
        for message in messages:
            if message is not None and os.path.exists(message.temporary):
                os.remove(message.temporary)


if __name__ == "__main__":
    spark = SparkSession.builder.appName("Data source").getOrCreate()
    spark.dataSource.register(PropertiesSource)

    folder = tempfile.mkdtemp()
    settings = spark.range(0, 6, 1, 2).select(
        F.concat(F.lit("key"), "id").alias("key"), (F.col("id") * 10).cast("string").alias("value")
    )
    settings.write.format("properties").mode("append").save(folder)
    assert sorted(os.listdir(folder)) == ["part0.properties", "part1.properties"]

    back = spark.read.format("properties").load(folder)
    back.printSchema()
    assert back.count() == 6
    assert back.where("key = 'key4'").select("file", "value").collect() == [("part1.properties", "40")]
    per_file = back.groupBy("file").agg(F.sum(F.col("value").cast("int")).alias("total")).orderBy("file")
    assert [row.total for row in per_file.collect()] == [30, 120]

    settings.where("key > 'key3'").coalesce(1).write.format("properties").mode("overwrite").save(folder)
    assert [row.value for row in spark.read.format("properties").load(folder).orderBy("key").collect()] == ["40", "50"]

    back.createOrReplaceTempView("props")
    assert spark.sql("SELECT max(value) FROM props").first()[0] == "50"
    spark.stop()
