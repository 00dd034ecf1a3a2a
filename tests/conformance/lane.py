"""One server and what it is asked: a session for each golden file, a time-out for each statement."""

import concurrent.futures
import logging
import os
import shutil
import sys
import tempfile
from dataclasses import astuple, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "spark"))

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

import golden
from hive_result import Printer, schema_text
from month_intervals import as_numbers
from python_functions import PythonFunctions, restored
from server import WatchedServer, prepare_clients

prepare_clients("America/Los_Angeles")
logging.disable(logging.CRITICAL)

TIMEOUT_S = float(os.environ.get("FIRESTEEL_STATEMENT_TIMEOUT_S", "30"))
# Golden files leave out what stands before this name in a path.
WAREHOUSE = "spark-warehouse/org.apache.spark.sql.SQLQueryTestSuite"
WIDE = """unique1 int, unique2 int, two int, four int, ten int, twenty int, hundred int, thousand int, twothousand int,
fivethous int, tenthous int, odd int, even int, stringu1 string, stringu2 string, string4 string"""
TABLES = {"testdata", "arraydata", "mapdata", "aggtest", "onek", "tenk1"}


class ServerLost(Exception):
    """The server ended, or does not answer any more."""


@dataclass
class Answer:
    """What our server said to a statement: a result, or an error."""

    schema: str = "struct<>"
    rows: list[str] | None = None
    columns: list[str] | None = None
    error: dict | None = None
    failure: str = ""


class Lane:
    """A server with Spark's test tables."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="firesteel-golden-"))
        self.pool = concurrent.futures.ThreadPoolExecutor(1)
        conf = {
            "spark.master": "local[2]",
            "spark.sql.session.timeZone": "America/Los_Angeles",
            "spark.sql.warehouse.dir": f"{self.folder}/{WAREHOUSE}",
        }
        self.server = WatchedServer(self.folder, conf)
        self.keeper = self.connect()
        golden.extract("test-data/postgresql/", self.folder)
        make_tables(self.keeper, self.folder / "test-data/postgresql")

    def connect(self) -> SparkSession:
        return SparkSession.builder.remote(self.server.url).create()

    def run(self, file: golden.GoldenFile, only_schema: bool = False) -> list[Answer]:
        """The server's answers to a file's statements; those after its loss have none."""
        answers = []
        session = None
        try:
            session = self.connect()
            for key, value in file.settings:
                self.ask(session, f"set {key}={value}")
            if file.name == golden.NEEDS_TPCDS_TABLES:
                for table, columns in golden.tpcds_tables():
                    self.ask(session, f"CREATE TABLE `{table}` ({columns}) USING parquet")
            functions = PythonFunctions(session, file)
            for statement in file.statements:
                answers.append(self.ask(session, statement.sql, functions, only_schema))
            session.stop()
            self.clean()
        except ServerLost:
            lost = Answer(failure="the server was lost")
            answers += [lost] * (len(file.statements) - len(answers))
            self.restart()
        return answers

    def ask(
        self,
        session: SparkSession,
        sql: str,
        functions: PythonFunctions | None = None,
        only_schema: bool = False,
    ) -> Answer:
        """One statement's answer; what takes too long is interrupted."""
        if only_schema:
            asked = self.pool.submit(schema_answer, session, sql)
        else:
            asked = self.pool.submit(answer, session, sql, functions)
        try:
            return asked.result(TIMEOUT_S)
        except concurrent.futures.TimeoutError:
            if self.server.process.poll() is not None:
                raise ServerLost from None
        self.interrupt(session, asked)
        return Answer(failure=f"no answer within {TIMEOUT_S:.0f} s")

    def interrupt(self, session: SparkSession, asked: concurrent.futures.Future):
        """Interrupts a statement; without effect, the server is given up."""
        aside = concurrent.futures.ThreadPoolExecutor(1)
        aside.submit(session.interruptAll)
        try:
            asked.result(5)
        except (concurrent.futures.TimeoutError, concurrent.futures.CancelledError):
            raise ServerLost from None
        finally:
            aside.shutdown(wait=False)

    def clean(self):
        """Drops what a file has left behind; a server that cannot is given up."""
        for schema in self.names("SHOW SCHEMAS", 0):
            if schema != "default":
                self.ask(self.keeper, f"DROP SCHEMA `{schema}` CASCADE")
        views = set(self.names("SHOW VIEWS IN default", 1))
        for table in self.names("SHOW TABLES IN default", 1):
            if table not in TABLES:
                self.ask(self.keeper, f"DROP {'VIEW' if table in views else 'TABLE'} IF EXISTS default.`{table}`")
        for path in (self.folder / WAREHOUSE).iterdir():
            if path.is_dir() and path.name not in TABLES and not path.name.startswith(("_", ".")):
                shutil.rmtree(path, ignore_errors=True)

    def names(self, sql: str, place: int) -> list[str]:
        return [row.split("\t")[place] for row in self.ask(self.keeper, sql).rows or []]

    def restart(self):
        self.close()
        self.__init__()

    def close(self):
        self.pool.shutdown(wait=False, cancel_futures=True)
        self.server.process.kill()
        self.server.process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)


def answer(session: SparkSession, sql: str, functions: PythonFunctions | None) -> Answer:
    """Sends a statement, to a session with its Python functions, and prints its result as Spark's suite would."""
    if functions is None or not functions.polymorphic:
        return plain_answer(session, sql)
    found = plain_answer(session, functions.resolve(sql))
    return Answer(*(restored(each) for each in astuple(found)))


def schema_answer(session: SparkSession, sql: str) -> Answer:
    """The schema that a query would have, without running it."""
    try:
        return Answer(schema_text(session.sql(sql).schema))
    except PySparkException as error:
        return Answer(error=error_block(error), failure=told(error))


def plain_answer(session: SparkSession, sql: str) -> Answer:
    """Sends a statement as it is."""
    try:
        client = session.client
        plan = session.sql(sql)._plan.to_proto(client)
        table, schema, _ = client.to_table(plan, {})
    except PySparkException as error:
        return Answer(error=error_block(error), failure=told(error))
    except Exception as error:  # the client itself could not read the answer
        return Answer(failure=f"{type(error).__name__}: {error}"[:300])
    try:
        rows = printer(session, schema).rows(as_numbers(table), schema)
    except Exception as error:
        return Answer(schema_text(schema), failure=f"cannot print: {type(error).__name__}: {error}"[:300])
    return Answer(schema_text(schema), rows, [field.name for field in schema])


def printer(session: SparkSession, schema) -> Printer:
    text = schema_text(schema)
    zone = session.conf.get("spark.sql.session.timeZone") if "timestamp" in text else "UTC"
    style = session.conf.get("spark.sql.binaryOutputStyle", "") if "binary" in text else ""
    return Printer(zone, style or "UTF-8")


def told(error: PySparkException) -> str:
    """What an error says, in one line: of what a Python function raised, which has no class, the last."""
    lines = str(error).strip().split("\n")
    return lines[0][:300] if error.getCondition() else lines[-1]


def error_block(error: PySparkException) -> dict:
    """An error as golden files write it."""
    block = {"errorClass": error.getCondition()}
    if error.getSqlState():
        block["sqlState"] = error.getSqlState()
    if error.getMessageParameters():
        block["messageParameters"] = dict(error.getMessageParameters())
    contexts = [
        {
            "objectType": context.objectType(),
            "objectName": context.objectName(),
            "startIndex": context.startIndex() + 1,
            "stopIndex": context.stopIndex() + 1,
            "fragment": context.fragment(),
        }
        for context in error.getQueryContext() or []
    ]
    if contexts:
        block["queryContext"] = contexts
    return block


def make_tables(session: SparkSession, folder: Path):
    """The tables that every golden file may read."""
    sql = session.sql
    sql("CREATE TABLE testdata USING parquet AS SELECT CAST(id AS INT) AS key, CAST(id AS STRING) AS value FROM range(1, 101)")
    sql("""CREATE TABLE arraydata USING parquet AS SELECT * FROM VALUES
        (array(1, 2, 3), array(array(1, 2, 3))), (array(2, 3, 4), array(array(2, 3, 4))) AS t(arraycol, nestedarraycol)""")
    sql("""CREATE TABLE mapdata USING parquet AS SELECT * FROM VALUES
        (map(1, 'a1', 2, 'b1', 3, 'c1', 4, 'd1', 5, 'e1')), (map(1, 'a2', 2, 'b2', 3, 'c2', 4, 'd2')),
        (map(1, 'a3', 2, 'b3', 3, 'c3')), (map(1, 'a4', 2, 'b4')), (map(1, 'a5')) AS t(mapcol)""")
    for name, file, schema in (("aggtest", "agg", "a int, b float"), ("onek", "onek", WIDE), ("tenk1", "tenk", WIDE)):
        rows = session.read.csv(f"file://{folder}/{file}.data", sep="\t", header=False, schema=schema)
        rows.write.format("parquet").saveAsTable(name)
