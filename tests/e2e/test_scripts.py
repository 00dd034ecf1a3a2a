"""The classic scripts of tests/spark/scripts, unmodified, as jobs of the cluster: `make e2e-scripts`.

One job runs many, as programs of their own one after the other, so that a driver and its executors serve them all.
Scripts that put their input onto the driver's disk have nothing to give to executors elsewhere; they run in a job whose
driver computes.
"""

import json
import re

import pytest

import kube
import test_executors

pytestmark = pytest.mark.scripts

SCRIPTS = {path.stem: path.read_text() for path in sorted((kube.ROOT / "tests/spark/scripts").glob("*.py"))}
LOCAL = {name for name, text in SCRIPTS.items() if re.search(r"mkdtemp|TemporaryDirectory", text)}
# Jobs among which those for executors are divided; they may run side by side.
PARTS = 4
# They hand their files to Spark, which brings them to executors.
SENT = {"added_files", "py_files"}

RUNNER = """
import json, os, pathlib, subprocess, sys, tempfile, time

SCRIPTS = json.loads({scripts!r})
ends = []
for name, text in SCRIPTS.items():
    folder = pathlib.Path(tempfile.mkdtemp())
    (folder / f"{{name}}.py").write_text(text)
    begun = time.monotonic()
    try:
        command = [sys.executable, f"{{name}}.py"]
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
        code, said = done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        code, said = "time", str(late.stdout)
    end = {{"script": name, "code": code, "seconds": round(time.monotonic() - begun, 1), "said": said[-1500:] if code else ""}}
    ends.append(end)
    print(name, code, flush=True)
# Into the store: of a long log the node keeps the end alone, and a lost one cannot be asked for again.
from pyspark.sql import SparkSession
told = SparkSession.builder.getOrCreate().createDataFrame([(json.dumps(ends),)], "told string")
told.coalesce(1).write.mode("overwrite").text({place!r})
"""


def check(name: str, scripts: dict[str, str], count: int):
    text = RUNNER.format(scripts=json.dumps(scripts), place=f"s3://sales-data/scripts/{name}")
    item = test_executors.job(name, text, count=count, executor={"memory": "1Gi"})
    item["spec"]["driver"]["memory"] = "2Gi"
    kube.delete("sparkjob", name)
    done = kube.run(item, seconds=1800)
    assert done["phase"] == "Succeeded", done
    ends = json.loads(kube.in_store("sh", "-c", 'cat "$1"/part-*', "sh", f"/data/sales-data/scripts/{name}"))
    for end in ends:
        print(f"{end['script']}: {end['code']} in {end['seconds']} s")
    print(f"{sum(end['code'] == 0 for end in ends)} of {len(scripts)} scripts ended well")
    assert [end["script"] for end in ends] == list(scripts)
    failed = {end["script"]: end["said"] for end in ends if end["code"] != 0}
    assert not failed, "\n".join(f"=== {script}\n{said}" for script, said in failed.items())


@pytest.mark.parametrize("part", range(PARTS))
def test_scripts_on_executors(name, part):
    scripts = [script for script in SCRIPTS if script not in LOCAL - SENT]
    check(f"{name}-{part}", {script: SCRIPTS[script] for script in scripts[part::PARTS]}, count=2)


def test_scripts_with_files_of_their_own(name):
    check(name, {script: SCRIPTS[script] for script in sorted(LOCAL - SENT)}, count=0)
