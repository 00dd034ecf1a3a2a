"""mapInPandas, mapInArrow and foreachPartition: functions over partitions."""

import os

import pandas as pd
import pyarrow as pa
import pytest
from pyspark import TaskContext
from pyspark.errors import PythonException
from pyspark.sql import Row
from pyspark.sql import functions as F
from pyspark.sql.types import StructType


def test_map_in_arrow_sees_names_and_gives_rows(spark):
    def twice(batches):
        for batch in batches:
            assert batch.schema.names == ["id", "name"], batch.schema
            ids = batch.column("id").to_pylist()
            yield pa.RecordBatch.from_pydict({"n": pa.array([2 * i for i in ids], pa.int64()), "text": batch.column("name")})

    df = spark.range(5).select("id", F.concat(F.lit("x"), "id").alias("name"))
    assert df.mapInArrow(twice, "n long, text string").sort("n").collect() == [
        Row(n=2 * i, text=f"x{i}") for i in range(5)
    ]


def test_map_in_pandas_keeps_types(spark):
    def same(frames):
        for frame in frames:
            yield frame

    df = spark.sql(
        "select 1 a, 2L b, 1.5D c, 'x' d, date'2024-01-02' e, timestamp'2024-01-02 03:04:05' f, true g, 1.25BD h, "
        "array(1, 2) i, named_struct('p', 1) j, timestamp_ntz'2024-01-02 03:04:05' k, x'0102' l, cast(null as int) m"
    )
    assert df.mapInPandas(same, df.schema).collect() == df.collect()
    zone = spark.conf.get("spark.sql.session.timeZone")
    spark.conf.set("spark.sql.session.timeZone", "America/New_York")
    try:
        seen = df.select("f").mapInPandas(lambda it: (pd.DataFrame({"t": f.f.astype(str)}) for f in it), "t string")
        assert df.mapInPandas(same, df.schema).collect() == df.collect()
        assert seen.count() == 1
    finally:
        spark.conf.set("spark.sql.session.timeZone", zone)


def test_rows_can_become_more_fewer_or_none(spark):
    def explode(batches):
        for batch in batches:
            for i in batch.column(0).to_pylist():
                yield pa.RecordBatch.from_pydict({"v": pa.array([i] * i, pa.int64())})

    assert spark.range(4).mapInArrow(explode, "v long").groupBy("v").count().sort("v").collect() == [
        Row(v=1, count=1), Row(v=2, count=2), Row(v=3, count=3)
    ]
    assert spark.range(4).mapInArrow(lambda it: iter([]), "v long").collect() == []
    assert spark.range(0).mapInPandas(lambda it: it, "id long").collect() == []


def test_every_partition_is_called_even_an_empty_one(spark):
    def index(batches):
        rows = sum(batch.num_rows for batch in batches)
        context = TaskContext.get()
        yield pa.RecordBatch.from_pydict({"p": pa.array([context.partitionId()], pa.int32()), "n": pa.array([rows], pa.int64())})

    df = spark.range(0, 8, 1, 4).filter("id < 2 or id > 5")
    assert sorted(df.mapInArrow(index, "p int, n long").collect()) == [(0, 2), (1, 0), (2, 0), (3, 2)]


def test_chained_functions_and_aggregates_over_them(spark):
    def plus(n):
        def function(frames):
            for frame in frames:
                yield frame.assign(id=frame.id + n)

        return function

    df = spark.range(1000).mapInPandas(plus(1), "id long").mapInPandas(plus(10), "id long").filter("id % 2 = 0")
    assert df.agg(F.sum("id"), F.count("id")).collect() == [(sum(i + 11 for i in range(1000) if (i + 11) % 2 == 0), 500)]
    joined = df.alias("a").join(spark.range(20).mapInPandas(plus(0), "id long").alias("b"), "id")
    assert joined.count() == len([i for i in range(12, 20) if i % 2 == 0])


def test_batch_size_is_as_set(spark):
    def sizes(batches):
        for batch in batches:
            yield pa.RecordBatch.from_pydict({"n": pa.array([batch.num_rows], pa.int64())})

    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "100")
    try:
        found = [row.n for row in spark.range(0, 1050, 1, 1).mapInArrow(sizes, "n long").collect()]
    finally:
        spark.conf.unset("spark.sql.execution.arrow.maxRecordsPerBatch")
    assert max(found) == 100 and sum(found) == 1050


def test_a_function_may_stop_early(spark):
    def first(batches):
        yield next(iter(batches)).slice(0, 1)

    assert spark.range(0, 300000, 1, 2).mapInArrow(first, "id long").count() == 2
    assert spark.range(3).mapInArrow(lambda it: it, "id long").count() == 3


def test_an_exception_arrives_with_its_traceback(spark):
    def fails(batches):
        for _ in batches:
            raise ValueError("no such thing as 7")
        yield

    with pytest.raises(PythonException) as caught:
        spark.range(0, 3, 1, 1).mapInArrow(fails, "id long").collect()
    message = str(caught.value)
    assert "ValueError: no such thing as 7" in message and "in fails" in message and "worker.py" not in message


def test_a_wrong_schema_is_refused(spark):
    def texts(batches):
        for batch in batches:
            yield pa.RecordBatch.from_pydict({"id": pa.array(["x"] * batch.num_rows)})

    with pytest.raises(Exception, match="ARROW_TYPE_MISMATCH"):
        spark.range(3).mapInArrow(texts, "id long").collect()
    with pytest.raises(PythonException, match="missing|RESULT_COLUMN"):
        spark.range(3).mapInPandas(lambda it: (f.rename(columns={"id": "x"}) for f in it), "id long").collect()


def test_a_crash_fails_the_task_and_nothing_else(spark):
    def aborts(batches):
        os.abort()
        yield

    with pytest.raises(Exception, match="FIRESTEEL_PYTHON_WORKER_FAILED"):
        spark.range(3).mapInArrow(aborts, "id long").collect()
    assert spark.range(3).mapInArrow(lambda it: it, "id long").count() == 3


def test_an_error_of_the_input_is_the_error(spark):
    with pytest.raises(Exception, match="DIVIDE_BY_ZERO"):
        spark.range(3).selectExpr("1 div id as id").mapInArrow(lambda it: it, "id long").collect()


def test_foreach_partition(spark, tmp_path):
    folder = str(tmp_path)

    def write(rows):
        with open(f"{folder}/{TaskContext.get().partitionId()}", "w") as file:
            file.write(",".join(str(row.id) for row in rows))

    spark.range(0, 6, 1, 3).foreachPartition(write)
    assert [(tmp_path / str(i)).read_text() for i in range(3)] == ["0,1", "2,3", "4,5"]


def test_a_result_without_columns(spark):
    assert spark.range(5).mapInArrow(lambda it: iter([]), StructType()).collect() == []


def test_the_function_sees_sorted_rows_in_order(spark):
    def order(batches):
        yield pa.RecordBatch.from_pydict({"ids": pa.array([[i for b in batches for i in b.column(0).to_pylist()]])})

    sorted_ids = spark.range(0, 6, 1, 3).orderBy(F.desc("id"))
    assert [i for row in sorted_ids.mapInArrow(order, "ids array<long>").collect() for i in row.ids] == [5, 4, 3, 2, 1, 0]
    by_partition = spark.range(0, 6, 1, 3).sortWithinPartitions(F.desc("id"))
    assert [row.ids for row in by_partition.mapInArrow(order, "ids array<long>").collect()] == [[1, 0], [3, 2], [5, 4]]


def test_repartition_by_id_sends_rows_where_they_say(spark):
    def where(batches):
        partition = TaskContext.get().partitionId()
        for batch in batches:
            yield pa.RecordBatch.from_pydict({
                "pid": batch.column("pid"), "p": pa.array([partition] * batch.num_rows, pa.int32())
            })

    df = spark.range(40).selectExpr("cast(id % 5 as int) as pid").repartitionById(5, "pid")
    rows = df.mapInArrow(where, "pid int, p int").collect()
    assert len(rows) == 40 and all(row.pid == row.p for row in rows)
