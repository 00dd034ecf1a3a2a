"""Queries and writes on real executor processes while executors and the store fail.

    python tests/chaos/chaos.py --seed 1 --faults 40

Every answer must equal single-node DataFusion's, every table written must have each row once, nothing may hang, and
nothing of the shuffle may be left in the bucket. FIRESTEEL names the program; MINIO a MinIO to use as the store.
"""

import argparse
import random
import resource
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import pyarrow.parquet as parquet
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

import data
from cluster import Cluster, Store, wait_for
from proxy import Fault

QUERY_S_MAX = 180
READS, WRITES = ("GET", "HEAD"), ("PUT", "POST")
EVERY = ("GET", "HEAD", "PUT", "POST", "DELETE")
# Kind, methods and paths: user data carries no checksums, so only the shuffle's bytes are turned over.
STORE_FAULTS = [
    ("error500", EVERY, "."),
    ("error503", EVERY, "."),
    ("hang", ("GET",), "/chaos/(shuffle|tables)/"),
    ("truncate", ("GET",), r"\.parquet|shuffle"),
    ("flip", ("GET",), "/chaos/shuffle/"),
    ("error_body", ("GET",), "/chaos/shuffle/"),
    ("lost_answer", WRITES, "."),
]
EXECUTOR_FAULTS = ["kill one", "kill all", "pause one", "terminate one", "no memory", "cancel"]


class Chaos:
    """One driver, and what was done to it."""

    def __init__(self, options, folder: Path):
        self.random = random.Random(options.seed)
        self.folder = folder
        self.store = Store(folder / "buckets")
        self.tables = data.write(self.store.folder / "chaos" / "tables", options.orders, options.seed)
        self.expected = data.answers(self.tables)
        self.cluster = Cluster(folder, self.store, options.executors, options.memory)
        self.spark = SparkSession.builder.remote(self.cluster.remote).create()
        # Nothing is run as one task.
        self.spark.conf.set("firesteel.sql.smallQueryThreshold", "0")
        for name in self.tables:
            self.spark.read.parquet(f"s3://chaos/tables/{name}").createOrReplaceTempView(name)
        self.done, self.wrong, self.writes = Counter(), [], 0

    def round(self) -> None:
        """One query or write with one fault in the middle of it."""
        kind = self.random.choice(EXECUTOR_FAULTS + [f"store {fault[0]}" for fault in STORE_FAULTS])
        name = self.random.choice([*self.expected, "write", "write"])
        after = self.random.uniform(0.0, 1.5)
        self.cluster.wait_whole()
        strike = threading.Timer(after, self.strike, (kind,))
        strike.start()
        started = time.monotonic()
        try:
            problem = self.bounded(lambda: self.write() if name == "write" else self.query(name))
            if kind == "cancel" and isinstance(problem, PySparkException):
                problem = None if "CANCEL" in (problem.getCondition() or str(problem)) else problem
        finally:
            strike.join()
            self.cluster.proxy.disarm()
        self.done[kind] += 1
        took = time.monotonic() - started
        print(f"{sum(self.done.values()):4} {name:9} {kind:18} after {after:.2f} s, took {took:5.1f} s{'' if problem is None else '  WRONG'}", flush=True)
        if problem is not None:
            self.wrong.append(f"{name} with {kind}: {problem!r}"[:2000])

    def bounded(self, work):
        """What is wrong with the work's answer, or the error it ended with; a hang ends the whole run."""
        result = []

        def run():
            try:
                result.append(work())
            except Exception as error:  # Whatever it is, it is the finding.
                result.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(QUERY_S_MAX)
        if thread.is_alive():
            raise TimeoutError(f"a query hangs:\n{self.cluster.log_tail()}")
        return result[0]

    def query(self, name: str):
        found = [tuple(row) for row in self.spark.sql(data.QUERIES[name]).collect()]
        expected = self.expected[name]
        return None if found == expected else f"{len(found)} rows, {len(expected)} expected: {found[:3]} {expected[:3]}"

    def write(self):
        """Writes a table and looks at the files themselves: every row once, nothing half written."""
        self.writes += 1
        name = f"out-{self.writes}"
        frame = self.spark.sql("SELECT id, customer, total, priority FROM orders").repartition(6, "customer")
        folder = self.store.folder / "chaos" / name
        try:
            frame.write.partitionBy("priority").parquet(f"s3://chaos/{name}")
        except PySparkException:
            wait_for(lambda: not any(path.is_file() for path in folder.rglob("*")), 20, f"nothing left of {name}, which failed")
            raise
        if self.store.name == "MinIO":
            ids = [row.id for row in self.spark.read.parquet(f"s3://chaos/{name}").select("id").collect()]
        else:
            left = [path.name for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".parquet")]
            if left != ["_SUCCESS"]:
                return f"beside its rows {name} has {left}"
            ids = [i for file in folder.rglob("*.parquet") for i in parquet.ParquetFile(file).read(["id"])["id"].to_pylist()]
        expected = list(range(len(ids)))
        total = parquet.read_table(self.tables["orders"], columns=["id"]).num_rows
        return None if sorted(ids) == expected and len(ids) == total else f"{len(ids)} rows of {total}, {len(set(ids))} of them different"

    def strike(self, kind: str) -> None:
        executors = self.cluster.executors()
        one = self.random.choice(executors) if executors else None
        if kind.startswith("store "):
            fault = next(fault for fault in STORE_FAULTS if fault[0] == kind.removeprefix("store "))
            self.cluster.proxy.arm(Fault(*fault, times=1 if fault[0] == "hang" else self.random.randint(1, 4)))
        elif kind == "cancel":
            self.spark.interruptAll()
        elif one is None:
            return
        elif kind == "kill all":
            for pid in executors:
                self.cluster.signal(pid, signal.SIGKILL)
        elif kind == "pause one":
            self.cluster.signal(one, signal.SIGSTOP)
            # Longer than the driver waits for heartbeats: it comes back as one that was given up.
            threading.Timer(self.random.choice([3, 14]), self.cluster.signal, (one, signal.SIGCONT)).start()
        elif kind == "no memory":
            try:
                resource.prlimit(one, resource.RLIMIT_AS, (1 << 20, 1 << 20))
            except ProcessLookupError:
                pass  # It has ended by itself.
        else:
            self.cluster.signal(one, signal.SIGTERM if kind == "terminate one" else signal.SIGKILL)

    def finish(self) -> int:
        """Ends the job; what is left in the bucket is a finding."""
        self.spark.stop()
        code = self.cluster.stop()
        if code != 0:
            self.wrong.append(f"the job ended with {code}:\n{self.cluster.log_tail()}")
        shuffle = self.store.folder / "chaos" / "shuffle"
        gone = lambda: not [path for path in shuffle.rglob("*") if path.is_file()]
        try:
            wait_for(gone, 30, "an empty shuffle folder")
        except TimeoutError as error:
            self.wrong.append(f"{error}: {[str(path) for path in shuffle.rglob('*') if path.is_file()][:5]}")
        self.store.stop()
        print(f"{sum(self.done.values())} faults over {self.store.name}: {dict(sorted(self.done.items()))}")
        proxy = self.cluster.proxy
        print(f"requests {dict(sorted(proxy.requests.items()))}, spoiled {dict(sorted(proxy.spoiled.items()))}")
        print(f"{len(self.wrong)} wrong" + "".join(f"\n  {line}" for line in self.wrong))
        return 1 if self.wrong else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=int, default=40)
    parser.add_argument("--orders", type=int, default=60_000)
    parser.add_argument("--executors", type=int, default=3)
    parser.add_argument("--memory", type=int, default=512, help="MiB of an executor")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="firesteel-chaos-") as folder:
        chaos = Chaos(options, Path(folder))
        try:
            for _ in range(options.faults):
                chaos.round()
        finally:
            code = chaos.finish()
    return code


if __name__ == "__main__":
    sys.exit(main())
