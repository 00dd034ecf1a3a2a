#!/usr/bin/env python3
"""Runs TPC-DS (versions 1.4 and 2.7) and TPC-H through executors and compares each answer with another engine's.

    tpc.py [--scale 1] [--judge duckdb|spark] [--only tpch,tpcds-1.4:q1] [--spark PYTHON] [--generator PYTHON]

Queries and table definitions are those of Spark's own test suite; the answers that are due come from DuckDB or Spark
over the same files, and for TPC-H at scale 1 from TPC too. The data is that of DuckDB's generator: the answers that
Spark publishes with its suite belong to rows of another one, which no library makes. FIRESTEEL names the program.
Fails if a query does.
"""

import argparse
import concurrent.futures
import json
import logging
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "spark"), str(Path(__file__).parent)]

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

import answers
import suite
from server import WatchedServer, prepare_clients

prepare_clients("UTC")
logging.disable(logging.CRITICAL)


class Runner:
    """A server whose tasks run in executors, and a session of it."""

    def __init__(self, options, folder: Path):
        self.options, self.folder = options, folder
        self.start()

    def start(self) -> None:
        self.work = Path(tempfile.mkdtemp(prefix="firesteel-tpc-"))
        # However small, a query is cut into stages.
        conf = {"spark.master": self.options.master, "spark.sql.shuffle.partitions": "4",
                "firesteel.sql.smallQueryThreshold": "0",
                "spark.sql.optimizer.runtime.bloomFilter.applicationSideScanSizeThreshold": "0"}
        self.server = WatchedServer(self.work, conf)
        self.pool = concurrent.futures.ThreadPoolExecutor(1)
        self.session = SparkSession.builder.remote(self.server.url).create()
        self.suites = set()

    def run(self, name: str, text: str) -> tuple[dict | None, str, float]:
        """The answer, or why there is none, and the seconds it took."""
        started = time.monotonic()
        try:
            if name not in self.suites:
                self.define(name)
            answer = self.pool.submit(answers.ask, self.session, text).result(self.options.limit)
            return answer, "", time.monotonic() - started
        except concurrent.futures.TimeoutError:
            self.restart()
            return None, f"no answer within {self.options.limit} s", time.monotonic() - started
        except PySparkException as error:
            failure = f"{error.getCondition()}: {str(error)[:300]}"
        except Exception as error:
            failure = f"{type(error).__name__}: {str(error)[:300]}"
        if self.server.process.poll() is not None:
            self.restart()
            failure += " (the server ended)"
        return None, failure, time.monotonic() - started

    def define(self, name: str) -> None:
        """Makes the suite's tables the current ones."""
        if name == "tpch" or not {"tpcds-1.4", "tpcds-2.7"} & self.suites:
            for statement in suite.statements(self.folder, name):
                self.session.sql(statement)
        self.suites.add(name)

    def restart(self) -> None:
        self.close()
        self.start()

    def close(self) -> None:
        self.pool.shutdown(wait=False, cancel_futures=True)
        self.server.process.kill()
        self.server.process.wait(30)
        shutil.rmtree(self.work, ignore_errors=True)


def main() -> int:
    options = arguments()
    folder = suite.data(options.cache, options.scale, options.generator)
    chosen = choose(suite.queries(), options.only)
    if options.judge == "spark":
        expected, compare = answers.of_spark(folder, options.spark, chosen), answers.difference
    else:
        expected, compare = answers.of_duckdb(folder, options.generator, chosen), answers.difference_in_values
    official = json.loads((folder / "answers.json").read_text()) if options.scale == "1" else {}
    print(f"scale {options.scale}, {options.master}, answers of {options.judge}", flush=True)
    runner = Runner(options, folder)
    passed, failed, started = 0, [], time.monotonic()
    for name, texts in chosen.items():
        for query, text in texts.items():
            answer, failure, seconds = runner.run(name, text)
            note = "equal"
            if answer is not None:
                failure = compare(answer, expected[f"{name} {query}"])
                if not failure and name == "tpch" and official:
                    failure = answers.published(answer, official[query.removeprefix("q")])
            elif failure.startswith("DIVIDE_BY_ZERO") and answers.divides_by_zero(expected[f"{name} {query}"]):
                failure, note = "", "divides by zero, as Spark would"
            print(f"{name:10} {query:5} {seconds:8.2f} s  {failure or note}", flush=True)
            passed += not failure
            if failure:
                failed.append(f"{name}:{query}")
    runner.close()
    print(f"tpc: {passed} passed, {len(failed)} failed in {time.monotonic() - started:.0f} s {' '.join(failed)}")
    return 1 if failed else 0


def choose(every: dict[str, dict[str, str]], only: list[str]) -> dict[str, dict[str, str]]:
    """The queries that `suite:query` or `suite` names; all without a choice."""
    chosen = {name: {query: text for query, text in texts.items()
                     if not only or name in only or f"{name}:{query}" in only} for name, texts in every.items()}
    return {name: texts for name, texts in chosen.items() if texts}


def arguments() -> argparse.Namespace:
    cache = Path(os.environ.get("FIRESTEEL_CACHE", Path.home() / ".cache/firesteel"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", default="0.01", help="scale factor: gigabytes of text")
    parser.add_argument("--only", default="", type=lambda text: [part for part in text.split(",") if part])
    parser.add_argument("--judge", choices=["spark", "duckdb"], default="duckdb", help="whose answers are due")
    parser.add_argument("--master", default="local-cluster[2,1,3072]")
    parser.add_argument("--limit", type=int, default=600, help="seconds for one query")
    parser.add_argument("--cache", type=Path, default=cache / "bench-data")
    parser.add_argument("--generator", type=Path, default=cache / "tpc/bin/python", help="a Python with DuckDB's generators")
    parser.add_argument("--spark", type=Path, default=cache / "bench/bin/python", help="a Python with Spark itself")
    return parser.parse_args()


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    # Threads of clients retry for minutes against a server that has ended.
    os._exit(status)
