"""The processes under test: a driver and its executors, which reach their store through the proxy."""

import os
import re
import signal
from pathlib import Path

from processes import Driver, Store, wait_for
from proxy import Proxy


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


class Cluster(Driver):
    """A driver and its executors, which reach the store through the proxy."""

    CONF = {
        "spark.sql.shuffle.partitions": "6",
        "spark.sql.autoBroadcastJoinThreshold": "-1",
        "spark.executor.heartbeatInterval": "1s",
        "spark.network.timeout": "10s",
        "spark.hadoop.fs.s3a.connection.timeout": "4s",
        "spark.hadoop.fs.s3a.connection.request.timeout": "8s",
        "spark.speculation": "true",
        "spark.speculation.minTaskRuntime": "2s",
    }

    def __init__(self, folder: Path, store: Store, executors: int, memory_mib: int):
        self.proxy = Proxy(store.port).start()
        self.size = executors
        master = f"local-cluster[{executors},2,{memory_mib}]"
        super().__init__(folder, self.proxy.port, master, "s3://chaos/shuffle", self.CONF)

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
