"""TPC-H through each engine's usual client, engines taking turns in one run.

    python tests/bench/tpch.py --scale 1 --engines firesteel,sail,spark --repeat 3

Prints time per query (the best of the repeats), ratios to the first engine named, their geometric mean, the peak of
memory of each engine's whole process tree, and whether the answers agree. FIRESTEEL names the program to measure.
With --executors 2 the tasks run in two processes; ours exchange rows through an S3 server: MINIO names a MinIO program.
"""

import argparse
import json
import math
import os
import platform
from contextlib import ExitStack
from pathlib import Path

import data
from engines import Engine

LOWEST_SECONDS = 0.001


def main() -> None:
    options = arguments()
    cache = Path(os.environ.get("FIRESTEEL_CACHE", Path.home() / ".cache/firesteel")) / "bench-data"
    folder = data.tables(cache, options.scale, options.parts)
    texts = {name: text for name, text in data.queries().items() if not options.queries or name in options.queries}
    logs = cache / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        engines = [stack.enter_context(Engine(name, options.cores, logs / f"{name}.log", options.executors)) for name in options.engines]
        views = {table: str(folder / table) for table in data.TABLES}
        for engine in engines:
            answer = engine.ask({"tables": views})
            if "error" in answer:
                raise SystemExit(f"{engine.name}: {answer['error']}")
        measured = measure(engines, texts, options.repeat)
        report(engines, measured, options)


def measure(engines: list, texts: dict, repeat: int) -> dict:
    """For each query and engine: the seconds of each run and the rows of the last, or the error."""
    measured = {name: {engine.name: {"seconds": []} for engine in engines} for name in texts}
    for turn in range(repeat):
        for name, text in texts.items():
            for engine in engines if turn % 2 == 0 else reversed(engines):
                result = measured[name][engine.name]
                if "error" in result:
                    continue
                answer = engine.ask({"sql": text})
                if "error" in answer:
                    result["error"] = answer["error"]
                else:
                    result["seconds"].append(answer["seconds"])
                    result["rows"] = answer["rows"]
    return measured


def report(engines: list, measured: dict, options) -> None:
    names = [engine.name for engine in engines]
    first, ratios = names[0], {name: [] for name in names}
    print(f"TPC-H scale {options.scale}, {options.cores} cores, best of {options.repeat}, {platform.machine()}")
    print(f"{'query':6}" + "".join(f"{name:>12}" for name in names) + "   answers")
    totals = {name: 0.0 for name in names}
    for query, results in measured.items():
        cells = []
        for name in names:
            best = min(results[name]["seconds"], default=None) if "error" not in results[name] else None
            cells.append(f"{'error':>12}" if best is None else f"{best:>11.3f}s")
            base = min(results[first]["seconds"], default=None)
            if best is not None:
                totals[name] += best
                if base is not None:
                    ratios[name].append(max(base, LOWEST_SECONDS) / max(best, LOWEST_SECONDS))
        print(f"{query:6}" + "".join(cells) + "   " + verdict(results, names))
    print(f"{'total':6}" + "".join(f"{totals[name]:>11.3f}s" for name in names))
    print(f"{'memory':6}" + "".join(f"{engine.peak_bytes / 2**20:>8.0f} MiB" for engine in engines))
    for name in names[1:]:
        mean = math.exp(sum(map(math.log, ratios[name])) / len(ratios[name])) if ratios[name] else math.nan
        print(f"{first} takes {mean:.2f} of {name}'s time (geometric mean of {len(ratios[name])} queries)")
    for query, results in measured.items():
        for name in names:
            if "error" in results[name]:
                print(f"{query} {name}: {results[name]['error']}")
    if options.out:
        Path(options.out).write_text(json.dumps(measured))


def verdict(results: dict, names: list) -> str:
    """Whether every engine that answered gave the rows of the last one named."""
    answered = [name for name in names if "rows" in results[name]]
    if len(answered) < 2:
        return "-"
    judge = answered[-1]
    wrong = [name for name in answered[:-1] if not same(results[name]["rows"], results[judge]["rows"])]
    return "agree" if not wrong else f"{', '.join(wrong)} differ from {judge}"


def same(left: list, right: list) -> bool:
    """Equal rows in equal order; where the query leaves ties open, in any order."""
    return len(left) == len(right) and (all(map(alike, left, right)) or all(map(alike, ordered(left), ordered(right))))


def ordered(rows: list) -> list:
    return sorted(rows, key=lambda row: [f"{value:.2e}" if isinstance(value, float) else str(value) for value in row])


def alike(left: list, right: list) -> bool:
    return len(left) == len(right) and all(map(close, left, right))


def close(left, right) -> bool:
    if isinstance(left, (int, float)) and isinstance(right, (int, float)):
        return math.isclose(left, right, rel_tol=1e-6, abs_tol=0.011)
    return left == right


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", default="1", help="scale factor: gigabytes of text")
    parser.add_argument("--parts", type=int, default=8, help="files for each large table")
    parser.add_argument("--engines", default="firesteel,sail,spark", type=lambda text: text.split(","))
    parser.add_argument("--queries", default="", type=lambda text: set(filter(None, text.split(","))))
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--executors", type=int, default=0, help="processes that run the tasks; 0 for the engine's own")
    parser.add_argument("--out", help="file for every figure, as JSON")
    return parser.parse_args()


main()
