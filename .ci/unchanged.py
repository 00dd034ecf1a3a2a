#!/usr/bin/env python3
"""Spares a fresh clone the compiling of what did not change since the last build on this machine.

Cargo compiles what is newer than its last build, and every file of a clone is. `save` notes content and time of each source;
`restore` gives a source of the same content its noted time. The note counts while nobody else has compiled into the target
directory since: then cargo decides as it would have in the clone that was built last.

usage: .ci/unchanged.py save|restore   (in the root of a clone, with CARGO_TARGET_DIR)
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

TARGET = Path(os.environ["CARGO_TARGET_DIR"])
NOTE = TARGET / "unchanged.json"


def sources() -> dict[str, str]:
    """Each file of the clone that a build may read, with the hash of its content."""
    listed = subprocess.run(["git", "ls-files", "-z", "Cargo.*", "clippy.toml", "crates"], check=True, capture_output=True, text=True).stdout
    files = [Path(name) for name in listed.split("\0") if name and Path(name).is_file()]
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def last_build() -> int:
    """When a crate of ours was compiled last, by the marks that cargo leaves."""
    marks = (TARGET / "debug" / ".fingerprint").glob("firesteel*/*")
    return max((mark.stat().st_mtime_ns for mark in marks), default=0)


def save():
    files = {name: [content, os.stat(name).st_mtime_ns] for name, content in sources().items()}
    TARGET.mkdir(parents=True, exist_ok=True)
    NOTE.write_text(json.dumps({"built": last_build(), "files": files}))


def restore():
    note = json.loads(NOTE.read_text()) if NOTE.is_file() else {"built": None, "files": {}}
    if note["built"] != last_build():
        return
    for name, content in sources().items():
        noted, time = note["files"].get(name, (None, None))
        if noted == content:
            os.utime(name, ns=(time, time))


if __name__ == "__main__":
    {"save": save, "restore": restore}[sys.argv[1]]()
