"""Queries, writes, RDD and Python jobs on real executor processes while processes and the store fail.

    python tests/chaos/chaos.py --seed 1 --faults 40

Every answer must equal that of single-node DataFusion (of pandas for Python's jobs), every table written must have each
row once, nothing may hang, and nothing of the shuffle or of a failed write may be left in the bucket. Several jobs run
all the time; a fault counts when it struck while one of them ran. FIRESTEEL names the program; MINIO a MinIO to use as
the store.
"""

import argparse
import itertools
import os
import random
import resource
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

import data
from cluster import Cluster
from faults import REQUESTS, Kind, draw
from jobs import Jobs
from processes import Store, wait_for
from proxy import Fault

# How long a fault of the store may wait for a request that it befalls.
ARMED_S_MAX = 8


class Worker(threading.Thread):
    """Runs one job after the other in a session of its own."""

    def __init__(self, chaos: "Chaos", number: int):
        super().__init__(daemon=True)
        self.chaos, self.random = chaos, random.Random(f"{chaos.options.seed}-{number}")
        self.spark = SparkSession.builder.remote(chaos.cluster.remote).create()
        # Nothing is run as one task.
        self.spark.conf.set("firesteel.sql.smallQueryThreshold", "0")
        for name in chaos.tables:
            self.spark.read.parquet(f"s3://chaos/tables/{name}").createOrReplaceTempView(name)
        self.job, self.started = None, time.monotonic()
        # When somebody last began to cancel what runs here, and was done with it.
        self.cancel_began, self.cancel_ended = 0.0, 0.0

    def run(self) -> None:
        while not self.chaos.over.is_set():
            name = self.random.choice(self.chaos.jobs.names)
            self.started, self.job = time.monotonic(), name
            try:
                problem = self.chaos.jobs.all[name](self.spark)
            except Exception as error:  # Whatever it is, it is the finding.
                problem = None if self.was_cancelled() and is_cancelled(error) else error
            took, self.job = time.monotonic() - self.started, None
            self.chaos.finished(name, took, problem)

    def cancel(self) -> None:
        self.cancel_began = time.monotonic()
        self.spark.interruptAll()
        self.cancel_ended = time.monotonic()

    def was_cancelled(self) -> bool:
        """Whether a cancellation and the job that ran last overlap."""
        return self.cancel_began > self.cancel_ended or self.cancel_ended > self.started

    def seconds(self) -> float:
        """How long its job has run."""
        return time.monotonic() - self.started if self.job else 0


def is_cancelled(error: Exception) -> bool:
    return isinstance(error, PySparkException) and "CANCEL" in (error.getCondition() or str(error))


class Chaos:
    """One driver with its executors, and what was done to them."""

    def __init__(self, options, folder: Path):
        self.options, self.random = options, random.Random(options.seed)
        self.store = Store(folder / "buckets")
        self.tables = data.write(folder / "tables", options.orders, options.seed)
        self.jobs = Jobs(self.store, self.tables)
        self.cluster = Cluster(folder, self.store, options.executors, options.memory)
        self.upload()
        self.struck, self.idle, self.ran, self.wrong = Counter(), Counter(), Counter(), []
        self.over, self.began, self.longest = threading.Event(), time.monotonic(), (0.0, "")
        self.workers = [Worker(self, number) for number in range(options.jobs)]

    def upload(self) -> None:
        """The tables as objects of the bucket, several files each."""
        spark = SparkSession.builder.remote(self.cluster.remote).create()
        for name, folder in self.tables.items():
            spark.read.parquet(f"file://{folder}").repartition(data.FILES).write.parquet(f"s3://chaos/tables/{name}")
        spark.stop()

    def storm(self) -> None:
        """Faults until enough of them have struck."""
        for worker in self.workers:
            worker.start()
        for number in itertools.count(1):
            if self.struck.total() >= self.options.faults:
                return
            if self.struck.total() + self.idle.total() >= 3 * self.options.faults + 20:
                raise TimeoutError("the faults find nothing to strike")
            kind = draw(self.random, self.options.only)
            struck = self.befall(kind) if kind.request else self.strike(kind)
            (self.struck if struck else self.idle)[str(kind)] += 1
            self.say(f"fault {number}: {kind}{'' if struck else ' struck nothing'}")
            time.sleep(self.random.uniform(0.0, self.options.pause))

    def befall(self, kind: Kind) -> bool:
        """A fault of the store; whether requests met it while jobs ran."""
        fault = Fault(kind.name, *REQUESTS[kind.request], times=1 if kind.name == "time-out" else self.random.randint(1, 3))
        self.cluster.proxy.arm(fault)
        self.until(lambda: fault.taken, ARMED_S_MAX)
        was_met = fault.taken > 0 and self.running() > 0
        if fault.taken < fault.times:
            # The rest of its requests may come as well.
            time.sleep(0.2)
        self.cluster.proxy.disarm(fault)
        return was_met

    def strike(self, kind: Kind) -> bool:
        """A fault of processes, while at least one job runs; whether it found what it was for."""
        self.watched(lambda: wait_for(lambda: len(self.cluster.executors()) >= self.cluster.size, self.options.patience, "executors in place of lost ones"))
        self.until(self.running, 5)
        time.sleep(self.random.uniform(0.0, 0.6))
        executors = self.cluster.executors()
        one = self.random.choice(executors) if executors else None
        match kind.name:
            case "kill while it reads":
                return self.kill_at(("GET",), r"^/chaos/(tables|shuffle)/[^?]+$")
            case "kill after a commit":
                return self.kill_at(("PUT",), r"^/chaos/shuffle/[^?]+$")
            case "cancel":
                return self.cancel()
            case "kill a Python worker":
                return self.until(self.kill_worker, 3)
            case _ if one is None:
                return False
            case "kill all":
                for pid in executors:
                    self.cluster.signal(pid, signal.SIGKILL)
            case "partition":
                self.cluster.signal(one, signal.SIGSTOP)
                # Sometimes longer than the driver waits for heartbeats: it comes back as one that was given up.
                threading.Timer(self.random.choice([2, 2, 13]), self.cluster.signal, (one, signal.SIGCONT)).start()
            case "out of memory":
                try:
                    resource.prlimit(one, resource.RLIMIT_AS, (1 << 20, 1 << 20))
                except ProcessLookupError:
                    return False  # It has ended by itself.
            case name:
                self.cluster.signal(one, signal.SIGTERM if name == "terminate" else signal.SIGKILL)
        return self.running() > 0

    def kill_at(self, methods: tuple[str, ...], path: str) -> bool:
        """Kills an executor at the moment when it has the answer to such a request."""
        killed = []

        def kill(port: int) -> None:
            pid = self.cluster.executor_of(port)
            if pid and not killed:
                killed.append(pid)
                self.cluster.signal(pid, signal.SIGKILL)

        fault = Fault("watch", methods, path, times=20, seen=kill)
        self.cluster.proxy.arm(fault)
        self.until(lambda: killed, ARMED_S_MAX)
        self.cluster.proxy.disarm(fault)
        return bool(killed) and self.running() > 0

    def kill_worker(self) -> bool:
        workers = self.cluster.python_workers()
        busy = [worker for worker in self.workers if worker.job in ("word count", "rdd of rows", "udf", "pandas groups")]
        if not workers or not busy:
            return False
        self.cluster.signal(self.random.choice(workers), signal.SIGKILL)
        return True

    def cancel(self) -> bool:
        worker = self.random.choice(self.workers)
        worker.cancel()
        return worker.job is not None

    def running(self) -> int:
        return sum(worker.job is not None for worker in self.workers)

    def until(self, condition, seconds: float) -> bool:
        """Whether it came about in time; a job that hangs meanwhile ends the whole run."""
        end = time.monotonic() + seconds
        while not condition():
            self.watch()
            if time.monotonic() > end:
                return False
            time.sleep(0.01)
        return True

    def watched(self, wait) -> None:
        self.watch()
        wait()

    def watch(self) -> None:
        for worker in self.workers:
            if worker.seconds() > self.options.patience:
                raise TimeoutError(f"{worker.job} hangs:\n{self.cluster.log_tail()}")
        if self.cluster.process.poll() is not None:
            raise RuntimeError(f"the driver ended:\n{self.cluster.log_tail()}")

    def finished(self, name: str, took: float, problem) -> None:
        self.ran[name] += 1
        self.longest = max(self.longest, (took, name))
        self.say(f"{name} took {took:.1f} s{'' if problem is None else f'  WRONG: {problem!r}'[:300]}")
        if problem is not None:
            self.wrong.append(f"{name}: {problem!r}"[:2000])

    def say(self, text: str) -> None:
        print(f"{time.monotonic() - self.began:7.1f} {text}", flush=True)

    def calm(self) -> None:
        """Lets the jobs that run come to their ends."""
        self.over.set()
        for worker in self.workers:
            worker.join(self.options.patience)
            if worker.is_alive():
                self.wrong.append(f"{worker.job} hangs:\n{self.cluster.log_tail()}")

    def finish(self) -> int:
        """Ends the application; what is left in the bucket is a finding."""
        try:
            code = self.cluster.stop()
            if code != 0:
                self.wrong.append(f"the application ended with {code}:\n{self.cluster.log_tail()}")
        except Exception as error:
            self.wrong.append(f"the application does not end: {error!r}:\n{self.cluster.log_tail()}")
            self.cluster.process.kill()
        for what in (self.store.shuffle_left, self.store.uploads_left):
            try:
                wait_for(lambda: not what(), 30, what.__name__)
            except TimeoutError as error:
                self.wrong.append(f"{error}: {len(what())} files, {what()[:5]}")
        self.store.stop()
        self.report()
        return 1 if self.wrong else 0

    def report(self) -> None:
        total, seconds = self.struck.total(), time.monotonic() - self.began
        share = 100 * total // max(total + self.idle.total(), 1)
        print(f"{total} faults struck running jobs over {self.store.name} in {seconds:.0f} s, {share} % of those that were tried:")
        for kind, times in sorted(self.struck.items()):
            print(f"  {times:4} {kind}")
        print(f"{self.ran.total()} jobs: {dict(sorted(self.ran.items()))}; the longest, {self.longest[1]}, took {self.longest[0]:.1f} s")
        print(f"requests {dict(sorted(self.cluster.proxy.requests.items()))}")
        print(f"{len(self.wrong)} wrong" + "".join(f"\n  {line}" for line in self.wrong), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=int, default=40)
    parser.add_argument("--only", default="", help="faults whose name holds this text")
    parser.add_argument("--jobs", type=int, default=3, help="jobs at once")
    parser.add_argument("--pause", type=float, default=1.0, help="seconds between two faults, at most")
    parser.add_argument("--patience", type=float, default=180, help="seconds after which a job hangs; more on a busy machine")
    parser.add_argument("--orders", type=int, default=20_000)
    parser.add_argument("--executors", type=int, default=3)
    parser.add_argument("--memory", type=int, default=512, help="MiB of an executor")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="firesteel-chaos-") as folder:
        chaos = Chaos(options, Path(folder))
        try:
            chaos.storm()
        except Exception as error:
            chaos.wrong.append(f"the storm broke off: {error}")
        try:
            chaos.calm()
        finally:
            code = chaos.finish()
    # A thread that hangs with its job must not hold this up.
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
