"""Executors as processes: what works in one process works through them, and losing one costs only what ran on it."""

import os
import resource
import signal
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from server import PROCESSES as CONF
from server import TOKEN, Server

@pytest.fixture
def spark(connect, processes):
    return connect(processes)


def executors(server) -> list[int]:
    """The server's executors, oldest first."""
    pids = set()
    for children in Path(f"/proc/{server.process.pid}/task").glob("*/children"):
        pids.update(int(pid) for pid in text_of(children).split())
    return sorted(pid for pid in pids if "executor" in text_of(Path(f"/proc/{pid}/cmdline")).split("\0"))


def text_of(path: Path) -> str:
    """Of a file that may go with its process."""
    try:
        return path.read_text()
    except OSError:
        return ""


def kill(pids, how=signal.SIGKILL):
    for pid in pids:
        try:
            os.kill(pid, how)
        except ProcessLookupError:
            pass


def wait_for(condition, seconds=40):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come about in time"
        time.sleep(0.05)


@pytest.fixture
def both(processes):
    """Waits until both executors are there, as they must be again after every test."""
    wait_for(lambda: len(executors(processes)) == 2)
    return executors(processes)


class Rows:
    """A function that notes for which rows it was called, and takes its time."""

    def __init__(self, path: Path):
        self.path = str(path)

    def slowly(self, column, seconds):
        path = self.path

        def note(row):
            import os
            import time

            noted = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
            os.write(noted, f"{row}\n".encode())
            os.close(noted)
            time.sleep(seconds)
            return row

        return F.udf(note, "long")(column)

    def calls(self) -> Counter:
        return Counter(int(row) for row in text_of(Path(self.path)).split())

    def begun(self) -> int:
        return sum(self.calls().values())


@pytest.fixture
def rows(tmp_path):
    return Rows(tmp_path / "rows")


def in_background(work):
    """Runs it; gives what waits for its result."""
    results = []

    def run():
        try:
            results.append(work())
        except Exception as error:
            results.append(error)

    thread = threading.Thread(target=run)
    thread.start()

    def result(seconds=120):
        thread.join(seconds)
        assert results, "it does not end"
        if isinstance(results[0], Exception):
            raise results[0]
        return results[0]

    return result


def test_the_executors_are_other_processes(spark, both):
    assert spark.range(0, 1000, 1, 8).selectExpr("sum(id) s").collect()[0].s == 499500
    pids = spark.range(0, 8, 1, 8).select(F.udf(lambda _: os.getppid(), "long")("id").alias("pid")).distinct()
    # A worker's parent is its daemon, whose parent is the executor.
    parents = {int(text_of(Path(f"/proc/{row.pid}/stat")).rsplit(")", 1)[1].split()[1]) for row in pids.collect()}
    assert parents and parents <= set(both)


def test_nothing_secret_is_seen_from_outside(spark, both):
    for pid in both:
        seen = text_of(Path(f"/proc/{pid}/cmdline")) + text_of(Path(f"/proc/{pid}/environ"))
        assert TOKEN not in seen and "PRIVATE KEY" not in seen
        folder = next(part for part in seen.split("\0") if part.startswith("FIRESTEEL_EXECUTOR_CREDENTIALS="))
        folder = Path(folder.split("=", 1)[1])
        assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
        assert text_of(folder / "token") and text_of(folder / "token") not in seen


def test_shuffles_subqueries_and_functions(spark):
    people = spark.createDataFrame([(i, f"p{i % 3}", i * 1.5) for i in range(50)], "id int, name string, pay double")
    people.createOrReplaceTempView("people")
    query = "SELECT name, count(*) c FROM people WHERE id > (SELECT avg(id) FROM people) GROUP BY name ORDER BY name"
    assert [(r.name, r.c) for r in spark.sql(query).collect()] == [("p0", 8), ("p1", 9), ("p2", 8)]
    joined = people.alias("a").join(people.alias("b"), "id").orderBy(F.desc("id")).limit(3)
    assert [r.id for r in joined.collect()] == [49, 48, 47]
    outer = people.where("id < 30").join(people.where("id > 20").select("id", "name"), "id", "full")
    assert outer.count() == 50
    arrays = spark.sql("SELECT transform(sequence(1, 3), x -> x * id) t FROM people WHERE id = 2").collect()
    assert arrays[0].t == [2, 4, 6]
    windowed = spark.sql("SELECT id, sum(id) OVER (PARTITION BY name ORDER BY id) s FROM people ORDER BY id").collect()
    assert windowed[49].s == sum(range(1, 50, 3))


def test_python_functions_of_every_kind(spark):
    import pandas as pd

    numbers = spark.range(0, 12, 1, 3).withColumn("k", F.col("id") % 3)
    doubled = F.udf(lambda x: x * 2, "long")
    assert numbers.select(F.sum(doubled("id")).alias("s")).collect()[0].s == 132
    assert numbers.mapInArrow(lambda batches: batches, "id long, k long").count() == 12
    grouped = numbers.groupBy("k").applyInPandas(
        lambda frame: pd.DataFrame({"k": [frame["k"].iloc[0]], "n": [len(frame)]}), "k long, n long"
    )
    assert sorted((r.k, r.n) for r in grouped.collect()) == [(0, 4), (1, 4), (2, 4)]
    both = numbers.groupBy("k").cogroup(numbers.where("id > 5").groupBy("k")).applyInPandas(
        lambda left, right: pd.DataFrame({"n": [len(left) + len(right)]}), "n long"
    )
    assert sorted(r.n for r in both.collect()) == [6, 6, 6]

    @F.udtf(returnType="n: long")
    class Twice:
        def eval(self, n: int):
            yield (n,)
            yield (n,)

    spark.udtf.register("twice", Twice)
    assert spark.sql("SELECT count(*) c FROM range(4) r, LATERAL twice(r.id)").collect()[0].c == 8


def test_errors_keep_their_class(spark):
    with pytest.raises(PySparkException) as raised:
        spark.sql("SELECT 1 / (id - id) FROM range(5)").collect()
    assert raised.value.getCondition() == "DIVIDE_BY_ZERO"


def test_files_are_written_and_read(spark, tmp_path):
    spark.range(0, 1000, 1, 6).withColumn("k", F.col("id") % 3).write.partitionBy("k").parquet(f"{tmp_path}/out")
    assert (tmp_path / "out" / "_SUCCESS").exists()
    back = spark.read.parquet(f"{tmp_path}/out")
    assert back.count() == 1000
    assert back.where("k = 1").agg(F.sum("id")).collect()[0][0] == sum(range(1, 1000, 3))


def test_large_results_come_in_order(spark):
    frame = spark.range(0, 200_000, 1, 8).selectExpr("id", "repeat('x', 50) t")
    assert [r.id for r in frame.collect()] == list(range(200_000))


def test_a_killed_executor_costs_only_the_tasks_that_ran_on_it(spark, processes, both, rows):
    query = spark.range(0, 12, 1, 12).select(rows.slowly("id", 1.0).alias("id")).groupBy().agg(F.sum("id").alias("s"))
    result = in_background(query.collect)
    wait_for(lambda: rows.begun() >= 5)
    kill(both[:1])
    assert result()[0].s == 66
    again = sum(rows.calls().values()) - 12
    assert set(rows.calls()) == set(range(12)) and 0 <= again <= 2, rows.calls()
    wait_for(lambda: len(executors(processes)) == 2 and both[0] not in executors(processes))


def test_outputs_outlive_their_executors(spark, processes, both, rows, tmp_path):
    """All executors are killed once the map stage is done; none of its tasks runs again."""
    after = Rows(tmp_path / "after")
    mapped = spark.range(0, 8, 1, 8).select(rows.slowly("id", 0.1).alias("id")).repartition(3, "id")
    result = in_background(mapped.select(after.slowly("id", 0.7).alias("id")).agg(F.sum("id").alias("s")).collect)
    wait_for(lambda: after.begun() >= 1)
    kill(both)
    assert result()[0].s == 28
    assert rows.calls() == Counter(range(8))
    wait_for(lambda: len(executors(processes)) == 2)


def test_all_executors_are_killed_at_once_and_again(spark, processes, both, rows):
    query = spark.range(0, 8, 1, 8).select(rows.slowly("id", 1.0).alias("id")).groupBy().agg(F.sum("id").alias("s"))
    result = in_background(query.collect)
    wait_for(lambda: rows.begun() >= 3)
    kill(both)
    begun = rows.begun()
    wait_for(lambda: rows.begun() > begun)
    kill(executors(processes))
    assert result()[0].s == 28
    assert set(rows.calls()) == set(range(8))
    wait_for(lambda: len(executors(processes)) == 2)


def test_files_are_whole_whatever_happens_to_executors(spark, processes, both, rows, tmp_path):
    frame = spark.range(0, 12, 1, 12).select(rows.slowly("id", 0.7).alias("id"))
    result = in_background(lambda: frame.write.parquet(f"{tmp_path}/out"))
    wait_for(lambda: rows.begun() >= 6)
    kill(both)
    result()
    assert sorted(r.id for r in spark.read.parquet(f"{tmp_path}/out").collect()) == list(range(12))
    wait_for(lambda: len(executors(processes)) == 2)


def test_an_executor_without_memory_ends_and_says_why(spark, processes, both, rows):
    """It can neither map memory nor start threads any more; what it was given runs elsewhere."""
    query = spark.range(0, 24, 1, 24).select(rows.slowly("id", 0.3).alias("id")).groupBy().agg(F.sum("id").alias("s"))
    result = in_background(query.collect)
    wait_for(lambda: rows.begun() >= 4)
    resource.prlimit(both[0], resource.RLIMIT_AS, (1 << 20, 1 << 20))
    assert result(50)[0].s == sum(range(24))
    # It ends as soon as it needs some more, and another comes.
    wait_for(lambda: spark.range(0, 8, 1, 8).count() == 8 and both[0] not in executors(processes))
    wait_for(lambda: len(executors(processes)) == 2)


def test_an_executor_that_is_told_to_leave_ends_its_tasks_first(spark, processes, both, rows):
    query = spark.range(0, 8, 1, 8).select(rows.slowly("id", 1.0).alias("id")).groupBy().agg(F.sum("id").alias("s"))
    result = in_background(query.collect)
    wait_for(lambda: rows.begun() >= 4)
    kill(both[:1], signal.SIGTERM)
    assert result()[0].s == 28
    assert rows.calls() == Counter(range(8))
    wait_for(lambda: both[0] not in executors(processes) and len(executors(processes)) == 2)


def test_interrupts_reach_the_tasks(spark, both, rows):
    result = in_background(spark.range(0, 8, 1, 8).select(rows.slowly("id", 30.0)).collect)
    wait_for(lambda: rows.begun() >= 4)
    spark.interruptAll()
    with pytest.raises(PySparkException):
        result(20)
    # The slots are free again.
    assert spark.range(0, 100, 1, 8).count() == 100


@pytest.mark.parametrize("place", ["", "s3://shuffle/some"])
def test_nothing_is_left_of_an_application(tmp_path, place):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    conf = CONF | {"spark.local.dir": str(scratch)} | ({"spark.firesteel.shuffle.url": place} if place else {})
    server = Server(tmp_path / "server", conf)
    spark = SparkSession.builder.remote(server.url).create()
    assert spark.range(0, 1000, 1, 4).groupBy((F.col("id") % 7).alias("k")).count().count() == 7
    pids = executors(server)
    assert len(pids) == 2
    spark.stop()
    server.stop()
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert list(scratch.iterdir()) == []
    assert not place or not [path for path in (server.data / "shuffle").rglob("*") if path.is_file()]


def test_executors_end_when_their_driver_is_killed(tmp_path):
    server = Server(tmp_path / "server", CONF)
    wait_for(lambda: len(executors(server)) == 2)
    pids = executors(server)
    server.is_ending = True
    server.process.kill()
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), seconds=15)


def test_executors_that_never_start_fail_the_job(tmp_path):
    server = Server(tmp_path / "server", CONF)
    try:
        spark = SparkSession.builder.remote(server.url).create()
        # Each is killed before it could register.
        stop = threading.Event()

        def keep_killing():
            while not stop.is_set():
                kill(executors(server))
                time.sleep(0.01)

        killer = threading.Thread(target=keep_killing)
        killer.start()
        try:
            with pytest.raises(PySparkException, match="executors failed"):
                in_background(spark.range(0, 100, 1, 8).count)(90)
        finally:
            stop.set()
            killer.join()
        # Another job tries again.
        assert spark.range(0, 100, 1, 8).count() == 100
        spark.stop()
    finally:
        server.stop()


def test_cached_rows_outlive_their_executors(spark, processes, tmp_path):
    """Each row is computed once, although every executor that computed some has been killed."""
    calls = tmp_path / "calls"

    @F.udf("long")
    def noted(value):
        with calls.open("a") as file:
            file.write("x")
        return value + 1

    frame = spark.range(0, 40, 1, 4).select(noted("id").alias("n")).cache()
    assert frame.count() == 40 and len(calls.read_text()) == 40
    before = executors(processes)
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: len(executors(processes)) == 2 and not set(before) & set(executors(processes)))
    sums = frame.groupBy((F.col("n") % 3).alias("k")).sum("n").orderBy("k").collect()
    assert [tuple(row) for row in sums] == [(0, 273), (1, 287), (2, 260)]
    assert len(calls.read_text()) == 40
    frame.unpersist()
