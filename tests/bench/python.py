"""Functions in Python and RDD programs on this engine, on Spark itself and, where it can, on Sail, taking turns.

    python tests/bench/python.py --firesteel VENV/bin/python --spark BENCH/bin/python --cores 2 --repeat 3

The programs are the same PySpark code, each engine in a process of its own. The first interpreter has the Connect client
and our wheel, and starts the server that FIRESTEEL names; the second has PySpark with its JVM, and `sail` beside it.
Prints the best time of each case, the ratio to each peer, and whether the answers agree. --scale makes all data smaller
or larger, --cases chooses by parts of names.
"""

import argparse
import json
import os
import random
import re
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from operator import add
from pathlib import Path

import data

WORDS = 20_000
LINES = 400_000
WORDS_A_LINE = 12
PAIRS = 10_000_000
KEYS = 100_000
SORTED = 2_000_000
SCALAR_ROWS = 2_000_000
BATCH_ROWS = 20_000_000
GROUPED_ROWS = 2_000_000
GROUPS = 10_000
TIMEOUT_S = 1800


class Bench:
    """What a case has: the session, its context where there is one, the data's sizes."""

    def __init__(self, spark, options):
        self.spark, self.parts, self.text, self.scale = spark, 2 * options.cores, options.text, options.scale
        self.lineitem = options.lineitem

    def size(self, count: int) -> int:
        return max(int(count * self.scale), self.parts)

    def rows(self, count: int):
        return self.spark.range(0, self.size(count), 1, self.parts)


def scalar_udf(bench: Bench) -> int:
    from pyspark.sql import functions as F

    doubled = F.udf(lambda n: n * 2 + 1, "long")
    return bench.rows(SCALAR_ROWS).select(doubled("id").alias("n")).agg(F.sum("n")).first()[0]


def pandas_udf(bench: Bench) -> int:
    import pandas as pd
    from pyspark.sql import functions as F

    def double(ids: pd.Series) -> pd.Series:
        return ids * 2 + 1

    doubled = F.pandas_udf(double, "long")
    return bench.rows(BATCH_ROWS).select(doubled("id").alias("n")).agg(F.sum("n")).first()[0]


def pandas_udf_lineitem(bench: Bench) -> int:
    import pandas as pd
    from pyspark.sql import functions as F

    def paid(price: pd.Series, discount: pd.Series) -> pd.Series:
        return (price * (1 - discount)).round().astype("int64")

    items = bench.spark.read.parquet(bench.lineitem)
    columns = [F.col(name).cast("double") for name in ("l_extendedprice", "l_discount")]
    return items.select(F.pandas_udf(paid, "long")(*columns).alias("n")).agg(F.sum("n")).first()[0]


def apply_in_pandas(bench: Bench) -> int:
    from pyspark.sql import functions as F

    def ranked(frame):
        return frame.assign(place=frame["id"].rank().astype("int64"))[["g", "place"]]

    rows = bench.rows(GROUPED_ROWS).withColumn("g", F.col("id") % bench.size(GROUPS))
    return rows.groupBy("g").applyInPandas(ranked, "g long, place long").agg(F.sum("place")).first()[0]


def map_in_arrow(bench: Bench) -> int:
    from pyspark.sql import functions as F

    def odd(batches):
        import pyarrow.compute as pc

        for batch in batches:
            yield batch.filter(pc.equal(pc.bit_wise_and(batch.column(0), 1), 1))

    return bench.rows(BATCH_ROWS).mapInArrow(odd, "id long").agg(F.sum("id")).first()[0]


def word_count(bench: Bench) -> int:
    lines = bench.spark.sparkContext.textFile(bench.text, bench.parts)
    return lines.flatMap(lambda line: line.split()).map(lambda word: (word, 1)).reduceByKey(add, bench.parts).count()


def pairs(bench: Bench, count: int, keys: int):
    return bench.spark.sparkContext.range(0, bench.size(count), numSlices=bench.parts).map(lambda n: (n * 7919 % keys, n))


def reduce_by_key(bench: Bench) -> int:
    return pairs(bench, PAIRS, KEYS).reduceByKey(add, bench.parts).count()


def sort_by_key(bench: Bench) -> int:
    return pairs(bench, SORTED, 1_000_003).sortByKey(numPartitions=bench.parts).map(lambda pair: pair[0]).take(1)[0]


FRAMES = {"scalar UDF": scalar_udf, "pandas UDF": pandas_udf, "of lineitem": pandas_udf_lineitem,
          "applyInPandas": apply_in_pandas, "mapInArrow": map_in_arrow}
RDDS = {"RDD word count": word_count, "RDD reduceByKey": reduce_by_key, "RDD sortByKey": sort_by_key}


def text(folder: Path, scale: float) -> Path:
    """A file of lines of words whose frequencies differ; the same on every run."""
    count = int(LINES * scale) or 1
    path = folder / f"words-{count}.txt"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        chance = random.Random(1)
        words = [f"word{number}" for number in range(WORDS)]
        with path.with_suffix(".part").open("w") as file:
            for _ in range(count):
                file.write(" ".join(words[int(WORDS * chance.random() ** 3)] for _ in range(WORDS_A_LINE)) + "\n")
        path.with_suffix(".part").rename(path)
    return path


def session(engine: str, cores: int):
    from pyspark.sql import SparkSession

    if engine == "sail":
        return SparkSession.builder.remote(os.environ["BENCH_REMOTE"]).getOrCreate()
    builder = SparkSession.builder.master(f"local[{cores}]").appName("bench").config("spark.ui.enabled", "false")
    # Spark's own way of it through Arrow does not end with some versions of pyarrow.
    return builder.config("spark.sql.execution.pythonUDF.arrow.enabled", "false").getOrCreate()


def child(engine: str, options) -> None:
    """Runs every case once, after a small job of each kind, and prints its seconds and its answer."""
    spark = session(engine, options.cores)
    cases = FRAMES if engine == "sail" else FRAMES | RDDS
    bench = Bench(spark, options)
    spark.range(100).mapInArrow(lambda batches: batches, "id long").count()
    if engine != "sail":
        spark.sparkContext.setLogLevel("ERROR")
        spark.sparkContext.parallelize(range(100), options.cores).map(lambda n: (n % 3, n)).reduceByKey(add).collect()
    for name, case in cases.items():
        if not chosen(name, options.cases):
            continue
        start = time.perf_counter()
        try:
            line = {"case": name, "answer": case(bench), "seconds": time.perf_counter() - start}
        except Exception as error:  # whatever an engine raises is its answer
            line = {"case": name, "error": f"{type(error).__name__}: {error}"[:300]}
        print(json.dumps(line), flush=True)
    spark.stop()


def chosen(name: str, parts: list[str]) -> bool:
    return not parts or any(part.lower() in name.lower() for part in parts)


@contextmanager
def serving(engine: str, python: str):
    """The environment of an engine's client; of Sail with a server."""
    inherited = {key: value for key, value in os.environ.items() if key not in ("SPARK_REMOTE", "MASTER")}
    environment = inherited | {"PYSPARK_PYTHON": python}
    if engine != "sail":
        yield environment
        return
    command = [str(Path(python).parent / "sail"), "spark", "server", "--ip", "127.0.0.1", "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env=environment | {"RUST_LOG": "info"})
    try:
        port = next((found.group(1) for line in server.stdout if (found := re.search(r"127\.0\.0\.1:(\d+)", line))), None)
        if port is None:
            raise SystemExit("sail did not say where it listens")
        threading.Thread(target=lambda: [None for _ in server.stdout], daemon=True).start()
        yield environment | {"BENCH_REMOTE": f"sc://127.0.0.1:{port}"}
    finally:
        server.kill()
        server.wait(timeout=30)


def run(engine: str, python: str, options) -> dict:
    command = [python, "-W", "ignore", __file__, "--child", engine, "--text", options.text, "--cores", str(options.cores),
               "--scale", str(options.scale), "--cases", ",".join(options.cases), "--lineitem", options.lineitem]
    with serving(engine, python) as environment:
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, timeout=TIMEOUT_S, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {line["case"]: line for line in lines}


def better(new: dict, held: dict | None) -> bool:
    return held is None or new.get("seconds", float("inf")) < held.get("seconds", float("inf"))


def report(best: dict, engines: list[str], options) -> None:
    first = engines[0]
    print(f"Python, {options.cores} cores, best of {options.repeat}, scale {options.scale:g}")
    print(f"{'':16}" + "".join(f"{name:>11}" for name in engines) +
          "".join(f"{'of ' + name:>11}" for name in engines[1:]) + "   answers")
    for case, results in best.items():
        seconds = {name: results.get(name, {}).get("seconds") for name in engines}
        cells = [f"{'-':>11}" if seconds[name] is None else f"{seconds[name]:>10.2f}s" for name in engines]
        for name in engines[1:]:
            known = seconds[first] is not None and seconds[name] is not None
            cells.append(f"{seconds[first] / seconds[name]:>11.2f}" if known else f"{'-':>11}")
        answers = {name: result["answer"] for name, result in results.items() if "answer" in result}
        agree = "agree" if len(set(answers.values())) == 1 else str(answers)
        print(f"{case:16}" + "".join(cells) + "   " + (agree if len(answers) > 1 else "-"))
    for case, results in best.items():
        for name, result in results.items():
            if "error" in result:
                print(f"{case}, {name}: {result['error']}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--firesteel", help="the Python with our wheel")
    parser.add_argument("--spark", help="the Python with PySpark and its JVM, and with Sail")
    parser.add_argument("--engines", default="firesteel,spark,sail", type=lambda names: names.split(","))
    parser.add_argument("--cases", default="", type=lambda names: [name for name in names.split(",") if name])
    parser.add_argument("--scale", default=1.0, type=float)
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--text", help=argparse.SUPPRESS)
    parser.add_argument("--lineitem", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return child(options.child, options)
    cache = Path(os.environ.get("FIRESTEEL_CACHE", Path.home() / ".cache/firesteel")) / "bench-data"
    options.text = str(text(cache, options.scale))
    options.lineitem = str(data.tables(cache, f"{options.scale:g}", 8, Path(options.spark).parent) / "lineitem")
    best: dict = {}
    for turn in range(options.repeat):
        for engine in options.engines if turn % 2 == 0 else reversed(options.engines):
            python = options.firesteel if engine == "firesteel" else options.spark
            for case, result in run(engine, python, options).items():
                if better(result, best.setdefault(case, {}).get(engine)):
                    best[case][engine] = result
    report(best, options.engines, options)


if __name__ == "__main__":
    sys.exit(main())
