"""Answers of DuckDB over the same files, to texts of Spark's that it understands; run by the Python that has it.

    python duckdb_answers.py REQUEST.json ANSWERS.json

The request: {"folder": path, "columns": {...}, "queries": {suite: {name: text}}}. A second judge, minutes faster than
Spark: its types differ (averages and quotients of decimals are doubles), so values are compared and schemas are not.
"""

import datetime
import decimal
import json
import re
import sys
from pathlib import Path

import duckdb


def main() -> None:
    request = json.loads(Path(sys.argv[1]).read_text())
    answers = {}
    for suite, texts in request["queries"].items():
        connection = duckdb.connect()
        connection.execute("SET default_null_order = 'nulls_first_on_asc_last_on_desc'")
        connection.execute("SET memory_limit = '5GB'")
        for folder in sorted((Path(request["folder"]) / ("tpch" if suite == "tpch" else "tpcds")).iterdir()):
            connection.execute(f"CREATE VIEW {folder.name} AS FROM '{folder}/*.parquet'")
        for name, text in texts.items():
            try:
                found = connection.execute(dialect(text)).fetchall()
                answers[f"{suite} {name}"] = {"rows": [[plain(value) for value in row] for row in found]}
            except duckdb.Error as error:
                answers[f"{suite} {name}"] = {"error": str(error).split("\n")[0]}
        connection.close()
    Path(sys.argv[2]).write_text(json.dumps(answers))


def dialect(text: str) -> str:
    """The few words that DuckDB writes in another way."""
    text = re.sub(r"(?i)\breturns\b", '"returns"', text.replace("`", '"'))
    text = re.sub(r"(?i)\)\s+at\b", ') "at"', text)
    text = re.sub(r"(?i)\binterval\s+(\d+)\s+(day|month|year)s?", r"INTERVAL '\1' \2", text)
    text = re.sub(r"\+\s*(\d+) days", r"+ INTERVAL '\1' day", text)
    return re.sub(r"\-\s*(\d+) days", r"- INTERVAL '\1' day", text)


def plain(value):
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, (datetime.date, datetime.datetime)):
        return str(value)
    return value


main()
