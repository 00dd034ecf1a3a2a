"""What has to agree: each check makes a case, which says whether its answers differ and gives smaller cases."""

import datetime
import random
from dataclasses import dataclass, field, replace
from decimal import Decimal

from pyspark.sql import functions as F

import grammar
from grammar import Node
from servers import Answer, Servers, same
from shapes import SAFE_KINDS, Maker, Query, naming

SETTINGS = [
    {"spark__sql__adaptive__enabled": adaptive, "spark__sql__autoBroadcastJoinThreshold": broadcast,
     "spark__sql__shuffle__partitions": partitions}
    for adaptive in ("true", "false") for broadcast in ("-1", "10485760") for partitions in ("2", "7")
]


def tasks(make: Maker, chance: random.Random) -> "TasksCase":
    return TasksCase(make.query(), chance.choice(SETTINGS), chance.choice(["true", "false"]))


def ansi(make: Maker, chance: random.Random) -> "AnsiCase":
    return AnsiCase(make.query())


def logic(make: Maker, chance: random.Random) -> "LogicCase":
    return LogicCase(grammar.expression(chance, "bool", 4), make.table(), chance.choice(["one", "many"]))


def folding(make: Maker, chance: random.Random) -> "FoldingCase":
    kind = chance.choice(SAFE_KINDS)
    return FoldingCase(grammar.expression(chance, kind, 4), chance.choice(["t1", "t2"]), chance.randint(0, 39),
                       chance.choice(["true", "false"]))


def api(make: Maker, chance: random.Random) -> "ApiCase":
    made = grammar.expression(chance, chance.choice(SAFE_KINDS), 4)
    return ApiCase(made, grammar.expression(chance, "bool", 2), make.table(), chance.choice(["true", "false"]))


ALL = [tasks, tasks, tasks, ansi, logic, folding, api]


def compare(left: Answer, right: Answer, ordered: bool = False) -> tuple[str, str]:
    """How two answers differ that have to be equal, and what the first one was."""
    for each in (left, right):
        if each.broken:
            return f"{each.error} {each.text[:400]}", "broken"
    if left.rows is None and right.rows is None:
        # Which of several rows fails first is nobody's promise; whether the query is one is.
        if left.refused != right.refused:
            return f"{left.short()}\n  {right.short()}", left.error
        return "", left.error
    if left.rows is None or right.rows is None or not same(left.rows, right.rows, ordered):
        return f"{detail(left, right)}\n  {detail(right, left)}", "rows"
    return "", "rows"


def idle(left: Answer, right: Answer) -> bool:
    """Whether one has no rows and the other failed over a value of a part that, because of that, nobody has to compute."""
    return left.rows == [] and right.rows is None and not right.broken and not right.refused


def repeated(answer: Answer, keys: int) -> tuple[str, str] | None:
    """Whether a group or a distinct row comes twice."""
    if not keys or answer.rows is None:
        return None
    found = [repr(row[:keys]) for row in answer.rows]
    twice = next((key for place, key in enumerate(found) if key in found[:place]), None)
    return (f"the group {twice} comes twice", "rows") if twice else None


def detail(left: Answer, right: Answer) -> str:
    """The rows that the other one lacks."""
    if left.rows is None or right.rows is None:
        return left.short()
    lacking = list(left.rows)
    for row in map(repr, right.rows):
        place = next((place for place, each in enumerate(lacking) if repr(each) == row), None)
        if place is not None:
            lacking.pop(place)
    return f"{len(left.rows)} rows, alone {str(lacking[:3])[:400]}"


@dataclass
class TasksCase:
    query: Query
    settings: dict
    ansi: str

    def text(self) -> str:
        changed = ", ".join(f"{key.replace('__', '.').removeprefix('spark.sql.')}={value}" for key, value in self.settings.items())
        return f"{self.query.sql()}\n  ansi={self.ansi}, {changed}"

    def differs(self, servers: Servers) -> tuple[str, str]:
        text = self.query.sql()
        one = servers.ask("one", text, spark__sql__ansi__enabled=self.ansi)
        many = servers.ask("many", text, spark__sql__ansi__enabled=self.ansi, **self.settings)
        if idle(one, many) or idle(many, one):
            return "", "part not needed"
        return repeated(one, self.query.keys) or compare(one, many, self.query.ordered)

    def simpler(self):
        return (replace(self, query=query) for query in self.query.simpler())


@dataclass
class AnsiCase:
    query: Query

    def text(self) -> str:
        return self.query.sql()

    def differs(self, servers: Servers) -> tuple[str, str]:
        strict = servers.ask("one", self.query.sql(), spark__sql__ansi__enabled="true")
        if strict.rows is None:
            return (f"{strict.error} {strict.text[:400]}" if strict.broken else ""), strict.error
        lax = servers.ask("one", self.query.sql(), spark__sql__ansi__enabled="false")
        return compare(strict, lax, self.query.ordered)

    def simpler(self):
        return (replace(self, query=query) for query in self.query.simpler())


@dataclass
class LogicCase:
    predicate: Node
    table: str
    server: str

    def text(self) -> str:
        return f"SELECT k FROM {self.table} WHERE {self.predicate.sql(naming(''))}"

    def differs(self, servers: Servers) -> tuple[str, str]:
        found = []
        for form in ("{}", "NOT ({})", "({}) IS NULL"):
            text = f"SELECT k FROM {self.table} WHERE {form.replace('{}', self.predicate.sql(naming('')))}"
            answer = servers.ask(self.server, text, spark__sql__ansi__enabled="false")
            if answer.rows is None:
                return (f"{answer.error} {answer.text[:400]}" if answer.broken else ""), answer.error
            found += answer.rows
        every = servers.ask(self.server, f"SELECT k FROM {self.table}")
        return compare(Answer(found), every)

    def simpler(self):
        return (replace(self, predicate=other) for other in grammar.simpler(self.predicate))


@dataclass
class FoldingCase:
    node: Node
    table: str
    row: int
    ansi: str

    def text(self) -> str:
        return f"SELECT {self.node.sql(naming(''))} AS x FROM {self.table} WHERE k = {self.row}  (ansi={self.ansi})"

    def differs(self, servers: Servers) -> tuple[str, str]:
        columns = sorted(self.node.columns()) or ["k"]
        selected = ", ".join(f"{as_text(name)} AS {name}" for name in columns)
        values = servers.ask("one", f"SELECT {selected} FROM {self.table} WHERE k = {self.row}", spark__sql__ansi__enabled=self.ansi)
        if not values.rows:
            return (values.short() if values.rows is None else ""), "no row"
        literals = {name: literal(name, value) for name, value in zip(columns, values.rows[0])}
        query = f"SELECT {self.node.sql(naming(''))} AS x FROM {self.table} WHERE k = {self.row}"
        constant = f"SELECT {self.node.sql(literals.__getitem__)} AS x"
        found, outcome = compare(servers.ask("one", query), servers.ask("one", constant))
        return (f"{constant}\n  {found}" if found else ""), outcome

    def simpler(self):
        return (replace(self, node=other) for other in grammar.simpler(self.node))


COLUMN_TYPES = {
    "k": "BIGINT", "bo": "BOOLEAN", "ti": "TINYINT", "si": "SMALLINT", "i": "INT", "l": "BIGINT", "f": "FLOAT", "d": "DOUBLE",
    "de": "DECIMAL(10,2)", "dd": "DECIMAL(38,10)", "s": "STRING", "bi": "BINARY", "da": "DATE", "ts": "TIMESTAMP",
    "tn": "TIMESTAMP_NTZ", "ar": "ARRAY<INT>", "ma": "MAP<STRING,INT>", "st": "STRUCT<a:INT,b:STRING>",
}


def as_text(name: str) -> str:
    """How a column's value is asked for: exact numbers and moments as texts."""
    if COLUMN_TYPES[name].startswith(("DECIMAL", "DATE", "TIMESTAMP", "FLOAT", "DOUBLE")):
        return f"CAST({name} AS STRING)"
    return name


def literal(name: str, value) -> str:
    """A column's value as SQL, with the column's type."""
    kind = COLUMN_TYPES[name]
    if value is None:
        text = "NULL"
    elif name == "ar":
        text = f"array({', '.join('NULL' if each is None else f'{each}' for each in value)})"
    elif name == "ma":
        text = f"map({', '.join(f'{quoted(key)}, {each}' for key, each in value)})"
    elif name == "st":
        text = "named_struct(" + ", ".join(f"'{key}', {'NULL' if each is None else quoted(each)}" for key, each in value) + ")"
    elif isinstance(value, (bytes, bytearray)):
        text = f"X'{bytes(value).hex()}'"
    else:
        text = quoted(value)
    return f"CAST({text} AS {kind})"


def quoted(value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, Decimal, datetime.date)):
        return str(value)
    return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"


@dataclass
class ApiCase:
    node: Node
    predicate: Node
    table: str
    ansi: str
    parts: list = field(default_factory=list)

    def text(self) -> str:
        return f"SELECT k, {self.node.sql(naming(''))} AS x FROM {self.table} WHERE {self.predicate.sql(naming(''))}  (ansi={self.ansi})"

    def differs(self, servers: Servers) -> tuple[str, str]:
        text = self.text().removesuffix(f"  (ansi={self.ansi})")
        left = servers.ask("one", text, spark__sql__ansi__enabled=self.ansi)

        def frame(session):
            name = naming("")
            kept = session.table(self.table).where(self.predicate.column(name))
            return kept.select(F.col("k"), self.node.column(name).alias("x"))

        return compare(left, servers.ask("one", frame))

    def simpler(self):
        yield from (replace(self, node=other) for other in grammar.simpler(self.node))
        yield from (replace(self, predicate=other) for other in grammar.simpler(self.predicate))
