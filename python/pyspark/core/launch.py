"""Starting a server of its own for a program that was started without one."""

import atexit
import os
import re
import secrets
import shutil
import subprocess
import sys
from typing import Optional

from pyspark.errors import PySparkRuntimeError

_started: Optional[subprocess.Popen] = None

STOP_SECONDS = 10


def remote_url(settings: dict[str, str]) -> str:
    """The server to talk to: the one the environment names, or one started now that ends with this program."""
    url = settings.get("spark.remote") or os.environ.get("SPARK_REMOTE")
    return url if url else _start(settings)


def _start(settings: dict[str, str]) -> str:
    global _started
    program = os.environ.get("FIRESTEEL") or shutil.which("firesteel")
    if program is None:
        raise PySparkRuntimeError(
            "no server to run on: set SPARK_REMOTE to a Spark Connect server, run the program with `firesteel run`, "
            "or put the program firesteel on the PATH, and one is started here"
        )
    token = os.environ.setdefault("SPARK_CONNECT_AUTHENTICATE_TOKEN", secrets.token_hex(16))
    master = settings.get("spark.master", "local[*]")
    given = {"spark.master": master if master.startswith("local") else "local[*]"}
    given |= {key: value for key, value in settings.items() if key not in ("spark.master", "spark.remote")}
    options = [option for key, value in given.items() for option in ("--conf", f"{key}={value}")]
    _started = subprocess.Popen(
        [program, "connect", "--port", "0", *options],
        # Functions run in the program's own Python, as in PySpark, unless the environment names another.
        env={"PYSPARK_PYTHON": sys.executable} | os.environ | {"FIRESTEEL_TOKEN": token},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert _started.stdout is not None
    line = _started.stdout.readline()
    found = re.match(r"SPARK_REMOTE=(sc://\S+)", line)
    if not found:
        _started.kill()
        raise PySparkRuntimeError(f"the server {program} did not start: it said {line!r}")
    atexit.register(_stop)
    os.environ["SPARK_REMOTE"] = found.group(1)
    return found.group(1)


def _stop() -> None:
    if _started is not None and _started.poll() is None:
        _started.terminate()
        try:
            _started.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            _started.kill()
