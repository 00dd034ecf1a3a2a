"""Writes TPC-DS and TPC-H as Parquet files with DuckDB's generators; run by the Python that has them.

    python generate.py SCALE FOLDER COLUMNS.json

COLUMNS.json holds each TPC-DS table's columns as [name, DuckDB type]; the generator's own columns are cast by place.
Below FOLDER come tpcds/TABLE/part-0.parquet, tpch/TABLE/part-0.parquet, and answers.json: what TPC-H itself publishes
for scale 1, as DuckDB carries it.
"""

import importlib
import json
import sys
from pathlib import Path

import duckdb

TPCH = ["customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier"]
ROWS_IN_GROUP = 200_000


def main() -> None:
    scale, folder, columns = float(sys.argv[1]), Path(sys.argv[2]), json.loads(Path(sys.argv[3]).read_text())
    folder.mkdir(parents=True, exist_ok=True)
    tpcds = generator("tpcds")
    tpcds.execute(f"CALL dsdgen(sf={scale})")
    for table, wanted in columns.items():
        found = [row[0] for row in tpcds.execute(f"DESCRIBE {table}").fetchall()]
        if len(found) != len(wanted):
            raise SystemExit(f"{table} has {len(found)} columns where {len(wanted)} are due")
        casts = [f'CAST("{name}" AS {kind}) AS "{due}"' for name, (due, kind) in zip(found, wanted)]
        write(tpcds, f"SELECT {', '.join(casts)} FROM {table}", folder / "tpcds" / table)
    tpcds.close()
    tpch = generator("tpch")
    tpch.execute(f"CALL dbgen(sf={scale})")
    for table in TPCH:
        write(tpch, f"FROM {table}", folder / "tpch" / table)
    answers = "SELECT query_nr, answer FROM tpch_answers() WHERE scale_factor = 1"
    (folder / "answers.json").write_text(json.dumps(dict(tpch.execute(answers).fetchall())))


def generator(name: str) -> duckdb.DuckDBPyConnection:
    """A connection with the extension of its wheel."""
    package = Path(importlib.import_module(f"duckdb_extension_{name}").__file__).parent
    connection = duckdb.connect()
    connection.execute(f"LOAD '{next(package.rglob('*.duckdb_extension'))}'")
    return connection


def write(connection: duckdb.DuckDBPyConnection, query: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    target = f"'{folder / 'part-0.parquet'}' (FORMAT parquet, ROW_GROUP_SIZE {ROWS_IN_GROUP})"
    connection.execute(f"COPY ({query}) TO {target}")


main()
