"""Answers as texts: Spark's own over the same files, kept per query; ours; and how both are compared."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import suite

TOLERANCE = 1e-9


def of_spark(folder: Path, python: Path, wanted: dict[str, dict[str, str]]) -> dict:
    """What Spark answers, from its kept answers or from a run of it over the missing ones."""
    path = folder / "spark.json"
    kept = json.loads(path.read_text()) if path.exists() else {}
    missing = {name: {query: text for query, text in texts.items() if f"{name} {query}" not in kept}
               for name, texts in wanted.items()}
    if any(missing.values()):
        request = folder / "missing.json"
        request.write_text(json.dumps(missing))
        environment = {key: value for key, value in os.environ.items() if key != "SPARK_REMOTE"}
        program = [str(python), str(Path(__file__)), str(folder), str(request), str(path)]
        subprocess.run(program, check=True, timeout=7200, env=environment)
        kept = json.loads(path.read_text())
    return kept


def of_duckdb(folder: Path, python: Path, wanted: dict[str, dict[str, str]]) -> dict:
    """What DuckDB answers; an error where it does not understand a text."""
    request, path = folder / "duckdb-request.json", folder / "duckdb.json"
    request.write_text(json.dumps({"folder": str(folder), "queries": wanted}))
    program = [str(python), str(Path(__file__).parent / "duckdb_answers.py"), str(request), str(path)]
    subprocess.run(program, check=True, timeout=3600)
    return json.loads(path.read_text())


def ask(session, text: str) -> dict:
    """Column types and rows of an answer; values as JSON has them, numbers that are not whole as texts."""
    frame = session.sql(text)
    schema = [[field.name, field.dataType.simpleString()] for field in frame.schema]
    return {"schema": schema, "rows": [[plain(value) for value in row] for row in frame.collect()]}


def plain(value):
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def difference(ours: dict, theirs: dict) -> str:
    """What is different, or nothing. Rows that the query leaves in any order are compared sorted."""
    if ours["schema"] != theirs["schema"]:
        wrong = [f"{left} for {right}" for left, right in zip(ours["schema"], theirs["schema"]) if left != right]
        return f"schema: {'; '.join(wrong) or 'number of columns'}"
    left, right = ours["rows"], theirs["rows"]
    if len(left) != len(right):
        return f"{len(left)} rows for {len(right)}"
    if all(map(alike, left, right)):
        return ""
    pairs = [pair for pair in zip(sorted(left, key=row_key), sorted(right, key=row_key)) if not alike(*pair)]
    return f"{len(pairs)} of {len(right)} rows, such as {pairs[0][0]} for {pairs[0][1]}" if pairs else ""


def alike(left: list, right: list) -> bool:
    return len(left) == len(right) and all(map(same, left, right))


def same(left, right) -> bool:
    """Equal, or doubles whose sums were taken in another order."""
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=TOLERANCE) or (math.isnan(left) and math.isnan(right))
    return left == right


def difference_in_values(ours: dict, theirs: dict) -> str:
    """What is different from DuckDB's answer, whose quotients are doubles and whose texts are not filled up."""
    if "error" in theirs:
        return f"DuckDB: {theirs['error']}"
    left, right = ([[as_value(value) for value in row] for row in each["rows"]] for each in (ours, theirs))
    if len(left) != len(right):
        return f"{len(left)} rows for {len(right)}"
    pairs = [pair for pair in zip(left, right) if not near(*pair)]
    if pairs:
        pairs = [pair for pair in zip(sorted(left, key=row_key), sorted(right, key=row_key)) if not near(*pair)]
    return f"{len(pairs)} of {len(right)} rows, such as {pairs[0][0]} for {pairs[0][1]}" if pairs else ""


def divides_by_zero(theirs: dict) -> bool:
    """Whether DuckDB gives one value that is no number, as for a quotient by zero; a small scale leaves sums empty."""
    rows = theirs.get("rows", [])
    return len(rows) == 1 and len(rows[0]) == 1 and (rows[0][0] is None or not math.isfinite(rows[0][0]))


def as_value(value):
    if isinstance(value, bool) or value is None:
        return value
    try:
        return float(value)
    except ValueError:
        return "".join(value.split())


def near(left: list, right: list) -> bool:
    return len(left) == len(right) and all(
        one == other or isinstance(one, float) and isinstance(other, float)
        and math.isclose(one, other, rel_tol=1e-6, abs_tol=0.011) for one, other in zip(left, right))


def row_key(row: list) -> list:
    return [f"{value:.6e}" if isinstance(value, float) else str(value) for value in row]


def published(ours: dict, text: str) -> str:
    """How TPC's own answer differs from ours: numbers to two digits, as TPC-H prints and validates them."""
    theirs = [line.split("|") for line in text.strip().split("\n")[1:]]
    rows = ours["rows"]
    if len(rows) != len(theirs):
        return f"{len(rows)} rows for {len(theirs)} published"
    for left, right in zip(rows, theirs):
        if len(left) != len(right) or not all(map(validates, left, right)):
            return f"{left} for {right} published"
    return ""


def validates(ours, theirs: str) -> bool:
    try:
        return math.isclose(float(ours), float(theirs), rel_tol=1e-4, abs_tol=0.011)
    except (TypeError, ValueError):
        return ("" if ours is None else str(ours)).strip() == theirs.strip()


def main() -> None:
    """Has Spark answer what is missing; keeps each answer at once."""
    from pyspark.sql import SparkSession

    folder, request, path = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    kept = json.loads(path.read_text()) if path.exists() else {}
    warehouse = folder / f"warehouse-{os.getpid()}"
    builder = SparkSession.builder.master("local[2]").config("spark.driver.memory", "3g")
    builder = builder.config("spark.sql.shuffle.partitions", "4").config("spark.ui.showConsoleProgress", "false")
    session = builder.config("spark.sql.warehouse.dir", str(warehouse)).getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    for name, texts in json.loads(request.read_text()).items():
        database = name.replace("-", "_").replace(".", "_")
        session.sql(f"CREATE DATABASE {database}")
        session.sql(f"USE {database}")
        for statement in suite.statements(folder, name) if texts else []:
            session.sql(statement)
        for query, text in texts.items():
            kept[f"{name} {query}"] = ask(session, text)
            path.with_suffix(".partial").write_text(json.dumps(kept))
            path.with_suffix(".partial").rename(path)
    session.stop()


if __name__ == "__main__":
    main()
