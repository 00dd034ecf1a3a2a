"""What a user feels first, through the stock client: the start, a small query, idle memory, a file beyond the memory.

    FIRESTEEL=target/release/firesteel python tests/bench/bars.py

Each figure is printed beside the bar that it is held to.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import pyarrow
import pyarrow.parquet
from server import Peak, Server

BIG_FILE_MEMORY_MIB = 128
BIG_FILE_ROWS = 170_000_000


def main() -> None:
    starts = [start_to_first_answer() for _ in range(5)]
    bar("start to the first answered SELECT 1", min(starts) * 1000, 200, "ms")
    with Server() as server:
        server.session.sql("SELECT 1").collect()
        time.sleep(2)
        bar("idle server", server.rss_mib(), 120, "MiB")
        bar("aggregate over 1,000 rows", small_aggregate(server.session) * 1000, 15, "ms")
    if "--big" in sys.argv:
        big_file()


def start_to_first_answer() -> float:
    started = time.perf_counter()
    with Server() as server:
        server.session.sql("SELECT 1").collect()
        return time.perf_counter() - started


def small_aggregate(session) -> float:
    """The median of 30 runs over a local relation of 1,000 rows."""
    rows = session.createDataFrame([(i % 10, float(i)) for i in range(1000)], ["key", "value"])
    query = rows.groupBy("key").sum("value")
    times = []
    for _ in range(35):
        started = time.perf_counter()
        query.collect()
        times.append(time.perf_counter() - started)
    return statistics.median(times[5:])


def big_file() -> None:
    """An aggregate over a file ten times larger than the memory limit."""
    with tempfile.TemporaryDirectory() as folder, Server(f"spark.executor.memory={BIG_FILE_MEMORY_MIB}m") as server:
        path = Path(folder) / "big.parquet"
        write_big(path)
        size = path.stat().st_size / 2**20
        started, peak = time.perf_counter(), Peak(server)
        with peak:
            rows = server.session.read.parquet(str(path)).groupBy("key").count().count()
        print(f"a file of {size:.0f} MiB: {rows} groups in {time.perf_counter() - started:.1f} s, "
              f"limit {BIG_FILE_MEMORY_MIB} MiB, process at most {peak.mib:.0f} MiB")


def write_big(path: Path) -> None:
    """Incompressible rows, a group of them at a time."""
    import numpy

    chance, chunk = numpy.random.default_rng(1), 2_000_000
    schema = pyarrow.schema([("key", pyarrow.int64()), ("value", pyarrow.int64())])
    with pyarrow.parquet.ParquetWriter(path, schema, compression="none", use_dictionary=False) as writer:
        for _ in range(BIG_FILE_ROWS // 2 // chunk):
            keys, values = chance.integers(0, 1000, chunk), chance.integers(0, 2**62, chunk)
            writer.write_table(pyarrow.table([keys, values], schema=schema), row_group_size=500_000)


def bar(what: str, value: float, most: float, unit: str) -> None:
    print(f"{what}: {value:.1f} {unit} (bar: {most} {unit}{'' if value <= most else ', MISSED'})")


main()
