"""Who may use the cluster now: many tests at once, or one that has it alone."""

import contextlib
import fcntl
import tempfile
from pathlib import Path

import api


@contextlib.contextmanager
def turn(alone: bool = False):
    """Waits until it is one's turn; processes that run tests side by side share the file."""
    with open(Path(tempfile.gettempdir()) / f"{api.NAMESPACE}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
