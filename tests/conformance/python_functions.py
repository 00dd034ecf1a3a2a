"""The Python functions that Spark's suite registers before it runs a file, through the stock client.

Spark's `udf` casts its argument to a string and back to the argument's type. A client cannot say "the argument's type",
so there is a function for each type: `u00`, `u01` and so on. Their names are as long as `udf`, so places in the text stay
true, and answers get the name `udf` back. What type an argument has is the server's answer to a question: the same
statement with a function in the call's place that refuses every type but maps, and says which it was given.
"""

import ast
import re
import zipfile

from pyspark.sql import SparkSession
from pyspark.sql.functions import PandasUDFType, pandas_udf
from pyspark.sql.functions import udtf as table_function
from pyspark.errors import PySparkException

import golden

TABLE_FUNCTIONS = "org/apache/spark/sql/IntegratedUDFTestUtils.scala"
CALL = re.compile(r"\budf\s*\(", re.IGNORECASE)
TEXT = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
ALIAS = re.compile(r"\bu\d\d\b")
REFUSES = "map_keys"
OBJECT = re.compile(r"\n  object (\w+)\s+extends (\w+)(.*?)(?=\n  (?:object|class|case class|abstract class|def|/\*\*) )", re.DOTALL)
SCRIPT = re.compile(r'"""\n(.*?)"""\.stripMargin', re.DOTALL)


class PythonFunctions:
    """What one session has registered, and how its statements are to be read."""

    def __init__(self, session: SparkSession, file: golden.GoldenFile):
        self.session = session
        self.aliases = {}
        if file.name.startswith(("postgreSQL/", "udf/postgreSQL/")):
            register_postgres(session)
        if file.name.startswith("udaf/"):
            session.udf.register("udaf", pandas_udf(count_all, "int", PandasUDFType.GROUPED_AGG))
        if file.name.startswith("udtf/"):
            register_table_functions(session)
        self.polymorphic = file.name.startswith("udf/")

    def resolve(self, sql: str) -> str:
        """The statement with the function for its argument's type in the place of each `udf`."""
        if not self.polymorphic:
            return sql
        names = [self.alias(self.kind(sql, call)) for call in range(len(calls(sql)))]
        return replaced(sql, names)

    def kind(self, sql: str, asked: int) -> str:
        """The type of a call's argument; a string where the statement has other faults."""
        names = ["" if call != asked else REFUSES for call in range(len(calls(sql)))]
        try:
            self.session.sql(replaced(sql, names)).schema
        except PySparkException as error:
            parameters = error.getMessageParameters() or {}
            if parameters.get("sqlExpr", "").startswith(f'"{REFUSES}('):
                return parameters.get("inputType", "STRING").strip('"')
        return "STRING"

    def alias(self, kind: str) -> str:
        if kind not in self.aliases:
            self.aliases[kind] = f"u{len(self.aliases):02}"
            self.session.udf.register(self.aliases[kind], same, kind)
        return self.aliases[kind]


def restored(value):
    """An answer with the name `udf` as Spark says it."""
    if isinstance(value, str):
        return ALIAS.sub("udf", value)
    if isinstance(value, list):
        return [restored(each) for each in value]
    if isinstance(value, dict):
        return {key: restored(each) for key, each in value.items()}
    return value


def calls(sql: str) -> list[re.Match]:
    """The calls of `udf` outside comments and texts."""
    return list(CALL.finditer(TEXT.sub(lambda text: " " * len(text[0]), sql)))


def replaced(sql: str, names: list[str]) -> str:
    for call, name in reversed(list(zip(calls(sql), names, strict=True))):
        sql = sql[: call.start()] + name + sql[call.start() + 3 :]
    return sql


# Functions with a name would go to the server's Python by the name of this module.
same = lambda value: value  # noqa: E731
count_all = lambda values: values.agg("count")  # noqa: E731


def register_postgres(session: SparkSession):
    """Spark's suite writes these in Scala, where a BOOLEAN argument that is null gives null."""
    session.udf.register("booleq", lambda a, b: None if a is None or b is None else a == b, "boolean")
    session.udf.register("boolne", lambda a, b: None if a is None or b is None else a != b, "boolean")
    session.udf.register("vol", same, "string")


def register_table_functions(session: SparkSession):
    """The table functions of the suite: their Python stands in its source."""
    with zipfile.ZipFile(golden.artifact()) as jar:
        text = jar.read(TABLE_FUNCTIONS).decode("utf-8")
    template = script(text[text.index("class TestPythonUDTFPartitionByOrderByBase") :])
    first = text[text.index("case class TestPythonUDTF(") :]
    register(session, "udtf", "TestUDTF", script(first), "x int, y int")
    for name, base, body in OBJECT.findall(text):
        if base == "TestPythonUDTFPartitionByOrderByBase":
            source = template
            for key, literal in re.findall(r"(partitionBy|orderBy|select) = ((?:\"(?:[^\"\\]|\\.)*\"[\s+]*)+)", body):
                pieces = re.findall(r"\"(?:[^\"\\]|\\.)*\"", literal)
                source = source.replace(f"${key}", "".join(ast.literal_eval(piece) for piece in pieces))
        elif base == "TestUDTF":
            source = script(body)
        else:
            continue
        declared = re.search(r'fromDDL\("([^"]*)"\)', body)
        register(session, name, name, source.replace("$name", name), declared and declared[1])


def script(text: str) -> str:
    return re.sub(r"(?m)^\s*\|", "", SCRIPT.search(text)[1])


def register(session: SparkSession, name: str, cls: str, source: str, returns: str | None):
    scope = {"__name__": "__main__"}
    exec(source, scope)
    try:
        session.udtf.register(name, table_function(scope[cls], returnType=returns))
    except PySparkException:
        # Statements that call it fail for want of it.
        return
