"""Classic PySpark scripts, unmodified, each as a program of its own, as `firesteel run` starts them."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from server import TOKEN

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.py"))
AT_ONCE = 2
TIMEOUT_S = 300


@pytest.fixture(scope="module")
def runs(request, server, tmp_path_factory):
    """The scripts that were asked for, as futures: a few run at once."""
    environment = os.environ | {
        "SPARK_REMOTE": server.url,
        "SPARK_CONNECT_AUTHENTICATE_TOKEN": TOKEN,
        "PYTHONWARNINGS": "ignore",
    }

    def run(script: Path) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, script],
            env=environment,
            cwd=tmp_path_factory.mktemp(script.stem),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIMEOUT_S,
            text=True,
        )

    wanted = [item.callspec.params["script"] for item in request.session.items if "script" in item.fixturenames]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {script: pool.submit(run, script) for script in wanted}


def test_there_are_enough_scripts():
    assert len(SCRIPTS) >= 60


@pytest.mark.timeout(0)
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_script(runs, script):
    done = runs[script].result()
    assert done.returncode == 0, "\n".join(done.stdout.splitlines()[-30:])
