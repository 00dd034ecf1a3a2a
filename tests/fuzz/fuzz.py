#!/usr/bin/env python3
"""A differential fuzzer: random queries over random tables, answered in ways that have to agree.

    fuzz.py [--seed 1] [--seconds 25] [--queries N]

tasks      one task in one process against many tasks on executors, with settings that change the plan
ansi       what succeeds with ANSI on succeeds with ANSI off, with the same value
logic      p, NOT p and p IS NULL part the rows of a table
folding    an expression over a row's values as literals against the same over its columns
api        the plan of the DataFrame API against SQL text

Each finding comes with its seed and a shrunk text; FIRESTEEL names the program. Fails if there is one.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import checks
import rows
import shapes
from servers import Lost, Servers

SHRINK_TRIES = 60


def main() -> int:
    options = arguments()
    started, done, findings = time.monotonic(), Counter(), 0
    outcomes = Counter()
    number, servers, folder = options.seed, None, None
    try:
        while time.monotonic() - started < options.seconds and sum(done.values()) < options.queries:
            if servers is None or (number - options.seed) % options.renew == 0:
                folder = renew(servers, folder, number, options)
                servers = folder[1]
            chance = random.Random(number)
            check = chance.choice(checks.ALL)
            finding, outcome = one(check, chance, servers)
            done[check.__name__] += 1
            outcomes[outcome] += 1
            if options.outcome and outcome.startswith(options.outcome):
                print(f"seed {number}: {check(shapes.Maker(random.Random(number)), random.Random(number)).text()}")
            if finding:
                findings += 1
                print(f"seed {number}, data {folder[2]}, {check.__name__}: {finding}\n", flush=True)
            if options.progress and sum(done.values()) % options.progress == 0:
                print(f"{sum(done.values())} checks, {servers.asked()} queries, {findings} findings, "
                      f"{time.monotonic() - started:.0f} s", flush=True)
            number += 1
    finally:
        asked = servers.asked() if servers else 0
        if servers:
            servers.close()
    print("checks: " + ", ".join(f"{name} {count}" for name, count in sorted(done.items())))
    print("answers: " + ", ".join(f"{name} {count}" for name, count in outcomes.most_common(12)))
    print(f"fuzz: {sum(done.values())} checks, {asked} queries, {findings} findings in {time.monotonic() - started:.0f} s, "
          f"seeds {options.seed} to {number - 1}")
    return 1 if findings else 0


def renew(servers, folder, number: int, options):
    """New tables, read by the same servers."""
    seed = options.data if options.data is not None else number
    root = folder[0] if folder else tempfile.TemporaryDirectory(prefix="firesteel-fuzz-")
    data = Path(root.name) / f"data-{number}"
    rows.write(data, seed)
    if servers is None:
        servers = Servers(Path(root.name))
    servers.define(data)
    return root, servers, seed


def one(check, chance: random.Random, servers: Servers) -> tuple[str, str]:
    """A check of a random query; what was found, shrunk, and how the answer was."""
    case = check(shapes.Maker(chance), chance)
    try:
        found, outcome = case.differs(servers)
        if not found:
            return "", outcome
        for _ in range(SHRINK_TRIES):
            smaller = next((other for other in case.simpler() if len(other.text()) < len(case.text())
                            and other.differs(servers)[0]), None)
            if smaller is None:
                break
            case = smaller
        found = case.differs(servers)[0] or found
        return f"{case.text()}\n  {found}", "finding"
    except Lost as lost:
        servers.restart()
        return f"{case.text()}\n  {lost}", "server lost"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=25)
    parser.add_argument("--queries", type=int, default=10**9, metavar="N", help="checks at most")
    parser.add_argument("--data", type=int, default=None, help="seed of the tables; each renewal has its own without it")
    parser.add_argument("--renew", type=int, default=200, help="checks over the same tables")
    parser.add_argument("--outcome", default="", help="print queries whose answer begins so, such as an error class")
    parser.add_argument("--progress", type=int, default=0, metavar="N", help="say how far it is every N checks")
    return parser.parse_args()


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    # Threads of clients retry for minutes against a server that has ended.
    os._exit(status)
