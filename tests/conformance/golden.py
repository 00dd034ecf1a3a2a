"""Spark's golden files, out of the artifact that Spark publishes with its tests."""

import json
import os
import re
import urllib.request
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

VERSION = "4.2.0"
MAVEN = os.environ.get("FIRESTEEL_MAVEN", "https://repo1.maven.org/maven2")
CACHE = Path(os.environ.get("FIRESTEEL_CACHE", Path.home() / ".cache/firesteel")) / "golden"
RESULTS = "sql-tests/results/"
INPUTS = "sql-tests/inputs/"
TPCDS = "org/apache/spark/sql/TPCDSSchema.scala"
NEEDS_TPCDS_TABLES = "pipe-operators.sql"
SCHEMAS = "sql-functions/sql-expression-schema.md"
ERROR_CLASS_LINE = re.compile(r"^[a-z]+(\.\w+)+(\.\w*\$?\w+)$")


@dataclass
class Statement:
    """One statement and what Spark answers."""

    number: int
    sql: str
    schema: str
    output: str

    def error(self) -> dict | None:
        """The error that Spark raises, as the golden file writes it."""
        head, _, rest = self.output.partition("\n")
        if not rest.startswith("{") or not ERROR_CLASS_LINE.match(head):
            return None
        try:
            return json.loads(rest)
        except ValueError:
            return None


@dataclass
class GoldenFile:
    """A file of statements, which share a session."""

    name: str
    statements: list[Statement]
    settings: list[tuple[str, str]] = field(default_factory=list)
    # What Spark answers on Java before 21, where that differs.
    older: list[Statement] = field(default_factory=list)

    @property
    def area(self) -> str:
        """The folder it lies in, or what it is about."""
        folder, _, _ = self.name.rpartition("/")
        return folder or "general"

    @property
    def ansi(self) -> bool:
        """Whether Spark runs it in ANSI mode."""
        return not self.name.startswith("nonansi/")


def artifact() -> Path:
    """The artifact, fetched once."""
    name = f"spark-sql_2.13-{VERSION}-test-sources.jar"
    path = CACHE / name
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.partial")
        url = f"{MAVEN}/org/apache/spark/spark-sql_2.13/{VERSION}/{name}"
        with urllib.request.urlopen(url, timeout=60) as answer, partial.open("wb") as file:
            while chunk := answer.read(1 << 20):
                file.write(chunk)
        partial.rename(path)
    return path


def extract(prefix: str, folder: Path):
    """Writes the artifact's files under a prefix into a folder."""
    with zipfile.ZipFile(artifact()) as jar:
        for name in jar.namelist():
            if name.startswith(prefix) and not name.endswith("/"):
                jar.extract(name, folder)


def files() -> list[GoldenFile]:
    """All golden files of results."""
    found = []
    with zipfile.ZipFile(artifact()) as jar:
        names = {name for name in jar.namelist() if name.startswith(RESULTS) and name.endswith(".out")}
        known = set(jar.namelist())
        for name in sorted(names):
            short = name.removeprefix(RESULTS).removesuffix(".out")
            # Java 19 prints floating point numbers shorter; the variant holds what it prints.
            variant = f"{name}.java21"
            texts = [jar.read(each).decode("utf-8") for each in (variant, name) if each in known]
            source = f"{INPUTS}{short}"
            comments = jar.read(source).decode("utf-8").split("\n") if source in known else []
            found.append(GoldenFile(short, *map(statements, texts[:1]), settings(short, comments), *map(statements, texts[1:])))
    return found


def statements(text: str) -> list[Statement]:
    """The statements of a golden file."""
    segments = re.split(r"-- !query.*\n", text)[1:]
    groups = zip(segments[0::3], segments[1::3], segments[2::3], strict=True)
    return [
        Statement(number, sql.strip(), schema.strip(), re.sub(r"\s+$", "", output))
        for number, (sql, schema, output) in enumerate(groups, 1)
    ]


def settings(name: str, lines: list[str]) -> list[tuple[str, str]]:
    """What Spark's suite sets before it runs a file: by folder, `--SET`, and the first choice of each `--CONFIG_DIM`."""
    found = [("spark.sql.ansi.enabled", "false" if name.startswith("nonansi/") else "true")]
    if name.startswith(("postgreSQL/", "udf/postgreSQL/")):
        found.append(("spark.sql.legacy.interval.enabled", "true"))
    if name.startswith("timestampNTZ/"):
        found.append(("spark.sql.timestampType", "TIMESTAMP_NTZ"))
    dimensions = {}
    for line in lines:
        if line.startswith("--SET "):
            found += pairs(line[6:])
        elif line.startswith("--CONFIG_DIM"):
            dimension, _, choice = line[12:].partition(" ")
            dimensions.setdefault(dimension, pairs(choice))
    for choice in dimensions.values():
        found += choice
    return found


def pairs(text: str) -> list[tuple[str, str]]:
    """`a=b,c=d` as pairs."""
    split = (part.partition("=") for part in text.split(","))
    return [(key.strip(), value.strip()) for key, _, value in split]


def tpcds_tables() -> list[tuple[str, str]]:
    """Names and columns of the TPC-DS tables, as Spark's suite declares them."""
    with zipfile.ZipFile(artifact()) as jar:
        text = jar.read(TPCDS).decode("utf-8")
    declared = re.findall(r'"(\w+)"\s*->\s*"""(.*?)"""', text, flags=re.DOTALL)
    return [(name, re.sub(r"(?m)^\s*\|", "", columns)) for name, columns in declared]


def function_examples() -> GoldenFile:
    """One example of every built-in function, with the schema of its result."""
    with zipfile.ZipFile(artifact()) as jar:
        text = jar.read(SCHEMAS).decode("utf-8")
    found = []
    for line in text.splitlines():
        cells = [cell.strip().replace("&#124;", "|") for cell in line.split("|")]
        if len(cells) == 6 and cells[3] not in ("Query example", "N/A") and not set(cells[3]) <= {"-"}:
            found.append(Statement(len(found) + 1, cells[3], cells[4], ""))
    return GoldenFile("function-examples", found, [("spark.sql.ansi.enabled", "true")])
