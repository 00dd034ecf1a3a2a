"""The real server as a child process."""

import os
import re
import secrets
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOKEN = secrets.token_hex(16)
# Settings for the whole suite, such as FIRESTEEL_TEST_CONF="spark.firesteel.shuffle.url=s3://shuffle/tests".
SUITE_CONF = dict(pair.split("=", 1) for pair in os.environ.get("FIRESTEEL_TEST_CONF", "").split())
# Executors as processes of their own, and plans that are not made smaller for small data.
PROCESSES = {
    "spark.master": "local-cluster[2,2,1024]",
    "spark.sql.adaptive.coalescePartitions.enabled": "false",
    "spark.sql.autoBroadcastJoinThreshold": "-1",
    "firesteel.sql.smallQueryThreshold": "0",
}


def binary() -> Path:
    target = os.environ.get("CARGO_TARGET_DIR", str(Path.home() / ".cache/firesteel/target"))
    return Path(os.environ.get("FIRESTEEL", f"{target}/debug/firesteel"))


def prepare_clients(time_zone: str):
    """Lets this process's clients carry the token, live in the time zone, and know no other server."""
    os.environ["SPARK_CONNECT_AUTHENTICATE_TOKEN"] = TOKEN
    os.environ["TZ"] = time_zone
    for inherited in ("SPARK_REMOTE", "SPARK_CONNECT_MODE_ENABLED"):
        os.environ.pop(inherited, None)


class Server:
    """`firesteel connect` on a free port, over folders of its own.

    A client retries for minutes when its server has died, whatever the test's time-out says; so a thread watches the
    server, and ends the whole run when the server ends too early.
    """

    def __init__(self, folder: Path, conf: dict[str, str] | None = None):
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "server.log"
        settings = {
            "spark.master": "local[4]",
            "spark.sql.shuffle.partitions": "4",
            "spark.sql.warehouse.dir": f"{folder}/warehouse",
        } | SUITE_CONF | (conf or {})
        for key, value in settings.items():
            # Buckets are folders of the data folder; the shuffle's must be there before the first job.
            if key == "spark.firesteel.shuffle.url" and value.startswith("s3://"):
                (self.data / value.removeprefix("s3://").split("/")[0]).mkdir(parents=True, exist_ok=True)
        options = [option for key, value in settings.items() for option in ("--conf", f"{key}={value}")]
        folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [binary(), "connect", "--port", "0", "--data", self.data, *options],
                env=os.environ | {"FIRESTEEL_TOKEN": TOKEN, "PYSPARK_PYTHON": sys.executable},
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=folder,
                text=True,
            )
        line = self.process.stdout.readline()
        found = re.match(r"SPARK_REMOTE=(sc://localhost:\d+)$", line.strip())
        if not found:
            self.process.kill()
            raise RuntimeError(f"the server said {line!r}:\n{self.log_tail()}")
        self.url = found.group(1)
        self.is_ending = False
        threading.Thread(target=self._watch, daemon=True).start()

    def log_tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-40:])

    def stop(self):
        self.is_ending = True
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def _watch(self):
        code = self.process.wait()
        if not self.is_ending:
            print(f"\nthe server ended with {code} while tests ran:\n{self.log_tail()}", file=sys.__stderr__, flush=True)
            os._exit(70)


class WatchedServer(Server):
    """A server whose end is noticed by whoever asks it, and ends nothing else."""

    def _watch(self):
        self.process.wait()
