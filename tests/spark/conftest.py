"""Fixtures: one server for all tests, a session of its own for each."""

import itertools
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from pyspark.sql import SparkSession

from server import PROCESSES, Server, prepare_clients

prepare_clients("UTC")

numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    """A server whose executors are processes."""
    server = Server(tmp_path_factory.mktemp("processes"), PROCESSES)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def small_streams(tmp_path_factory):
    """A server that ends its response streams at once, so that clients reattach all the time."""
    prefix = "spark.connect.execute.reattachable"
    conf = {f"{prefix}.senderMaxStreamSize": "123", f"{prefix}.senderMaxStreamDuration": "200ms"}
    server = Server(tmp_path_factory.mktemp("small-streams"), conf)
    yield server
    server.stop()


def open_session(server: Server) -> SparkSession:
    return SparkSession.builder.remote(server.url).create()


@pytest.fixture
def connect(server):
    """Opens sessions, which end with the test."""
    sessions = []

    def connect(to: Server = server) -> SparkSession:
        sessions.append(open_session(to))
        return sessions[-1]

    yield connect
    for session in sessions:
        session.stop()


@pytest.fixture
def spark(connect):
    return connect()


@pytest.fixture
def bucket(server):
    """A bucket of the test's own: its URL for Spark, its folder for Python."""
    name = f"bucket-{next(numbers)}"
    folder = server.data / name
    folder.mkdir(parents=True)
    return SimpleNamespace(name=name, url=f"s3://{name}", folder=Path(folder))


@pytest.fixture
def schema(spark):
    """A schema of the test's own, and the current one; tables outlive sessions."""
    name = f"schema_{next(numbers)}"
    spark.sql(f"CREATE SCHEMA {name}")
    spark.sql(f"USE {name}")
    yield name
    spark.sql("USE default")
    spark.sql(f"DROP SCHEMA IF EXISTS {name} CASCADE")


@pytest.fixture
def people(spark):
    return spark.createDataFrame(
        [("Ada", 36, "UK"), ("Grace", 45, "US"), ("Alan", 41, "UK"), ("Edsger", 72, "NL"), ("Barbara", 28, "US")],
        "name string, age int, country string",
    )


@pytest.hookimpl(wrapper=True)
def pytest_cmdline_main(config):
    """Leaves without waiting for threads of clients, which retry for minutes against a server that has ended."""
    status = yield
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(int(status))


def known_failures() -> dict[str, tuple[bool, str]]:
    """Tests that fail for a known reason, by name: whether to run them, and the reason."""
    known = {}
    for line in (Path(__file__).parent / "known_failures.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, reason = line.rsplit(" | ", 1)
            known[name.removeprefix("!")] = (not name.startswith("!"), reason)
    return known


def pytest_collection_modifyitems(items):
    known = known_failures()
    for item in items:
        name = item.nodeid.removeprefix("tests/spark/")
        if name in known:
            run, reason = known[name]
            item.add_marker(pytest.mark.xfail(reason=reason, run=run, strict=True))
