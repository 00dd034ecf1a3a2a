"""`firesteel run`: the whole way of a job's manifest on one machine, good ends and bad ones, by exit code and what is left."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from server import ROOT, binary

HEAD = "apiVersion: firesteel.dev/v1alpha1\nkind: SparkJob\nmetadata: {name: trial}\nspec:\n"
SIZES = "  driver: {cpu: 1, memory: 1Gi}\n  executor: {cpu: 1, memory: 1Gi, count: 1}\n"
SESSION = "from pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()\n"


@pytest.fixture
def run(tmp_path):
    """Runs a manifest in a folder of the test's own."""

    def run(manifest: str, *options: str, **environment: str):
        (tmp_path / "job.yaml").write_text(manifest)
        done = subprocess.run(command(*options), cwd=tmp_path, env=own_environment(environment), capture_output=True, text=True, timeout=120)
        return SimpleNamespace(code=done.returncode, out=done.stdout, err=done.stderr, folder=tmp_path)

    return run


def command(*options: str, file: str = "job.yaml") -> list[str]:
    return [str(binary()), "run", file, "--python", sys.executable, *options]


def own_environment(more: dict[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SPARK_", "FIRESTEEL_"))}
    return inherited | more


def python(text: str, more: str = "") -> str:
    lines = "".join(f"        {line}\n" for line in (SESSION + text).splitlines())
    return f"{HEAD}  main:\n    python:\n      text: |\n{lines}{SIZES}{more}"


def sql(text: str, more: str = "") -> str:
    return f"{HEAD}  main:\n    sql:\n      text: {json.dumps(text)}\n{SIZES}{more}"


def connection(endpoint: str) -> str:
    return (
        "  storage:\n    connections:\n"
        f"      - {{name: own, endpoint: '{endpoint}', region: us-east-1, pathStyle: true, credentialsSecret: own}}\n"
    )


def test_the_example(run):
    result = run((ROOT / "manifests/sales-sql.yaml").read_text())
    assert result.code == 1 and "sales-data" in result.err and not result.out
    (result.folder / "data" / "sales-data").mkdir(parents=True)
    orders = (ROOT / "manifests/data/orders.csv").read_text()
    (result.folder / "data" / "sales-data" / "orders.csv").write_text(orders)
    result = run((ROOT / "manifests/sales.yaml").read_text(), "--data", "data")
    assert result.code == 0, result.err
    assert "|      lamp|    3|" in result.out
    output = result.folder / "data" / "sales-data" / "output"
    assert (output / "_SUCCESS").exists() and list(output.glob("*.parquet"))


def test_arguments_and_settings_reach_the_program(run):
    text = "import sys\nprint(sys.argv[1:], spark.conf.get('spark.sql.shuffle.partitions'))"
    result = run(python(text), "--set", "conf.spark.sql.shuffle.partitions=7", "--", "a", "--b=1")
    assert (result.code, result.out) == (0, "['a', '--b=1'] 7\n"), result.err


@pytest.mark.parametrize(
    "manifest, said",
    [
        ("{", "job.yaml"),
        ("kind: SparkJob", "apiVersion"),
        (HEAD + "  main: {sql: {text: SELECT 1}}\n  executors: 3\n", "spec.executors"),
        (HEAD + "  main: {sql: {text: SELECT 1}}\n  executor: {count: many}\n", "spec.executor.count"),
        (HEAD + "  main: {}\n", "spec.main"),
        (HEAD + "  main: {sql: {text: SELECT 1}}\n  executor: {count: 1, elastic: {max: 2}}\n", "set count or elastic"),
    ],
)
def test_wrong_manifests(run, manifest, said):
    result = run(manifest)
    assert result.code == 2 and said in result.err and not result.out, result.err


@pytest.mark.parametrize(
    "text, code, said",
    [
        ("raise ValueError('so it is')", 1, "ValueError: so it is"),
        ("import sys\nsys.exit(3)", 3, ""),
        ("spark.sql('SELECT 1 / 0').show()", 1, "DIVIDE_BY_ZERO"),
        ("spark.read.csv('s3://nowhere/x.csv').show()", 1, "nowhere"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)", 143, ""),
    ],
)
def test_programs_that_fail(run, text, code, said):
    result = run(python(text))
    assert result.code == code and said in result.err, result.err


def test_statements_that_fail(run):
    result = run(sql("SELECT 1 AS one; SELECT nothing FROM range(2)"))
    assert result.code == 1 and "UNRESOLVED_COLUMN" in result.err and "one" in result.out, result.err


def test_wrong_credentials(run, store):
    text = "SELECT * FROM csv.`s3://there/a.csv`"
    good = run(sql(text, connection(store.endpoint)), **store.keys)
    assert good.code == 0, good.err
    bad = run(sql(text, connection(store.endpoint)), **store.keys | {"AWS_SECRET_ACCESS_KEY": "wrong"})
    assert bad.code == 1 and "SQLSTATE" in bad.err and "wrong" not in bad.err, bad.err


def test_no_such_store(run):
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    started = time.monotonic()
    result = run(sql("SELECT * FROM csv.`s3://there/a.csv`", connection("http://127.0.0.1:9")), **keys)
    assert result.code == 1 and "127.0.0.1:9" in result.err, result.err
    assert time.monotonic() - started < 60


def test_an_address_needs_no_path_style(run, store):
    found = run(sql("SELECT * FROM csv.`s3://there/a.csv`", connection(store.endpoint).replace(", pathStyle: true", "")), **store.keys)
    assert found.code == 0, found.err


@pytest.mark.parametrize("text, code, said", [
    ("SELECT * FROM csv.`s3://there/a.csv`", 0, ""),
    ("SELECT * FROM csv.`s3://absent/a.csv`", 1, "[PATH_NOT_FOUND] the path does not exist: s3://absent/a.csv"),
])
def test_statements_at_an_endpoint(tmp_path, store, text, code, said):
    line = [binary(), "sql", "--endpoint", store.endpoint, "--format", "csv", "-e", text]
    done = subprocess.run(line, cwd=tmp_path, env=own_environment(store.keys), capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (code, "" if code else "_c0,_c1\n1,2\n") and said in done.stderr, done
    assert not (tmp_path / "firesteel-data").exists()


def test_what_functions_print_is_in_the_log(run):
    function = "from pyspark.sql.functions import udf\nsay = udf(lambda x: print('heard', x) or x, 'long')\n"
    result = run(python(function + "spark.range(1).select(say('id')).collect()"))
    assert result.code == 0 and "heard 0" in result.err and "\x1b[" not in result.err, result.err


def test_a_python_without_pyspark(tmp_path):
    bare = tmp_path / "python"
    bare.write_text(f"#!/bin/sh\nexec {sys.executable} -I -S \"$@\"\n")
    bare.chmod(0o755)
    (tmp_path / "job.yaml").write_text(python("print('here')"))
    line = [binary(), "run", "job.yaml", "--python", bare]
    done = subprocess.run(line, cwd=tmp_path, env=own_environment({}), capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and f"{bare} has no PySpark" in done.stderr, done.stderr


def test_an_interrupt_ends_the_program(tmp_path):
    (tmp_path / "job.yaml").write_text(python("import time\nprint('here', flush=True)\ntime.sleep(60)"))
    job = subprocess.Popen(command(), cwd=tmp_path, env=own_environment({}), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert job.stdout.readline() == "here\n"
    job.send_signal(signal.SIGINT)
    job.communicate(timeout=20)
    assert job.returncode == 130


@pytest.fixture
def store(tmp_path):
    """An S3 server with keys of its own, and one object."""
    (tmp_path / "buckets" / "there").mkdir(parents=True)
    (tmp_path / "buckets" / "there" / "a.csv").write_text("1,2\n")
    keys = {"AWS_ACCESS_KEY_ID": "somebody", "AWS_SECRET_ACCESS_KEY": "a-secret-of-somebody"}
    server = subprocess.Popen(
        [binary(), "s3", "--data", tmp_path / "buckets", "--port", "0"],
        env=own_environment(keys),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    line = server.stdout.readline()
    yield SimpleNamespace(endpoint=line.strip().removeprefix("AWS_ENDPOINT_URL="), keys=keys)
    server.terminate()
    server.wait(20)


@pytest.mark.timeout(100)
@pytest.mark.parametrize("hears", [False, True])
def test_a_store_that_is_gone_does_not_hold_up_the_end(tmp_path, hears):
    """The driver is told to end while it would clean up in a store that does not answer, or not exist any more."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if hears:
            silent.listen()
        shuffle = f"{connection(f'http://127.0.0.1:{silent.getsockname()[1]}')}    shuffle: {{url: s3://gone/shuffle}}\n"
        manifest = python("open('done', 'w').close()", shuffle)
        (tmp_path / "job.yaml").write_text(manifest)
        keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}
        options = command("--master", "local-cluster[1,1,512]")
        process = subprocess.Popen(options, cwd=tmp_path, env=own_environment(keys), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            until = time.monotonic() + 60
            while not (tmp_path / "done").exists():
                assert time.monotonic() < until and process.poll() is None
                time.sleep(0.05)
            time.sleep(2)
            process.terminate()
            # It may have given up by itself just before.
            assert process.wait(2) in (0, 143)
        finally:
            process.kill()
            process.wait()


def test_connect_makes_a_token_and_prints_it(tmp_path, monkeypatch):
    """What is printed is all that a client needs; without the token nobody gets in."""
    from pyspark.sql import SparkSession
    from pyspark.sql.connect.client import SparkConnectClient

    monkeypatch.delenv("SPARK_CONNECT_AUTHENTICATE_TOKEN", raising=False)
    line = [binary(), "connect", "--port", "0"]
    server = subprocess.Popen(line, cwd=tmp_path, env=own_environment({}), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        said = server.stdout.readline().strip()
        found = re.fullmatch(r"SPARK_REMOTE='((sc://localhost:\d+)/;token=[0-9a-f]{32})'", said)
        assert found, said
        session = SparkSession.builder.remote(found.group(1)).create()
        assert session.range(5).count() == 5
        session.stop()
        for url in (found.group(2), f"{found.group(2)}/;token=guessed"):
            with pytest.raises(Exception, match="UNAUTHENTICATED|[Tt]oken"):
                SparkConnectClient(url).get_configs("spark.app.name")
    finally:
        server.terminate()
        server.wait(20)


def run_file(folder, *options: str, file: str) -> subprocess.CompletedProcess:
    return subprocess.run(command(*options, file=file), cwd=folder, env=own_environment({}), capture_output=True, text=True, timeout=120)


def test_a_script_needs_no_manifest(tmp_path):
    """It runs where it is: with the modules and files beside it, with its arguments, under its own name."""
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "beside.py").write_text("NAME = 'beside'\n")
    (tmp_path / "words.txt").write_text("a b\nb\n")
    (tmp_path / "jobs" / "word_count.py").write_text(
        "import sys\nimport beside\n" + SESSION
        + "words = spark.read.text(sys.argv[1]).selectExpr('explode(split(value, \" \")) w')\n"
        "print(beside.NAME, sys.argv[1:], sorted(map(tuple, words.groupBy('w').count().collect())))\n"
        "print(spark.conf.get('spark.sql.shuffle.partitions'), spark.conf.get('spark.app.name'))\n"
        "raise SystemExit(3)\n"
    )
    options = ("--set", "conf.spark.sql.shuffle.partitions=3", "words.txt", "--", "--deep")
    done = run_file(tmp_path, *options, file="jobs/word_count.py")
    assert done.stdout == "beside ['words.txt', '--deep'] [('a', 1), ('b', 2)]\n3 word-count\n", done.stderr
    assert done.returncode == 3

    (tmp_path / "failing.py").write_text("raise ValueError('on purpose')\n")
    failed = run_file(tmp_path, file="failing.py")
    assert failed.returncode == 1 and f'File "{tmp_path.resolve()}/failing.py", line 1' in failed.stderr


def test_statements_need_no_manifest(tmp_path):
    (tmp_path / "two.sql").write_text("CREATE TEMP VIEW v AS SELECT 7 AS n;\nSELECT n + 1 AS m FROM v;\n")
    assert run_file(tmp_path, "--format", "csv", file="two.sql").stdout == "m\n8\n"


@pytest.mark.parametrize("file", ["gone.py", "gone.sql", "gone.yaml"])
def test_a_file_that_is_not_there(tmp_path, file):
    done = run_file(tmp_path, file=file)
    assert (done.returncode, done.stdout) == (2, "") and f"cannot read {file}: No such file" in done.stderr, done.stderr
    assert not (tmp_path / "firesteel-data").exists()
