"""Data sources written in Python: read, filtered, written, in one process and in several."""

import json
import os
import sys

import pytest
from pyspark import cloudpickle
from pyspark.errors import AnalysisException, PySparkException, PythonException
from pyspark.sql import Row
from pyspark.sql import functions as F
from pyspark.sql.datasource import (
    DataSource,
    DataSourceArrowWriter,
    DataSourceReader,
    DataSourceWriter,
    EqualTo,
    InputPartition,
    WriterCommitMessage,
)
from pyspark.sql.types import IntegerType, StringType, StructType


cloudpickle.register_pickle_by_value(sys.modules[__name__])


@pytest.fixture(params=["here", "in processes"])
def spark(request, connect, server):
    return connect(server if request.param == "here" else request.getfixturevalue("processes"))


class Numbers(DataSource):
    """Numbers and their squares; the options say how many, in how many partitions, and in which form."""

    @classmethod
    def name(cls):
        return "numbers"

    def schema(self):
        return "n INT, squared BIGINT"

    def reader(self, schema):
        options, names = self.options, schema.names

        class Part(InputPartition):
            def __init__(self, first, end):
                self.first, self.end = first, end

        class Reader(DataSourceReader):
            def partitions(self):
                count, parts = int(options.get("COUNT", 10)), int(options.get("parts", 3))
                return [Part(i * count // parts, (i + 1) * count // parts) for i in range(parts)]

            def read(self, partition):
                numbers = range(partition.first, partition.end)
                match options.get("form", "tuples"):
                    case "tuples":
                        yield from ((n, n * n) for n in numbers)
                    case "rows":
                        yield from (Row(squared=n * n, n=n) for n in numbers)
                    case "batches":
                        import pyarrow as pa

                        columns = [pa.array(numbers, pa.int32()), pa.array([n * n for n in numbers], pa.int64())]
                        yield pa.RecordBatch.from_arrays(columns, names)

        return Reader()


EXPECTED = [Row(n=n, squared=n * n) for n in range(10)]


@pytest.mark.parametrize("form", ["tuples", "rows", "batches"])
def test_reading(spark, form):
    spark.dataSource.register(Numbers)
    frame = spark.read.format("numbers").option("form", form).load()
    assert frame.schema.simpleString() == "struct<n:int,squared:bigint>"
    assert frame.collect() == EXPECTED
    assert frame.where("n > 7").select("squared").collect() == [(64,), (81,)]
    many = spark.read.format("NUMBERS").options(count=10_000, parts=4, form=form).load()
    assert many.agg(F.count("*"), F.sum("n")).collect() == [(10_000, sum(range(10_000)))]
    assert many.select(F.spark_partition_id()).distinct().count() == 4


def test_reading_from_sql_and_in_joins(spark):
    spark.dataSource.register(Numbers)
    spark.sql("create or replace temporary view some_numbers using numbers options (count '5')")
    assert spark.sql("select sum(squared) from some_numbers").collect() == [(30,)]
    frame = spark.read.format("numbers").load()
    joined = frame.alias("a").join(frame.alias("b"), F.expr("a.n = b.squared")).select("a.n", "b.n").orderBy("a.n")
    assert joined.collect() == [(0, 0), (1, 1), (4, 2), (9, 3)]
    assert frame.cache().groupBy((F.col("n") % 2).alias("k")).count().orderBy("k").collect() == [(0, 5), (1, 5)]


def test_a_schema_of_the_users_and_one_partition(spark):
    class Words(DataSource):
        def schema(self):
            return StructType().add("word", StringType()).add("length", IntegerType())

        def reader(self, schema):
            names = schema.names

            class Reader(DataSourceReader):
                def read(self, partition):
                    assert partition.value is None
                    words = {"word": "spark", "length": 5}
                    yield tuple(words[name] for name in names)

            return Reader()

    spark.dataSource.register(Words)
    assert spark.read.format("Words").load().collect() == [("spark", 5)]
    assert spark.read.format("words").schema("length int").load().collect() == [(5,)]


def test_paths_are_options(spark):
    class Options(DataSource):
        @classmethod
        def name(cls):
            return "options"

        def schema(self):
            return "name string, value string"

        def reader(self, schema):
            options = dict(self.options)

            class Reader(DataSourceReader):
                def read(self, partition):
                    yield from sorted(options.items())

            return Reader()

    spark.dataSource.register(Options)
    assert spark.read.format("options").option("K", "v").load("a/b").collect() == [("k", "v"), ("path", "a/b")]
    paths = spark.read.format("options").load(["a", "b"]).collect()
    assert [(row.name, json.loads(row.value)) for row in paths] == [("paths", ["a", "b"])]


class Filtered(DataSource):
    """Tells which filters it was given, and takes care of one kind."""

    @classmethod
    def name(cls):
        return "filtered"

    def schema(self):
        return "k int, name string, price decimal(10,2), day date, filters string"

    def reader(self, schema):
        import datetime
        import decimal

        class Reader(DataSourceReader):
            def __init__(self):
                self.filters, self.k = [], None

            def pushFilters(self, filters):
                self.filters = [repr(given) for given in filters]
                for given in filters:
                    if isinstance(given, EqualTo) and given.attribute == ("k",):
                        self.k = given.value
                    else:
                        yield given

            def read(self, partition):
                day = datetime.date(2024, 2, 29)
                for k in range(4) if self.k is None else [self.k]:
                    yield k, f"n{k}", decimal.Decimal(k), day, "; ".join(self.filters)

        return Reader()


def test_filters_are_pushed(spark):
    spark.dataSource.register(Filtered)
    spark.conf.set("spark.sql.python.filterPushdown.enabled", True)
    frame = spark.read.format("filtered").load()

    def filters(condition):
        rows = frame.where(condition).collect()
        assert rows, condition
        return {row.k for row in rows}, rows[0].filters

    def shown(name, column, *value):
        return f"{name}(attribute=('{column}',)" + "".join(f", value={part!r}" for part in value) + ")"

    assert filters("k = 2") == ({2}, f"{shown('IsNotNull', 'k')}; {shown('EqualTo', 'k', 2)}")
    assert filters("2 < k") == ({3}, f"{shown('IsNotNull', 'k')}; {shown('GreaterThan', 'k', 2)}")
    assert filters("k <=> 1") == ({1}, shown("EqualNullSafe", "k", 1))
    assert filters("startswith(name, 'n1')") == ({1}, f"{shown('IsNotNull', 'name')}; {shown('StringStartsWith', 'name', 'n1')}")
    kept, seen = filters("k in (0, 1, 3, 7) and price >= 1.00")
    assert kept == {1, 3} and "[0, 1, 3, 7]" in seen and "GreaterThanOrEqual(attribute=('price',), value=Decimal(" in seen
    kept, seen = filters("day = date '2024-02-29' and k != 3")
    assert kept == {0, 1, 2} and "datetime.date(2024, 2, 29)" in seen and "Not(child=EqualTo(attribute=('k',), value=3))" in seen
    assert filters("k % 2 = 1") == ({1, 3}, "")
    assert frame.count() == 4


def test_filters_need_the_setting(spark):
    spark.dataSource.register(Filtered)
    with pytest.raises(AnalysisException, match="filterPushdown.enabled"):
        spark.read.format("filtered").load().collect()


class Sink(DataSource):
    """Writes a file of JSON lines a partition, which shows when all of them are written."""

    @classmethod
    def name(cls):
        return "sink"

    def writer(self, schema, overwrite):
        path, fails = self.options["path"], self.options.get("fails")
        names = schema.names

        class Message(WriterCommitMessage):
            def __init__(self, name, rows):
                self.name, self.rows = name, rows

        class Writer(DataSourceWriter):
            def write(self, rows):
                from pyspark import TaskContext

                number = TaskContext.get().partitionId()
                rows = [row.asDict() for row in rows]
                assert all(list(row) == names for row in rows)
                if fails == "write" and number == 1:
                    raise ValueError("the disk is full")
                name = os.path.join(path, f"part-{number}")
                with open(name, "w") as file:
                    file.writelines(json.dumps(row) + "\n" for row in rows)
                return Message(name, len(rows))

            def commit(self, messages):
                if fails == "commit":
                    raise ValueError("not today")
                with open(os.path.join(path, "done"), "w") as file:
                    json.dump({"overwrite": overwrite, "rows": [message.rows for message in messages]}, file)

            def abort(self, messages):
                with open(os.path.join(path, "aborted"), "w") as file:
                    json.dump([message and message.rows for message in messages], file)

        return Writer()


def test_writing(spark, tmp_path):
    spark.dataSource.register(Sink)
    frame = spark.range(0, 10, 1, 2).withColumn("text", F.concat(F.lit("t"), "id"))
    frame.write.format("sink").mode("append").save(str(tmp_path))
    assert json.loads((tmp_path / "done").read_text()) == {"overwrite": False, "rows": [5, 5]}
    lines = [json.loads(line) for part in tmp_path.glob("part-*") for line in part.read_text().splitlines()]
    assert sorted(line["id"] for line in lines) == list(range(10)) and lines[0]["text"].startswith("t")
    frame.where("id < 0").write.format("sink").mode("overwrite").option("path", str(tmp_path)).save()
    assert json.loads((tmp_path / "done").read_text()) == {"overwrite": True, "rows": [0, 0]}
    assert not (tmp_path / "aborted").exists()


def test_failed_writes_are_aborted(spark, tmp_path):
    spark.dataSource.register(Sink)
    writing = spark.range(0, 4, 1, 2).write.format("sink").mode("append")
    with pytest.raises(PythonException, match="the disk is full"):
        writing.option("fails", "write").save(str(tmp_path))
    messages = json.loads((tmp_path / "aborted").read_text())
    assert len(messages) == 2 and None in messages and not (tmp_path / "done").exists()
    (tmp_path / "aborted").unlink()
    with pytest.raises(AnalysisException, match="not today") as raised:
        writing.option("fails", "commit").save(str(tmp_path))
    assert raised.value.getCondition() == "PYTHON_DATA_SOURCE_ERROR"
    assert json.loads((tmp_path / "aborted").read_text()) == [2, 2]


def test_modes_that_a_source_does_not_have(spark, tmp_path):
    spark.dataSource.register(Sink)
    for mode in ("error", "ignore"):
        with pytest.raises(PySparkException) as raised:
            spark.range(1).write.format("sink").mode(mode).save(str(tmp_path))
        assert raised.value.getCondition() == "UNSUPPORTED_DATA_SOURCE_SAVE_MODE"


def test_writing_batches(spark, tmp_path):
    class Batches(DataSource):
        @classmethod
        def name(cls):
            return "batches"

        def writer(self, schema, overwrite):
            path = self.options["path"]

            class Writer(DataSourceArrowWriter):
                def write(self, batches):
                    from pyspark import TaskContext

                    rows = sum(batch.num_rows for batch in batches)
                    with open(os.path.join(path, str(TaskContext.get().partitionId())), "w") as file:
                        file.write(str(rows))
                    return WriterCommitMessage()

            return Writer()

    spark.dataSource.register(Batches)
    spark.range(0, 50_000, 1, 2).write.format("batches").mode("append").save(str(tmp_path))
    assert sum(int(part.read_text()) for part in tmp_path.iterdir()) == 50_000


def test_failures_name_the_source(spark):
    class Fails(DataSource):
        @classmethod
        def name(cls):
            return "fails"

        def schema(self):
            match self.options.get("where"):
                case "schema":
                    raise ValueError("no schema today")
            return "a int"

        def reader(self, schema):
            where = self.options["where"]

            class Reader(DataSourceReader):
                def partitions(self):
                    if where == "partitions":
                        raise ValueError("no partitions today")
                    return [InputPartition(1)]

                def read(self, partition):
                    if where == "read":
                        raise ValueError("no rows today")
                    yield (1, 2)

            return Reader()

    spark.dataSource.register(Fails)
    for where in ("schema", "partitions"):
        with pytest.raises(AnalysisException, match=f"no {where} today") as raised:
            spark.read.format("fails").option("where", where).load().collect()
        assert raised.value.getCondition() == "PYTHON_DATA_SOURCE_ERROR"
    with pytest.raises(PythonException, match="no rows today"):
        spark.read.format("fails").option("where", "read").load().collect()
    with pytest.raises(PythonException, match="DATA_SOURCE_RETURN_SCHEMA_MISMATCH"):
        spark.read.format("fails").option("where", "nowhere").load().collect()
    with pytest.raises(AnalysisException, match="implement|writer"):
        spark.range(1).write.format("fails").mode("append").save()


def test_names(spark, connect):
    class Taken(DataSource):
        @classmethod
        def name(cls):
            return "parquet"

    with pytest.raises(AnalysisException) as raised:
        spark.dataSource.register(Taken)
    assert raised.value.getCondition() == "DATA_SOURCE_ALREADY_EXISTS"
    with pytest.raises(PySparkException) as raised:
        spark.read.format("numbers").load().collect()
    assert raised.value.getCondition() == "DATA_SOURCE_NOT_FOUND"


def test_streams_are_refused_by_name(spark):
    spark.dataSource.register(Numbers)
    with pytest.raises(PySparkException, match="stream"):
        spark.readStream.format("numbers").load().schema
