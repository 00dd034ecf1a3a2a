"""Nodes that go: without a warning, and with one."""

import os
import subprocess

import pytest

import kube
from test_executors import SLOW, executors, job, wait_executors

HOST = "kubernetes.io/hostname"
POWER = os.environ.get("E2E_NODE_POWER")


@pytest.fixture
def spare_node():
    """A node that can be spared: what all tests need is not on it, and does not go there."""
    nodes = [node["metadata"]["name"] for node in kube.items("nodes")]
    if len(nodes) < 2:
        pytest.skip("this takes two nodes")
    (store,) = kube.items("pods", "app.kubernetes.io/component=s3")
    node = next(name for name in nodes if name != store["spec"]["nodeName"])
    kube.kubectl("cordon", node)
    for pod in kube.items("pods", "app.kubernetes.io/component=operator"):
        if pod["spec"].get("nodeName") == node:
            kube.delete("pod", pod["metadata"]["name"])
    kube.kubectl("rollout", "status", f"deployment/{kube.RELEASE}-operator", "--timeout=60s")
    kube.kubectl("uncordon", node)
    yield node
    kube.kubectl("uncordon", node)


def slow_job(name: str, seconds: int, node: str) -> dict:
    """With its driver elsewhere and one of its two executors on the node."""
    elsewhere = [{"matchExpressions": [{"key": HOST, "operator": "NotIn", "values": [node]}]}]
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": elsewhere}}}
    driver = {"cpu": "100m", "memory": "768Mi", "podTemplate": {"spec": {"affinity": affinity}}}
    return job(name, SLOW.format(seconds=seconds), executor={"minToStart": 2}, driver=driver)


def on(node: str, pods: list[dict]) -> list[str]:
    return [pod["metadata"]["name"] for pod in pods if pod["spec"].get("nodeName") == node]


@pytest.mark.alone
@pytest.mark.skipif(not POWER, reason="E2E_NODE_POWER names no program that cuts a node's power")
def test_power_cut(name, spare_node):
    """The node's executor is lost with it; the job ends right without it."""
    number = spare_node.removeprefix("node")
    kube.apply(slow_job(name, 6, spare_node))
    (victim,) = on(spare_node, wait_executors(name, 2))
    try:
        subprocess.run([POWER, "node-stop", number], check=True, timeout=60)
        done = kube.wait_phase(name, "Succeeded", "Failed", seconds=300)
    finally:
        subprocess.run([POWER, "node-start", number], check=True, timeout=90)
    ready = lambda: kube.conditions(kube.get("node", spare_node)["status"])["Ready"] == "True"
    kube.until("the node is back", ready, 60)
    assert (done["phase"], done["logTail"], done["attempt"]) == ("Succeeded", "right\n", 1), done
    assert done["executorFailures"][0]["podName"] == victim, done
    assert done["executors"]["lost"] >= 1 and done["executors"]["failed"] == 0, done


@pytest.mark.alone
def test_drain(name, spare_node):
    """The node's executor ends what it computes; another takes its place, and nothing counts as failed."""
    kube.apply(slow_job(name, 6, spare_node))
    (victim,) = on(spare_node, wait_executors(name, 2))
    selector = f"--pod-selector=firesteel.dev/job={name}"
    kube.kubectl("drain", spare_node, selector, "--delete-emptydir-data", "--force", "--timeout=100s")
    kube.until("another takes its place", lambda: len([pod for pod in executors(name) if pod["metadata"]["name"] != victim]) == 2)
    done = kube.wait_phase(name, "Succeeded", "Failed", seconds=240)
    assert (done["phase"], done["logTail"]) == ("Succeeded", "right\n"), done
    assert (done["executors"]["failed"], done["executors"]["lost"], done["attempt"]) == (0, 1, 1), done
    assert [(loss["podName"], loss["reason"]) for loss in done["executorFailures"]] == [(victim, "Evicted")], done
