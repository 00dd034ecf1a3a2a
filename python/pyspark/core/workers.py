"""What differs in a process that runs tasks."""

import os
import sys


def is_worker() -> bool:
    """Whether this is PySpark's daemon or one of its workers."""
    arguments = getattr(sys, "orig_argv", sys.argv)
    return "PYTHON_WORKER_FACTORY_SOCK_DIR" in os.environ or "pyspark.daemon" in arguments or "pyspark.worker" in arguments


def prepare() -> None:
    """Lets the worker tell SparkFiles where a task's files lie, though the client is one for Connect only."""
    if is_worker():
        import pyspark.worker_util

        pyspark.worker_util.is_remote_only = lambda: False


def import_client() -> None:
    """Imports the Connect client, which takes a program given by `python -c` for a run of its own doctests, and wants
    things that are not installed; an interactive prompt it lets pass."""
    is_prompt = hasattr(sys, "ps1")
    if not is_prompt:
        sys.ps1 = ""
    try:
        import pyspark.sql.connect  # noqa: F401
    finally:
        if not is_prompt:
            del sys.ps1
