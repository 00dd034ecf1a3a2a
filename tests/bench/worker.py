"""One engine in a process of its own: reads requests as lines of JSON, answers each with a line of JSON.

Requests: {"tables": {name: folder}} makes views; {"sql": text} runs a query to its last row, timed around the call that
a user would make; {"end": true} ends the process.
"""

import datetime
import decimal
import json
import os
import sys
import time


def session(engine: str, cores: int):
    """The engine through its usual client."""
    if engine == "duckdb":
        import duckdb

        connection = duckdb.connect()
        connection.execute(f"SET threads = {cores}")
        return connection
    from pyspark.sql import SparkSession

    if engine == "spark":
        builder = SparkSession.builder.master(os.environ.get("BENCH_SPARK_MASTER", f"local[{cores}]"))
        builder = builder.config("spark.driver.memory", os.environ.get("BENCH_MEMORY", "4g"))
        return builder.config("spark.ui.enabled", "false").getOrCreate()
    return SparkSession.builder.remote(os.environ["BENCH_REMOTE"]).getOrCreate()


def define(engine: str, client, tables: dict[str, str]) -> None:
    for name, folder in tables.items():
        if engine == "duckdb":
            client.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{folder}/*.parquet')")
        else:
            client.read.parquet(folder).createOrReplaceTempView(name)


def rows(engine: str, client, text: str) -> list:
    if engine == "duckdb":
        return client.execute(text).fetchall()
    return [tuple(row) for row in client.sql(text).collect()]


def plain(value):
    """A value as JSON has it; engines may choose decimals or doubles for the same number."""
    if isinstance(value, (decimal.Decimal, float)):
        return float(value)
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    return value


def main() -> None:
    engine, cores = sys.argv[1], int(sys.argv[2])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    started = time.perf_counter()
    client = session(engine, cores)
    print(json.dumps({"seconds": time.perf_counter() - started}), file=answers, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        answer = {}
        started = time.perf_counter()
        try:
            if "tables" in request:
                define(engine, client, request["tables"])
            elif "sql" in request:
                found = rows(engine, client, request["sql"])
                answer["seconds"] = time.perf_counter() - started
                answer["rows"] = [[plain(value) for value in row] for row in found]
            else:
                break
        except Exception as error:  # whatever an engine raises is its answer
            answer["error"] = f"{type(error).__name__}: {error}"[:300]
        print(json.dumps(answer), file=answers, flush=True)


main()
