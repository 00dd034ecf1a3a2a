"""Real processes under test: an S3 server, the proxy before it, a driver and its executors."""

import atexit
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from proxy import Proxy

ACCESS = {"AWS_ACCESS_KEY_ID": "chaos", "AWS_SECRET_ACCESS_KEY": secrets.token_hex(16)}
# The program of the job: says where the driver listens, and stays until it is told to go.
PROGRAM = """
import os, sys
with open(os.environ["CHAOS_REMOTE"] + ".new", "w") as file:
    file.write(os.environ["SPARK_REMOTE"] + "\\n" + os.environ.get("SPARK_CONNECT_AUTHENTICATE_TOKEN", ""))
os.rename(os.environ["CHAOS_REMOTE"] + ".new", os.environ["CHAOS_REMOTE"])
sys.stdin.read()
"""


def program() -> str:
    target = os.environ.get("CARGO_TARGET_DIR", str(Path.home() / ".cache/firesteel/target"))
    return os.environ.get("FIRESTEEL", f"{target}/debug/firesteel")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(condition, seconds: float, what: str):
    until = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > until:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.05)
    return found


class Store:
    """An S3 server over a folder: ours, or MinIO where MINIO names the program."""

    def __init__(self, folder: Path):
        self.folder, self.port = folder, free_port()
        (folder / "chaos").mkdir(parents=True)
        address = f"127.0.0.1:{self.port}"
        minio = os.environ.get("MINIO")
        self.name = "MinIO" if minio else "the embedded S3"
        if minio:
            command = [minio, "server", "--quiet", "--address", address, str(folder)]
        else:
            command = [program(), "s3", "--data", str(folder), "--port", str(self.port)]
        keys = {"MINIO_ROOT_USER": ACCESS["AWS_ACCESS_KEY_ID"], "MINIO_ROOT_PASSWORD": ACCESS["AWS_SECRET_ACCESS_KEY"]}
        with (folder.parent / "s3.log").open("wb") as log:
            self.process = subprocess.Popen(command, env=os.environ | ACCESS | keys, stdout=log, stderr=log)
        atexit.register(self.process.kill)
        wait_for(self.answers, 60, "the S3 server's start")

    def answers(self) -> bool:
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", self.port)) == 0

    def shuffle_left(self) -> list[str]:
        """Objects of the shuffle."""
        return [str(path) for path in (self.folder / "chaos" / "shuffle").rglob("*") if path.is_file()]

    def uploads_left(self) -> list[str]:
        """Parts of uploads that were neither completed nor aborted."""
        staging = self.folder / (".minio.sys/multipart" if self.name == "MinIO" else ".firesteel")
        return [str(path) for path in staging.glob("*/*") if path.name != "commit"]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


def text_of(path: str) -> str:
    """Of a file that may go with its process."""
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def command(pid: int) -> list[bytes]:
    return text_of(f"/proc/{pid}/cmdline").encode().split(b"\0")


def children(pid: int) -> set[int]:
    tasks = Path(f"/proc/{pid}/task")
    return {int(child) for task in tasks.glob("*") for child in text_of(f"{task}/children").split()}


def descendants(pid: int) -> set[int]:
    below = children(pid)
    return below.union(*(descendants(child) for child in below))


def socket_inode(port: int) -> str | None:
    """Of the socket on this machine that has the port as its own and is connected."""
    local = f":{port:04X}"
    for line in text_of("/proc/net/tcp").splitlines()[1:]:
        fields = line.split()
        if fields[1].endswith(local):
            return fields[9]
    return None


def holds(pid: int, link: str) -> bool:
    try:
        return any(os.readlink(file) == link for file in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False  # It has ended, or a file of it has.


class Cluster:
    """A driver and its executors, which reach the store through the proxy."""

    def __init__(self, folder: Path, store: Store, executors: int, memory_mib: int):
        self.proxy = Proxy(store.port).start()
        self.size = executors
        manifest = folder / "job.yaml"
        manifest.write_text(self.manifest(memory_mib))
        remote, self.log = folder / "remote", folder / "driver.log"
        environment = os.environ | ACCESS | {"CHAOS_REMOTE": str(remote), "PYSPARK_PYTHON": sys.executable}
        command = [program(), "run", str(manifest), "--master", f"local-cluster[{executors},2,{memory_mib}]"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=log, stderr=log)
        atexit.register(self.process.kill)
        wait_for(lambda: remote.exists() or self.process.poll() is not None, 120, "the driver's start")
        if not remote.exists():
            raise RuntimeError(f"the driver ended:\n{self.log.read_text()}")
        self.remote, token = remote.read_text().split("\n")
        os.environ["SPARK_CONNECT_AUTHENTICATE_TOKEN"] = token

    def manifest(self, memory_mib: int) -> str:
        body = "\n".join(" " * 8 + line for line in PROGRAM.strip().splitlines())
        return f"""apiVersion: firesteel.dev/v1alpha1
kind: SparkJob
metadata: {{name: chaos}}
spec:
  main:
    python:
      text: |
{body}
  driver: {{cpu: 1, memory: 1Gi}}
  executor: {{cpu: 2, memory: {memory_mib}Mi, count: {self.size}}}
  conf:
    spark.sql.shuffle.partitions: "6"
    spark.sql.autoBroadcastJoinThreshold: "-1"
    spark.executor.heartbeatInterval: 1s
    spark.network.timeout: 10s
    spark.hadoop.fs.s3a.connection.timeout: 4s
    spark.hadoop.fs.s3a.connection.request.timeout: 8s
    spark.speculation: "true"
    spark.speculation.minTaskRuntime: 2s
  storage:
    connections:
      - {{name: store, endpoint: "http://127.0.0.1:{self.proxy.port}", region: us-east-1, pathStyle: true, credentialsSecret: chaos}}
    shuffle: {{url: s3://chaos/shuffle}}
"""

    def executors(self) -> list[int]:
        """The driver's executors by process id."""
        return sorted(pid for pid in children(self.process.pid) if b"executor" in command(pid))

    def python_workers(self) -> list[int]:
        """What executors have started: processes that run Python functions."""
        return sorted(worker for executor in self.executors() for worker in descendants(executor))

    def executor_of(self, port: int) -> int | None:
        """Which executor has a connection from this port."""
        inode = socket_inode(port)
        return next((pid for pid in self.executors() if inode and holds(pid, f"socket:[{inode}]")), None)

    def wait_whole(self) -> None:
        wait_for(lambda: len(self.executors()) >= self.size, 60, "executors in place of lost ones")

    def signal(self, pid: int, number: int) -> None:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass  # It has ended by itself.

    def stop(self) -> int:
        """Ends the job as its program would; gives the exit code."""
        for pid in self.executors():
            self.signal(pid, signal.SIGCONT)
        self.process.stdin.close()
        return self.process.wait(90)

    def log_tail(self) -> str:
        return "\n".join(re.sub(r"\x1b\[[0-9;]*m", "", self.log.read_text(errors="replace")).splitlines()[-30:])
