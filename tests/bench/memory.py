"""Rows five times larger than the memory limit through every operator that holds rows; answers against DuckDB's.

    FIRESTEEL=target/release/firesteel python tests/bench/memory.py --scale 1 --memory 200

Prints for each operation the seconds, the most memory that the server's process took, and whether the answer is right.
With --executors 1 an executor in a process of its own has that memory, and it is the one that is watched.
"""

import argparse
import os
import time
from pathlib import Path

import data
import duckdb
from server import Peak, Server

OPERATIONS = {
    "sort": "SELECT sum(position * l_linenumber), count(*) FROM ("
            "SELECT l_linenumber, row_number() OVER (ORDER BY l_comment, l_orderkey, l_linenumber) % 1000 AS position "
            "FROM lineitem)",
    "group by": "SELECT count(*), sum(n), max(t) FROM ("
                "SELECT l_comment, count(*) AS n, max(l_shipinstruct) AS t FROM lineitem GROUP BY l_comment)",
    "join": "SELECT count(*), sum(length(a.l_comment) + length(b.l_comment)) FROM lineitem a JOIN lineitem b "
            "ON a.l_orderkey = b.l_orderkey AND a.l_linenumber = b.l_linenumber",
    "distinct": "SELECT count(*) FROM (SELECT DISTINCT l_orderkey, l_partkey, l_comment FROM lineitem)",
    "window": "SELECT count(*), sum(r), max(before) FROM ("
              "SELECT rank() OVER (PARTITION BY l_suppkey ORDER BY l_shipdate, l_comment) AS r, "
              "lag(l_comment) OVER (PARTITION BY l_suppkey ORDER BY l_orderkey, l_linenumber) AS before FROM lineitem)",
    # Cached before, by `main`.
    "cache": "SELECT count(*), sum(length(l_comment)), sum(l_quantity), max(l_shipinstruct) FROM lineitem",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", default="1")
    parser.add_argument("--memory", type=int, default=200, help="MiB, of each executor where there are some")
    parser.add_argument("--executors", type=int, default=0, help="processes that run the tasks; 0 for the server's own")
    parser.add_argument("--only", default="", help="operations to run, with commas between them")
    options = parser.parse_args()
    cache = Path(os.environ.get("FIRESTEEL_CACHE", Path.home() / ".cache/firesteel")) / "bench-data"
    folder = data.tables(cache, options.scale, 8)
    judge = duckdb.connect()
    judge.execute(f"CREATE VIEW lineitem AS SELECT * FROM read_parquet('{folder}/lineitem/*.parquet')")
    wanted = {name: text for name, text in OPERATIONS.items() if not options.only or name in options.only.split(",")}
    in_process = [f"spark.executor.memory={options.memory}m"]
    elsewhere = [f"spark.master=local-cluster[{options.executors},2,{options.memory}]"]
    for name, text in wanted.items():
        with Server(*(elsewhere if options.executors else in_process)) as server:
            server.session.read.parquet(f"{folder}/lineitem").createOrReplaceTempView("lineitem")
            started, peak = time.perf_counter(), Peak(server)
            try:
                with peak:
                    if name == "cache":
                        server.session.sql("CACHE TABLE lineitem")
                    found = [tuple(row) for row in server.session.sql(text).collect()]
            except Exception as error:  # what the engine raises is its answer
                found = f"{type(error).__name__}: {error}"[:300]
            seconds = time.perf_counter() - started
        right = found == judge.execute(text).fetchall()
        print(f"{name:10} {seconds:7.1f} s  {peak.mib:6.0f} MiB of {options.memory}m  {'right' if right else found}", flush=True)


main()
