#!/usr/bin/env python3
"""Runs Spark's golden files through the real server and says how many answers are Spark's.

    judge.py [--file PART] [--every N] [--failing] [--causes N] [--update] [--lanes N]
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter
from pathlib import Path

import golden
import passing
import report
from compare import Verdict, judge, judge_schema
from lane import Lane

EXAMPLES = "function-examples"
GRACE_S = 60


def main() -> int:
    options = arguments()
    files = [file for file in [*golden.files(), golden.function_examples()] if options.file in file.name]
    if not files:
        print(f"no golden file's name contains {options.file!r}")
        return 2
    # The longest first; so every third of them is also a third of the statements.
    files.sort(key=lambda file: (-len(file.statements), file.name))
    files = files[:: options.every]
    started = time.monotonic()
    verdicts, older = run(files, min(options.lanes, len(files)))
    for file in sorted(files, key=lambda file: file.name):
        show(file, verdicts[file.name], options)
    if options.causes:
        for cause, count in Counter(v.cause for each in verdicts.values() for v in each if not v.passed).most_common(options.causes):
            print(f"{count:6} {cause}")
    lost = passing.lost(verdicts)
    if lost and not options.update:
        lost = again(files, verdicts, lost, options.lanes)
    for name, numbers in lost.items():
        print(f"passed before and fails now: {name} {passing.ranges(numbers)}")
    if options.update:
        part = bool(options.file) or options.every > 1
        passing.write(verdicts, keep_others=part)
        if not part:
            report.write(files, verdicts, older)
    totals(verdicts, older, time.monotonic() - started)
    return 1 if lost and not options.update else 0


def again(files: list[golden.GoldenFile], verdicts: dict, lost: dict, lanes: int) -> dict[str, list[int]]:
    """What fails a second time too: rows that tie under ORDER BY come in any order, and a busy machine is slow."""
    second, _ = run([file for file in files if file.name in lost], min(lanes, len(lost)))
    for name, found in second.items():
        verdicts[name] = [one if one.passed else other for one, other in zip(verdicts[name], found)]
    return passing.lost(verdicts)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--file", default="", help="only files whose name contains this")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every Nth file, by size")
    parser.add_argument("--failing", action="store_true", help="print each failing statement, what is due and what came")
    parser.add_argument("--causes", type=int, default=0, metavar="N", help="print the N most frequent causes of failures")
    parser.add_argument("--update", action="store_true", help="write the list of passing statements and docs/conformance.md")
    parser.add_argument("--lanes", type=int, default=2, help="servers at a time")
    return parser.parse_args()


def run(files: list[golden.GoldenFile], lanes: int) -> tuple[dict[str, list[Verdict]], dict[str, list[Verdict]]]:
    """Every file's verdicts, with a server for each lane; and those by what Spark answers on an older Java."""
    tasks = multiprocessing.Queue()
    results = multiprocessing.Queue()
    for file in files:
        tasks.put(file)
    workers = [multiprocessing.Process(target=work, args=(tasks, results), daemon=True) for _ in range(lanes)]
    for worker in workers:
        tasks.put(None)
        worker.start()
    verdicts, older = {}, {}
    while len(verdicts) < len(files):
        name, found, by_older = results.get()
        verdicts[name] = found
        older[name] = by_older
        passed = sum(verdict.passed for verdict in found)
        print(f"{passed:5} of {len(found):5}  {name}", file=sys.stderr, flush=True)
    for worker in workers:
        worker.join(GRACE_S)
    return verdicts, older


def work(tasks: multiprocessing.Queue, results: multiprocessing.Queue):
    lane = Lane()
    while (file := tasks.get()) is not None:
        compare = judge_schema if file.name == EXAMPLES else judge
        answers = lane.run(file, only_schema=file.name == EXAMPLES)
        found = [compare(*pair) for pair in zip(file.statements, answers, strict=True)]
        results.put((file.name, found, [judge(*pair) for pair in zip(file.older, answers)]))
    lane.close()
    results.close()
    results.join_thread()
    # Threads of clients that wait for a lost server are not waited for.
    os._exit(0)


def show(file: golden.GoldenFile, verdicts: list[Verdict], options: argparse.Namespace):
    passed = sum(verdict.passed for verdict in verdicts)
    print(f"{file.name}: {passed} of {len(verdicts)}")
    if options.failing:
        for statement, verdict in zip(file.statements, verdicts):
            if not verdict.passed:
                print(f"--- {file.name} {statement.number}: {verdict.cause}\n{statement.sql}")
                print(f"--- due\n{statement.schema}\n{statement.output}\n--- came\n{verdict.actual}\n")


def totals(verdicts: dict[str, list[Verdict]], older: dict[str, list[Verdict]], seconds: float):
    examples = verdicts.get(EXAMPLES, [])
    if examples:
        print(f"function examples: {sum(v.passed for v in examples)} passed, {sum(not v.passed for v in examples)} failed")
    others = [v for name, each in verdicts.items() if name != EXAMPLES for v in each]
    both = others + [v for each in older.values() for v in each]
    print(f"with answers on an older Java: {sum(v.passed for v in both)} of {len(both)} passed")
    print(f"{seconds:.0f} s")
    print(f"golden: {sum(v.passed for v in others)} passed, {sum(not v.passed for v in others)} failed")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    status = main()
    sys.stdout.flush()
    os._exit(status)
