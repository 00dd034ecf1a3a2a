"""An S3 server, and a driver with executors that reach it."""

import atexit
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from pathlib import Path

ACCESS = {"AWS_ACCESS_KEY_ID": "firesteel", "AWS_SECRET_ACCESS_KEY": secrets.token_hex(16)}
# The program of the job: says where the driver listens, and stays until it is told to go.
PROGRAM = """
import os, sys
with open(os.environ["DRIVER_REMOTE"] + ".new", "w") as file:
    file.write(os.environ["SPARK_REMOTE"] + "\\n" + os.environ.get("SPARK_CONNECT_AUTHENTICATE_TOKEN", ""))
os.rename(os.environ["DRIVER_REMOTE"] + ".new", os.environ["DRIVER_REMOTE"])
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

    def __init__(self, folder: Path, bucket: str = "chaos"):
        self.folder, self.bucket, self.port = folder, bucket, free_port()
        (folder / bucket).mkdir(parents=True)
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
        return [str(path) for path in (self.folder / self.bucket / "shuffle").rglob("*") if path.is_file()]

    def uploads_left(self) -> list[str]:
        """Parts of uploads that were neither completed nor aborted."""
        staging = self.folder / (".minio.sys/multipart" if self.name == "MinIO" else ".firesteel")
        return [str(path) for path in staging.glob("*/*") if path.name != "commit"]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


class Driver:
    """A driver on this machine, with executors of their own and a store that listens on a port."""

    def __init__(self, folder: Path, port: int, master: str, url: str, conf: dict[str, str]):
        manifest = folder / "job.yaml"
        manifest.write_text(job(port, url, conf))
        remote, self.log = folder / "remote", folder / "driver.log"
        environment = os.environ | ACCESS | {"DRIVER_REMOTE": str(remote), "PYSPARK_PYTHON": sys.executable}
        command = [program(), "run", str(manifest), "--master", master]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=log, stderr=log)
        atexit.register(self.process.kill)
        wait_for(lambda: remote.exists() or self.process.poll() is not None, 120, "the driver's start")
        if not remote.exists():
            raise RuntimeError(f"the driver ended:\n{self.log.read_text()}")
        self.remote, token = remote.read_text().split("\n")
        os.environ["SPARK_CONNECT_AUTHENTICATE_TOKEN"] = token


def job(port: int, url: str, conf: dict[str, str]) -> str:
    body = "\n".join(" " * 8 + line for line in PROGRAM.strip().splitlines())
    return f"""apiVersion: firesteel.dev/v1alpha1
kind: SparkJob
metadata: {{name: driver}}
spec:
  main:
    python:
      text: |
{body}
  conf: {json.dumps(conf)}
  storage:
    connections:
      - {{name: store, endpoint: "http://127.0.0.1:{port}", region: us-east-1, pathStyle: true, credentialsSecret: driver}}
    shuffle: {{url: {url}}}
"""
