"""The benchmarks' queries and tables, out of the artifact that Spark publishes with its tests."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "conformance"))
import golden

TPCH_TABLES = ["customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier"]
FOLDERS = {"tpcds-1.4": "tpcds", "tpcds-2.7": "tpcds-v2.7.0", "tpch": "tpch"}


def queries() -> dict[str, dict[str, str]]:
    """Texts by suite and name."""
    found = {suite: {} for suite in FOLDERS}
    with zipfile.ZipFile(golden.artifact()) as jar:
        for suite, folder in FOLDERS.items():
            names = [name for name in jar.namelist() if re.fullmatch(rf"{re.escape(folder)}/q\d+\w?\.sql", name)]
            for name in sorted(names, key=by_number):
                found[suite][Path(name).stem] = jar.read(name).decode()
    return found


def by_number(name: str) -> tuple[int, str]:
    number, letter = re.search(r"q(\d+)(\w?)\.sql", name).groups()
    return int(number), letter


def statements(folder: Path, suite: str) -> list[str]:
    """What makes the tables of a suite over the files of a folder; TPC-DS with the types of Spark's own suite."""
    if suite == "tpch":
        return [f"CREATE OR REPLACE TEMPORARY VIEW {name} USING parquet OPTIONS (path '{folder}/tpch/{name}')"
                for name in TPCH_TABLES]
    return [f"CREATE TABLE `{name}` ({columns}) USING parquet LOCATION '{folder}/tpcds/{name}'"
            for name, columns in golden.tpcds_tables()]


def data(cache: Path, scale: str, generator: Path) -> Path:
    """The folder with the tables of a scale, generated once."""
    folder = cache / f"tpc-{scale}"
    done = folder / ".complete"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        columns = folder / "columns.json"
        columns.write_text(json.dumps({name: duckdb_columns(text) for name, text in golden.tpcds_tables()}))
        program = Path(__file__).parent / "generate.py"
        subprocess.run([str(generator), str(program), scale, str(folder), str(columns)], check=True, timeout=3600)
        done.touch()
    return folder


def duckdb_columns(text: str) -> list[tuple[str, str]]:
    """Columns as Spark declares them, with DuckDB's types."""
    declared = re.findall(r"`(\w+)`\s+(\w+(?:\(\s*\d+\s*(?:,\s*\d+\s*)?\))?)", text)
    return [(name, re.sub(r"(?i)(var)?char\(\d+\)|string", "VARCHAR", kind)) for name, kind in declared]
