"""Many clients, lost clients, reattaching clients, interrupts, progress."""

import concurrent.futures
import subprocess
import sys
import threading
import time

import pandas as pd
import pytest
from pyspark.errors import PySparkException
from pyspark.sql import functions as F
from results import column, rows, value
from server import Server

# Keeps the engine busy for minutes.
ENDLESS = "SELECT sum(a.id * b.id % 7) FROM range(1000000) a CROSS JOIN range(1000000) b"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server of this file's own: what its tests leave running is no other test's concern."""
    # A lost client is given up soon, so that what it asked for does not keep the next test waiting.
    manager = "spark.connect.execute.manager"
    conf = {f"{manager}.detachedTimeout": "5s", f"{manager}.maintenanceInterval": "1s"}
    server = Server(tmp_path_factory.mktemp("clients"), conf)
    yield server
    server.stop()


def test_ten_sessions_at_once(connect):
    sessions = [connect() for _ in range(10)]

    def work(number):
        session = sessions[number]
        session.range(1000).withColumn("k", F.col("id") % 10).createOrReplaceTempView("mine")
        session.conf.set("spark.my.number", number)
        total = value(session.sql(f"SELECT sum(id) + {number} FROM mine"))
        groups = session.table("mine").groupBy("k").count().count()
        return total, groups, session.conf.get("spark.my.number")

    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        results = list(pool.map(work, range(10)))
    assert results == [(499_500 + number, 10, str(number)) for number in range(10)]


def test_one_session_from_many_threads(spark):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(lambda n: spark.range(n * 1000).count(), range(1, 25)))
    assert counts == [n * 1000 for n in range(1, 25)]


def running(session, results):
    def run():
        try:
            results.append(session.sql(ENDLESS).collect())
        except Exception as error:
            results.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    time.sleep(2)
    return thread


def assert_interrupted(results):
    (error,) = results
    assert isinstance(error, PySparkException), error
    assert "OPERATION_CANCELED" in str(error)


def test_interrupt_all(spark):
    results = []
    thread = running(spark, results)
    assert len(spark.interruptAll()) == 1
    thread.join(20)
    assert not thread.is_alive()
    assert_interrupted(results)
    assert spark.range(3).count() == 3


def test_interrupt_by_tag(spark):
    results = []

    def run():
        spark.addTag("slow")
        try:
            results.append(spark.sql(ENDLESS).collect())
        except Exception as error:
            results.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    time.sleep(2)
    assert spark.interruptTag("fast") == []
    assert len(spark.interruptTag("slow")) == 1
    thread.join(20)
    assert_interrupted(results)


def test_interrupt_by_operation(spark):
    results = []
    thread = running(spark, results)
    assert spark.interruptOperation("00000000-0000-0000-0000-000000000000") == []
    (operation,) = spark.interruptAll()
    assert operation
    thread.join(20)
    assert_interrupted(results)


def test_nothing_to_interrupt(spark):
    assert spark.range(1).count() == 1
    assert spark.interruptAll() == []


def test_progress(spark):
    spark.conf.set("spark.connect.progress.reportInterval", "100ms")
    seen = []

    def handler(stages, inflight_tasks, operation_id, done):
        seen.append((sum(stage.num_tasks for stage in stages), sum(stage.num_completed_tasks for stage in stages), done))

    spark.registerProgressHandler(handler)
    spark.sql("SELECT count(*) FROM range(0, 20000000, 1, 8) WHERE id % 3 = hash(id) % 2").collect()
    spark.removeProgressHandler(handler)
    assert seen
    assert any(tasks >= 8 for tasks, _, _ in seen)
    assert all(completed <= tasks for tasks, completed, _ in seen)
    assert seen[-1][2]


def test_reattaching(connect, small_streams):
    session = connect(small_streams)
    assert column(session.range(50_000)) == list(range(50_000))
    assert session.range(1000).groupBy((F.col("id") % 3).alias("k")).count().count() == 3
    assert session.createDataFrame(pd.DataFrame({"x": range(300_000)})).count() == 300_000
    assert len(session.range(1000).toPandas()) == 1000
    with pytest.raises(PySparkException) as raised:
        session.sql("SELECT 1 / 0").collect()
    assert raised.value.getCondition() == "DIVIDE_BY_ZERO"


def test_reattaching_to_slow_work(connect, small_streams):
    """The query says nothing for longer than a stream may live."""
    session = connect(small_streams)
    assert value(session.sql("SELECT count(*) FROM range(0, 40000000, 1, 4) WHERE hash(id) % 2 = 0")) > 0


LOST = """
import os, sys, threading, time
from pyspark.sql import SparkSession
spark = SparkSession.builder.remote(sys.argv[1]).create()
print("connected", flush=True)
threading.Thread(target=lambda: spark.sql(sys.argv[2]).collect(), daemon=True).start()
time.sleep(600)
"""


def test_a_killed_client_harms_nobody(spark, server, tmp_path):
    script = tmp_path / "client.py"
    script.write_text(LOST)
    client = subprocess.Popen([sys.executable, script, server.url, ENDLESS], stdout=subprocess.PIPE, text=True)
    assert client.stdout.readline().strip() == "connected"
    time.sleep(2)
    client.kill()
    client.wait()
    started = time.monotonic()
    assert spark.range(1000).groupBy(F.col("id") % 7).count().count() == 7
    assert time.monotonic() - started < 30


def test_a_stopped_session_ends_its_queries(connect):
    session = connect()
    results = []
    thread = running(session, results)
    session.client.release_session()
    thread.join(30)
    assert not thread.is_alive()
    assert isinstance(results[0], PySparkException)


def test_an_unread_result_holds_nothing_up(spark):
    iterator = spark.range(1_000_000, numPartitions=8).toLocalIterator()
    next(iterator)
    assert spark.range(10).count() == 10
    del iterator


def test_the_session_is_closed(connect):
    session = connect()
    assert session.range(1).count() == 1
    session.client.release_session()
    with pytest.raises(PySparkException):
        session.range(1).count()


def test_results_are_the_same_again(spark):
    df = spark.range(10_000, numPartitions=4).repartition(3).groupBy((F.col("id") % 100).alias("k")).agg(F.sum("id").alias("s"))
    first = sorted(rows(df))
    for _ in range(3):
        assert sorted(rows(df)) == first
