"""The servers that are asked, and answers in a form that can be compared."""

import concurrent.futures
import decimal
import logging
import math
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "spark"))

import pyarrow as pa
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

import rows
from server import WatchedServer, prepare_clients

prepare_clients("UTC")
logging.disable(logging.CRITICAL)

TIMEOUT_S = 90
DIGITS = 10
ONE = {"spark.master": "local[1]", "spark.sql.shuffle.partitions": "1"}
# A file is a task each, however small; every join that may filter a scan does.
MANY = {"spark.master": "local-cluster[2,2,1024]", "spark.sql.shuffle.partitions": "5", "firesteel.sql.smallQueryThreshold": "0",
        "spark.sql.files.maxPartitionBytes": "1000", "spark.sql.files.openCostInBytes": "1000",
        "spark.sql.optimizer.runtime.bloomFilter.applicationSideScanSizeThreshold": "0"}


class Lost(Exception):
    """A server ended, or does not answer."""


@dataclass
class Answer:
    """Rows, or the class of the error; `broken` where no query may end so."""

    rows: list | None = None
    error: str = ""
    text: str = ""

    @property
    def broken(self) -> bool:
        return self.rows is None and (self.error.startswith("INTERNAL_ERROR") or not self.error)

    @property
    def refused(self) -> bool:
        """Whether the query was refused before it ran."""
        return self.error.startswith(("UNSUPPORTED_FEATURE", "DATATYPE_MISMATCH", "UNRESOLVED", "PARSE", "MISSING_AGG"))

    def short(self) -> str:
        if self.rows is None:
            return f"{self.error} {self.text[:200]}"
        return f"{len(self.rows)} rows {str(self.rows[:4])[:300]}"


class Servers:
    """One task in one process, and many tasks on executors; a session of each."""

    def __init__(self, folder: Path):
        self.folder, self.count, self.starts = folder, 0, 0
        self.start()

    def start(self) -> None:
        self.starts += 1
        folder = self.folder / f"servers-{self.starts}"
        shuffle = {"spark.firesteel.shuffle.url": f"{folder}/shuffle"}
        (folder / "shuffle").mkdir(parents=True)
        self.processes = {"one": WatchedServer(folder / "one", ONE), "many": WatchedServer(folder / "many", MANY | shuffle)}
        self.sessions = {name: SparkSession.builder.remote(server.url).create() for name, server in self.processes.items()}
        self.pool = concurrent.futures.ThreadPoolExecutor(2)
        self.settings = {name: {} for name in self.processes}

    def define(self, data: Path) -> None:
        self.data = data
        for session in self.sessions.values():
            for table in rows.TABLES:
                session.read.parquet(str(data / table)).createOrReplaceTempView(table)

    def restart(self) -> None:
        self.close()
        self.start()
        self.define(self.data)

    def close(self) -> None:
        self.pool.shutdown(wait=False, cancel_futures=True)
        for server in self.processes.values():
            server.process.terminate()
            try:
                server.process.wait(10)
            except Exception:
                server.process.kill()
                server.process.wait(30)

    def asked(self) -> int:
        return self.count

    def set(self, name: str, settings: dict[str, str]) -> None:
        for key, value in settings.items():
            if self.settings[name].get(key) != value:
                self.sessions[name].conf.set(key, value)
                self.settings[name][key] = value

    def ask(self, name: str, frame, **settings) -> Answer:
        """The answer to a text, or to a frame that is made of the session."""
        self.count += 1
        self.set(name, {key.replace("__", "."): value for key, value in settings.items()})
        asked = self.pool.submit(answer, self.sessions[name], frame)
        try:
            return asked.result(TIMEOUT_S)
        except concurrent.futures.TimeoutError:
            raise Lost(f"no answer within {TIMEOUT_S} s") from None
        except Exception as error:
            if self.processes[name].process.poll() is not None:
                raise Lost(f"the server ended: {self.processes[name].log_tail()[-600:]}") from None
            return Answer(text=f"{type(error).__name__}: {error}")


def answer(session: SparkSession, frame) -> Answer:
    try:
        made = session.sql(frame) if isinstance(frame, str) else frame(session)
        table = made.toArrow()
    except PySparkException as error:
        return Answer(error=error.getCondition() or "", text=str(error))
    return Answer(rows=[tuple(row) for row in zip(*map(plain, table.columns))] if table.columns else [])


def plain(column: pa.ChunkedArray) -> list:
    """Values that compare: moments as numbers, doubles to the digits that an order of summing leaves alone."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.int64())
    elif pa.types.is_date(kind):
        column = column.cast(pa.int32())
    return [settle(value) for value in column.to_pylist()]


def settle(value):
    if isinstance(value, float):
        if math.isnan(value):
            return "NaN"
        return float(f"{value:.{DIGITS}g}") + 0.0
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, list):
        return tuple(settle(each) for each in value)
    if isinstance(value, tuple):
        return tuple(settle(each) for each in value)
    if isinstance(value, dict):
        return tuple((name, settle(each)) for name, each in value.items())
    return value


def same(left: list, right: list, ordered: bool = False) -> bool:
    if ordered:
        return left == right
    return sorted(map(repr, left)) == sorted(map(repr, right))
