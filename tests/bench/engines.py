"""Engines as process trees: a server where there is one, a client, and what both take of memory."""

import json
import os
import re
import select
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

sys.path.append(str(Path(__file__).resolve().parents[1] / "chaos"))

from processes import Driver, Store

TIMEOUT_S = 600
# Of each executor.
MEMORY_MIB = 3072


@dataclass
class Engine:
    """A running engine. Use as a context manager; on exit its processes are gone.

    With executors, tasks run in so many processes, which share the cores; ours exchange rows through an S3 server.
    """

    name: str
    cores: int
    log: Path
    executors: int = 0
    processes: list = field(default_factory=list)
    peak_bytes: int = 0
    watching: bool = True

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        remote = self.serve()
        environment = dict(os.environ)
        if remote:
            environment["BENCH_REMOTE"] = remote
        if self.executors:
            environment["BENCH_SPARK_MASTER"] = self.master()
        worker = [sys.executable, str(Path(__file__).parent / "worker.py"), self.name, str(self.cores)]
        self.client = subprocess.Popen(worker, env=environment, text=True, stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, stderr=self.log.open("a"), start_new_session=True)
        self.processes.append(self.client)
        self.watcher = threading.Thread(target=self.watch, daemon=True)
        self.watcher.start()
        self.read()
        return self

    def __exit__(self, *_):
        self.watching = False
        for process in self.tree():
            try:
                process.kill()
            except psutil.NoSuchProcess:
                pass
        for process in self.processes:
            process.wait(timeout=30)
        self.folder.cleanup()

    def master(self) -> str:
        return f"local-cluster[{self.executors},{self.cores // self.executors},{MEMORY_MIB}]"

    def distributed(self) -> str:
        """Our driver and the store of its executors."""
        folder = Path(self.folder.name)
        store = Store(folder / "s3", "bench")
        driver = Driver(folder, store.port, self.master(), "s3://bench/shuffle", {})
        self.processes += [store.process, driver.process]
        return driver.remote

    def serve(self) -> str | None:
        """Starts the engine's Connect server, if it has one, and says where it is."""
        if self.name == "firesteel" and self.executors:
            return self.distributed()
        if self.name == "firesteel":
            program = os.environ.get("FIRESTEEL", "firesteel")
            command = [program, "connect", "--port", "0", "--conf", f"spark.master=local[{self.cores}]"]
            pattern = r"(sc://[^\s']+)"
        elif self.name == "sail":
            command = [str(Path(sys.executable).parent / "sail"), "spark", "server", "--ip", "127.0.0.1", "--port", "0"]
            pattern = r"(?:127\.0\.0\.1|0\.0\.0\.0):(\d+)"
        else:
            return None
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
                                  env={**os.environ, "RUST_LOG": "info"}, cwd=self.log.parent)
        self.processes.append(server)
        found = first_match(server.stdout, pattern)
        threading.Thread(target=lambda: [None for _ in server.stdout], daemon=True).start()
        return found if found.startswith("sc://") else f"sc://127.0.0.1:{found}"

    def ask(self, request: dict) -> dict:
        self.client.stdin.write(json.dumps(request) + "\n")
        self.client.stdin.flush()
        return self.read()

    def read(self) -> dict:
        ready, _, _ = select.select([self.client.stdout], [], [], TIMEOUT_S)
        line = self.client.stdout.readline() if ready else ""
        if not line:
            raise RuntimeError(f"{self.name} did not answer: see {self.log}")
        return json.loads(line)

    def tree(self) -> list:
        found = []
        for process in self.processes:
            try:
                root = psutil.Process(process.pid)
                found += [root, *root.children(recursive=True)]
            except psutil.NoSuchProcess:
                pass
        return found

    def watch(self) -> None:
        while self.watching:
            total = 0
            for process in self.tree():
                try:
                    total += process.memory_info().rss
                except psutil.NoSuchProcess:
                    pass
            self.peak_bytes = max(self.peak_bytes, total)
            time.sleep(0.05)


def first_match(lines, pattern: str) -> str:
    """What the first line that matches says, within the time-out."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        line = lines.readline()
        if not line:
            break
        match = re.search(pattern, line.decode(errors="replace"))
        if match:
            return match.group(1)
    raise RuntimeError("the server did not say where it listens")
