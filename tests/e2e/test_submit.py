"""The command line beside the cluster: submit, get, logs and kill."""

import os
import signal
import subprocess
from pathlib import Path

import kube

TARGET = os.environ.get("CARGO_TARGET_DIR", str(Path.home() / ".cache/firesteel/target"))
PROGRAM = os.environ.get("FIRESTEEL", f"{TARGET}/debug/firesteel")
SMALL = ["--set", "driver.cpu=100m", "--set", "driver.memory=768Mi", "--set", "executor.memory=512Mi"]
SCRIPT = """
import sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
print(f"sum {spark.range(10).selectExpr('sum(id) s').collect()[0].s} for {sys.argv[1:]}", flush=True)
sys.exit(int(sys.argv[2]))
"""


def firesteel(*words: str, seconds: float = 240) -> subprocess.CompletedProcess:
    command = [PROGRAM, words[0], "-n", kube.NAMESPACE, *words[1:]]
    return subprocess.run(command, capture_output=True, text=True, timeout=seconds * kube.PATIENCE, check=False)


def name_in(text: str) -> str:
    (line,) = [line for line in text.splitlines() if line.startswith("sparkjob/")]
    return line.removeprefix("sparkjob/")


def test_a_script_of_this_machine(tmp_path):
    script = tmp_path / "report.py"
    script.write_text(SCRIPT)
    done = firesteel("submit", *SMALL, "--conf", "spark.sql.ansi.enabled=false", str(script), "a", "0")
    assert done.returncode == 0, done
    assert done.stdout == "sum 45 for ['a', '0']\n"
    assert done.stderr.splitlines()[-1] == "Succeeded" and "Running" in done.stderr, done.stderr
    name = name_in(done.stderr)
    assert name.startswith("report-") and name in firesteel("get").stdout
    assert "Succeeded" in firesteel("get", name).stdout
    assert "sum 45" in firesteel("logs", name).stdout
    again = firesteel("logs", "-f", name)
    assert (again.returncode, again.stdout) == (0, done.stdout)
    assert firesteel("kill", name).returncode == 0
    missing = firesteel("logs", name)
    assert missing.returncode == 1 and "there is no job" in missing.stderr


def test_a_program_that_fails_ends_the_command_as_it_ended(tmp_path):
    script = tmp_path / "failing.py"
    script.write_text(SCRIPT)
    done = firesteel("submit", *SMALL, str(script), "b", "3")
    assert done.returncode == 3 and "Failed (AppError)" in done.stderr, done
    firesteel("kill", name_in(done.stderr))


def test_detached_and_killed(tmp_path):
    query = tmp_path / "long.sql"
    query.write_text("SELECT count(*) FROM range(100000000000) WHERE sha2(CAST(id AS STRING), 256) < '0'")
    done = firesteel("submit", "--detach", *SMALL, str(query))
    name = done.stdout.strip()
    assert done.returncode == 0 and name.startswith("long-"), done
    kube.until("it runs", lambda: "Running" in firesteel("get", name).stdout, 120)
    command = [PROGRAM, "logs", "-n", kube.NAMESPACE, "-f", name]
    following = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert following.stderr.readline() == "Running\n"
    following.send_signal(signal.SIGINT)
    assert "the job goes on" in following.communicate(timeout=20)[1] and following.returncode == 130
    assert firesteel("kill", name).returncode == 0
    assert kube.get("sparkjob", name) is None and not kube.pods_of(name)


def test_what_is_wrong_is_said_before_anything_is_made(tmp_path):
    assert firesteel("submit", "app.jar").returncode == 2
    assert "No such file" in firesteel("submit", "nothing.yaml").stderr
    wrong = firesteel("submit", "--set", "executor.minToStart=7", "s3://code/x.py")
    assert wrong.returncode == 2 and "minToStart" in wrong.stderr, wrong
    dry = firesteel("submit", "--dry-run", "--executors", "3", "s3a://code/x.py")
    assert dry.returncode == 0 and "count: 3" in dry.stdout and "s3://code/x.py" in dry.stdout, dry
    other = subprocess.run([PROGRAM, "get", "--context", "nowhere"], capture_output=True, text=True, timeout=60, check=False)
    assert other.returncode == 2 and "nowhere" in other.stderr, other
