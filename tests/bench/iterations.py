"""A PageRank-like job: a cached frame of links joined with ranks, again and again; each iteration must take as long as the last.

    FIRESTEEL=target/release/firesteel python tests/bench/iterations.py --master 'local-cluster[2,2,1024]'

Prints the seconds of each iteration and the later half's mean beside the earlier half's; the ranks are checked against
the same sums in numpy.
"""

import argparse
import statistics
import tempfile
import time

import numpy
import pyarrow
import pyarrow.parquet as parquet
from pyspark.sql import functions as F
from server import Server

DAMPING = 0.85


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--master", default="local[2]")
    parser.add_argument("--pages", type=int, default=200_000)
    parser.add_argument("--links", type=int, default=2_000_000)
    parser.add_argument("--iterations", type=int, default=20)
    options = parser.parse_args()
    random = numpy.random.default_rng(1)
    source, target = (random.integers(0, options.pages, options.links) for _ in range(2))
    weight = 1.0 / numpy.bincount(source, minlength=options.pages)[source]
    master = (f"spark.master={options.master}", "spark.sql.shuffle.partitions=4")
    with tempfile.TemporaryDirectory() as folder, Server(*master) as server:
        table = pyarrow.table({"source": source, "target": target, "weight": weight})
        parquet.write_table(table, f"{folder}/links.parquet")
        links = server.session.read.parquet(f"{folder}/links.parquet").repartition(4, "source").cache()
        print(f"{links.count()} links over {options.pages} pages, {options.master}", flush=True)
        ranks = server.session.range(options.pages).select(F.col("id").alias("page"), F.lit(1.0).alias("rank"))
        expected, times = numpy.ones(options.pages), []
        for number in range(1, options.iterations + 1):
            started = time.perf_counter()
            before, ranks = ranks, following(links, ranks).cache()
            total = ranks.agg(F.sum("rank")).first()[0]
            times.append(time.perf_counter() - started)
            if number > 1:
                before.unpersist()
            expected = reached(expected, source, target, weight)
            right = numpy.isclose(total, expected.sum(), rtol=1e-9)
            print(f"iteration {number:2} {times[-1]:7.2f} s  {'right' if right else f'{total} instead of {expected.sum()}'}", flush=True)
    half = len(times) // 2
    early, late = statistics.mean(times[1:half]), statistics.mean(times[half:])
    print(f"the later half took {late:.2f} s an iteration, the earlier {early:.2f} s: {late / early:.2f} times")


def following(links, ranks):
    """The ranks after one more iteration, of every page that a link reaches."""
    given = links.join(ranks, links.source == ranks.page).select("target", (F.col("rank") * F.col("weight")).alias("given"))
    rank = (F.sum("given") * DAMPING + (1 - DAMPING)).alias("rank")
    return given.groupBy(F.col("target").alias("page")).agg(rank)


def reached(ranks: numpy.ndarray, source, target, weight) -> numpy.ndarray:
    """The same in numpy; a page that no link reaches has no rank, and gives none."""
    given = numpy.bincount(target, weights=ranks[source] * weight, minlength=len(ranks))
    has_rank = ranks > 0
    is_reached = numpy.bincount(target[has_rank[source]], minlength=len(ranks)) > 0
    return numpy.where(is_reached, given * DAMPING + (1 - DAMPING), 0.0)


main()
