"""What bounds Python functions: time, memory, cancellation; files that a session sends along."""

import threading
import time
import zipfile

import pytest
from pyspark.errors import PythonException
from pyspark.sql.functions import udf

from conftest import open_session
from server import Server


def sleepy(seconds):
    def wait(x):
        time.sleep(seconds)
        return x

    return udf(wait, "long")


def test_a_function_that_hangs_is_stopped(spark):
    spark.conf.set("spark.sql.execution.pyspark.udf.idleTimeoutSeconds", "1")
    begun = time.time()
    with pytest.raises(Exception, match="gave nothing for 1 s"):
        spark.range(0, 1, 1, 1).select(sleepy(60)("id")).collect()
    assert time.time() - begun < 30


def test_an_interrupt_ends_a_function(spark):
    failures = []
    spark.range(1).collect()

    def run():
        try:
            spark.range(0, 1, 1, 1).select(sleepy(60)("id")).collect()
        except Exception as failure:
            failures.append(str(failure))

    thread = threading.Thread(target=run)
    begun = time.time()
    thread.start()
    while not spark.interruptAll() and time.time() - begun < 20:
        time.sleep(0.2)
    thread.join(30)
    assert not thread.is_alive() and time.time() - begun < 40
    assert "OPERATION_CANCELED" in failures[0]


def test_memory_is_limited(tmp_path):
    server = Server(tmp_path / "server", {"spark.executor.pyspark.memory": "4g", "spark.master": "local[2]"})
    session = open_session(server)
    try:
        large = udf(lambda x: len(bytearray(3 << 30)), "long")
        with pytest.raises(PythonException, match="MemoryError"):
            session.range(1).select(large("id")).collect()
        assert session.range(2).select(udf(lambda x: x + 1, "long")("id")).collect() == [(1,), (2,)]
    finally:
        session.stop()
        server.stop()


def test_archives_and_zipped_modules(spark, tmp_path):
    with zipfile.ZipFile(tmp_path / "zipped.zip", "w") as archive:
        archive.writestr("zipped_module.py", "VALUE = 'from a zip'\n")
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        archive.writestr("inner/data.txt", "from an archive")
    spark.addArtifacts(str(tmp_path / "zipped.zip"), pyfile=True)
    spark.addArtifacts(f"{tmp_path}/data.zip#unpacked", archive=True)

    def read():
        import os
        import sys

        import zipped_module

        root = next(path for path in sys.path if os.path.exists(f"{path}/unpacked"))
        return zipped_module.VALUE + ", " + open(f"{root}/unpacked/inner/data.txt").read()

    assert spark.range(1).select(udf(read, "string")()).collect() == [("from a zip, from an archive",)]
