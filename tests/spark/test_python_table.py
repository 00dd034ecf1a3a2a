"""Tables of the catalog that a data source in Python reads and writes."""

import json
import os
import sys

import pytest
from pyspark import cloudpickle
from pyspark.errors import PySparkException
from pyspark.sql import functions as F
from pyspark.sql.datasource import DataSource, DataSourceReader, DataSourceWriter, InputPartition, WriterCommitMessage

cloudpickle.register_pickle_by_value(sys.modules[__name__])


class Lines(DataSource):
    """Files of JSON lines in the folder of its path."""

    @classmethod
    def name(cls):
        return "Lines"

    def schema(self):
        return self.options.get("columns", "id BIGINT, text STRING")

    def folder(self):
        return self.options["path"].removeprefix("file:").replace("///", "/")

    def reader(self, schema):
        folder, names = self.folder(), schema.names

        class Reader(DataSourceReader):
            def partitions(self):
                files = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
                return [InputPartition(os.path.join(folder, name)) for name in files]

            def read(self, partition):
                if partition.value is None:
                    return
                with open(partition.value) as file:
                    for line in file:
                        row = json.loads(line)
                        yield tuple(row.get(name) for name in names)

        return Reader()

    def writer(self, schema, overwrite):
        folder = self.folder()

        class Writer(DataSourceWriter):
            def write(self, rows):
                import uuid

                os.makedirs(folder, exist_ok=True)
                name = str(uuid.uuid4())
                with open(os.path.join(folder, name), "w") as file:
                    file.writelines(json.dumps(row.asDict()) + "\n" for row in rows)
                message = WriterCommitMessage()
                message.name = name
                return message

            def commit(self, messages):
                kept = {message.name for message in messages}
                for name in os.listdir(folder) if overwrite else []:
                    if name not in kept:
                        os.remove(os.path.join(folder, name))

            def abort(self, messages):
                pass

        return Writer()


@pytest.fixture(params=["here", "in processes"])
def spark(request, connect, server):
    spark = connect(server if request.param == "here" else request.getfixturevalue("processes"))
    spark.dataSource.register(Lines)
    spark.sql("CREATE SCHEMA IF NOT EXISTS python_tables")
    spark.sql("USE python_tables")
    yield spark
    spark.sql("DROP SCHEMA python_tables CASCADE")


def ids(spark, table):
    return sorted(row.id for row in spark.table(table).collect())


def test_created_filled_and_read(spark, tmp_path):
    folder = tmp_path / "lines"
    spark.sql(f"CREATE TABLE lines USING lines LOCATION '{folder}'")
    assert spark.table("lines").schema.simpleString() == "struct<id:bigint,text:string>"
    assert ids(spark, "lines") == []
    spark.sql("INSERT INTO lines VALUES (1, 'one'), (2, 'two')")
    spark.sql("INSERT INTO lines (text, id) SELECT 'three', 3")
    assert sorted(tuple(row) for row in spark.table("lines").collect()) == [(1, "one"), (2, "two"), (3, "three")]
    assert [row.text for row in spark.sql("SELECT text FROM lines WHERE id = 2").collect()] == ["two"]
    spark.range(7, 9).withColumn("text", F.lit("t")).write.insertInto("lines", overwrite=True)
    assert ids(spark, "lines") == [7, 8]
    spark.sql("DROP TABLE lines")
    assert any(folder.iterdir())


def test_columns_of_the_definition(spark, tmp_path):
    spark.sql(f"CREATE TABLE few (id INT) USING lines OPTIONS (path '{tmp_path / 'few'}')")
    spark.sql("INSERT INTO few VALUES (5)")
    assert spark.table("few").schema.simpleString() == "struct<id:int>"
    assert ids(spark, "few") == [5]
    spark.sql(f"CREATE TABLE other USING lines OPTIONS (columns 'id SMALLINT') LOCATION '{tmp_path / 'few'}'")
    assert spark.table("other").schema.simpleString() == "struct<id:smallint>"
    assert ids(spark, "other") == [5]


def test_save_as_table(spark):
    frame = spark.range(0, 4, 1, 2).withColumn("text", F.lit("t"))
    frame.write.format("lines").saveAsTable("saved")
    frame.write.format("lines").mode("append").saveAsTable("saved")
    assert ids(spark, "saved") == [0, 0, 1, 1, 2, 2, 3, 3]
    with pytest.raises(PySparkException) as raised:
        frame.write.format("lines").saveAsTable("saved")
    assert raised.value.getCondition() == "TABLE_OR_VIEW_ALREADY_EXISTS"
    frame.write.format("lines").mode("ignore").saveAsTable("saved")
    frame.where("id < 2").writeTo("saved").append()
    assert len(ids(spark, "saved")) == 10
    spark.sql("CREATE TABLE chosen USING lines AS SELECT id FROM saved WHERE id > 2")
    assert ids(spark, "chosen") == [3, 3]
    joined = spark.table("saved").join(spark.table("chosen"), "id").count()
    assert joined == 4


def test_what_is_refused(spark, connect, server):
    spark.range(3).write.format("lines").saveAsTable("kept")
    with pytest.raises(PySparkException) as raised:
        spark.sql("TRUNCATE TABLE kept")
    assert raised.value.getCondition() == "UNSUPPORTED_FEATURE.TABLE_OPERATION"
    with pytest.raises(PySparkException, match="partition"):
        spark.range(3).write.format("lines").partitionBy("id").saveAsTable("parts")
    stranger = spark.newSession() if hasattr(spark, "newSession") else None
    if stranger is not None:
        with pytest.raises(PySparkException) as raised:
            stranger.table("python_tables.kept").collect()
        assert raised.value.getCondition() == "DATA_SOURCE_NOT_FOUND"
