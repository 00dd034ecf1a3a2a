"""A server to measure, and the memory it takes."""

import os
import subprocess
import tempfile
import threading
import time

import psutil
from engines import first_match
from pyspark.sql import SparkSession

PROGRAM = os.environ.get("FIRESTEEL", "firesteel")


class Server:
    """A running `firesteel connect`, ended on exit."""

    def __init__(self, *settings: str):
        self.settings = settings

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        command = [PROGRAM, "connect", "--port", "0", *(part for one in self.settings for part in ("--conf", one))]
        self.process = subprocess.Popen(command, cwd=self.folder.name, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.url = first_match(self.process.stdout, r"(sc://[^\s']+)")
        threading.Thread(target=lambda: [None for _ in self.process.stdout], daemon=True).start()
        self.session = SparkSession.builder.remote(self.url).create()
        return self

    def __exit__(self, *_):
        self.session.stop()
        self.process.terminate()
        self.process.wait(timeout=30)
        self.folder.cleanup()

    def rss_mib(self) -> float:
        """Of the server's process, or of the largest executor where tasks run in others."""
        own = psutil.Process(self.process.pid)
        return max(rss_mib(process) for process in executors(own) or [own])


def executors(server: psutil.Process) -> list[psutil.Process]:
    return [child for child in server.children() if "executor" in command(child)]


def command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def rss_mib(process: psutil.Process) -> float:
    try:
        return process.memory_info().rss / 2**20
    except psutil.NoSuchProcess:
        return 0.0


class Peak:
    """The most memory the server takes meanwhile."""

    def __init__(self, server: Server):
        self.server, self.mib, self.running = server, 0.0, True

    def __enter__(self):
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def __exit__(self, *_):
        self.running = False
        self.thread.join()

    def watch(self) -> None:
        while self.running:
            self.mib = max(self.mib, self.server.rss_mib())
            time.sleep(0.02)
