"""Each rule refuses what breaks it, at once and with its sentence."""

import pytest

import kube

SQL = {"sql": {"text": "SELECT 1"}}

BROKEN = {
    "exactly one of python, sql and native": kube.job("x", {**SQL, "python": {"text": "x"}}),
    "set either file or text": kube.job("x", {"sql": {"text": "x", "file": "s3://a/b"}}),
    "set count or elastic, not both": kube.job("x", SQL, executor={"count": 1, "elastic": {"max": 2}}),
    "min must not exceed max": kube.job("x", SQL, executor={"elastic": {"min": 3, "max": 2}}),
    "initial must lie between min and max": kube.job("x", SQL, executor={"elastic": {"initial": 3, "max": 2}}),
    "minToStart must not exceed": kube.job("x", SQL, executor={"count": 1, "minToStart": 2}),
    "initial must not exceed max": kube.job("x", SQL, retry={"backoff": {"initial": "1h", "max": "1m"}}),
    "must be a URL such as s3://": kube.job("x", SQL, storage={"shuffle": {"url": "/tmp"}}),
    "must be s3://bucket/key, or local:///": kube.job("x", {"python": {"file": "main.py"}}),
    "endpoint must begin with http": kube.job("x", SQL, storage={"connections": [{"name": "a", "endpoint": "s3"}]}),
    "at most 50 characters": kube.job("x" * 51, SQL),
    "every key must begin with spark.": kube.job("x", SQL, conf={"master": "local"}),
    "the engine sets spark.master": kube.job("x", SQL, conf={"spark.master": "local"}),
    "set cores, memory and the number": kube.job("x", SQL, conf={"spark.executor.memory": "1g"}),
    "set object stores": kube.job("x", SQL, conf={"spark.eventLog.enabled": "true"}),
    "the shuffle's place": kube.job("x", SQL, conf={"spark.firesteel.shuffle.url": "s3://a/b"}),
}


@pytest.mark.parametrize("sentence", BROKEN)
def test_rule(sentence):
    assert sentence in kube.refused(BROKEN[sentence])


def test_managed_by_cannot_change(name):
    kube.apply(kube.job(name, SQL, managedBy="somebody.example/else"))
    refusal = kube.kubectl("patch", "sparkjob", name, "--type=merge", "-p", '{"spec": {"managedBy": "x/y"}}', check=False)
    assert "managedBy cannot change" in refusal
    assert kube.status(name) == {}, "another manager's job is left alone"
