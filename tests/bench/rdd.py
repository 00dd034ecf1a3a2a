"""RDD programs on this engine and on Spark itself, taking turns, each in a process of its own.

    python tests/bench/rdd.py --firesteel VENV/bin/python --spark BENCH/bin/python --cores 2 --repeat 3

The programs are the same PySpark code. The first interpreter has the Connect client and our wheel, and starts the
server that FIRESTEEL names; the second has PySpark with its JVM. Prints the best time of each case and the ratio.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import time
from operator import add
from pathlib import Path

WORDS = 20_000
LINES = 400_000
WORDS_A_LINE = 12
PAIRS = 10_000_000
KEYS = 100_000
SORTED = 2_000_000
TIMEOUT_S = 900


def text(folder: Path) -> Path:
    """A file of lines of words whose frequencies differ; the same on every run."""
    path = folder / f"words-{LINES}.txt"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        chance = random.Random(1)
        words = [f"word{number}" for number in range(WORDS)]
        with path.with_suffix(".part").open("w") as file:
            for _ in range(LINES):
                file.write(" ".join(words[int(WORDS * chance.random() ** 3)] for _ in range(WORDS_A_LINE)) + "\n")
        path.with_suffix(".part").rename(path)
    return path


def word_count(sc, path: str, parts: int) -> int:
    lines = sc.textFile(path, parts)
    return lines.flatMap(lambda line: line.split()).map(lambda word: (word, 1)).reduceByKey(add, parts).count()


def reduce_by_key(sc, path: str, parts: int) -> int:
    pairs = sc.range(0, PAIRS, numSlices=parts).map(lambda n: (n * 7919 % KEYS, n))
    return pairs.reduceByKey(add, parts).count()


def sort_by_key(sc, path: str, parts: int) -> int:
    pairs = sc.range(0, SORTED, numSlices=parts).map(lambda n: (n * 7919 % 1_000_003, n))
    return pairs.sortByKey(numPartitions=parts).map(lambda pair: pair[0]).take(1)[0]


CASES = {"word count": word_count, "reduceByKey": reduce_by_key, "sortByKey": sort_by_key}


def child(cores: int, path: str) -> None:
    """Runs every case once, after one small job, and prints its seconds and its answer."""
    from pyspark import SparkConf, SparkContext

    sc = SparkContext(conf=SparkConf().setMaster(f"local[{cores}]").setAppName("bench").set("spark.ui.enabled", "false"))
    sc.setLogLevel("ERROR")
    sc.parallelize(range(100), cores).map(lambda n: (n % 3, n)).reduceByKey(add).collect()
    for name, case in CASES.items():
        start = time.perf_counter()
        answer = case(sc, path, 2 * cores)
        print(json.dumps({"case": name, "seconds": time.perf_counter() - start, "answer": answer}), flush=True)
    sc.stop()


def run(python: str, cores: int, path: Path) -> dict:
    command = [python, "-W", "ignore", __file__, "--child", str(path), "--cores", str(cores)]
    environment = {key: value for key, value in os.environ.items() if key not in ("SPARK_REMOTE", "MASTER")}
    done = subprocess.run(command, env=environment | {"PYSPARK_PYTHON": python}, stdout=subprocess.PIPE,
                          text=True, timeout=TIMEOUT_S, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {line["case"]: line for line in lines}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--firesteel", help="the Python with our wheel")
    parser.add_argument("--spark", help="the Python with PySpark and its JVM")
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return child(options.cores, options.child)
    cache = Path(os.environ.get("FIRESTEEL_CACHE", Path.home() / ".cache/firesteel")) / "bench-data"
    path = text(cache)
    pythons = {"firesteel": options.firesteel, "spark": options.spark}
    best: dict = {}
    for _ in range(options.repeat):
        for engine, python in pythons.items():
            for case, result in run(python, options.cores, path).items():
                held = best.setdefault(case, {}).get(engine)
                if held is None or result["seconds"] < held["seconds"]:
                    best[case][engine] = result
    print(f"RDDs, {options.cores} cores, best of {options.repeat}")
    for case, results in best.items():
        ours, theirs = results["firesteel"], results["spark"]
        agree = "agree" if ours["answer"] == theirs["answer"] else f"{ours['answer']} is not {theirs['answer']}"
        ratio = ours["seconds"] / theirs["seconds"]
        print(f"{case:12} {ours['seconds']:8.2f}s {theirs['seconds']:8.2f}s   {ratio:5.2f} of Spark's time   {agree}")


if __name__ == "__main__":
    sys.exit(main())
