#!/usr/bin/env python3
"""From `kubectl apply` to the first task, step by step, on the cluster of KUBECONFIG with the operator installed there.

Each run is a job of its own with one executor. What the API shows is timed as it arrives here, what the program and
its task see is timed by their own clocks, which must agree with this machine's: all nodes on one machine, or a good
time service. Prints p50 and p95 of each step, and of the whole.
"""

import argparse
import json
import math
import subprocess
import threading
import time

STEPS = [
    "job seen", "driver pod created", "driver pod scheduled", "driver container started", "program started",
    "driver serving", "executor pod created", "executor container started", "executor registered", "first task",
]
# The time at which its task runs comes back as the result of a function that runs there.
PROGRAM = """
import time
began = time.time()
from pyspark.sql import SparkSession
from pyspark.sql.functions import udf
spark = SparkSession.builder.getOrCreate()
serving = time.time()
spark.conf.set("firesteel.sql.smallQueryThreshold", "0")
row = spark.range(1).select(udf(lambda _: time.time(), "double")("id").alias("at")).first()
print("times", began, serving, row["at"], flush=True)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--namespace", default="default")
    parser.add_argument("--shuffle", default="s3://sales-data/shuffle")
    arguments = parser.parse_args()
    watch = Watch(arguments.namespace)
    runs = [run(watch, f"start-{int(time.time())}-{index}", arguments) for index in range(arguments.runs)]
    watch.stop()
    print(f"{'step':<28} {'p50':>8} {'p95':>8}   seconds after apply")
    for step in STEPS:
        spans = sorted(found[step] for found in runs if step in found)
        if spans:
            print(f"{step:<28} {at(spans, 0.5):8.2f} {at(spans, 0.95):8.2f}   {len(spans)} runs")


def at(spans: list[float], share: float) -> float:
    """The least of them that so large a share of them does not exceed."""
    return spans[math.ceil(len(spans) * share) - 1]


class Watch:
    """Keeps when each of the steps was first seen, by job."""

    def __init__(self, namespace: str):
        self.seen: dict[str, dict[str, float]] = {}
        self.phase: dict[str, str] = {}
        self.children = []
        for kind, note in (("sparkjobs", self.note_job), ("pods", self.note_pod)):
            command = ["kubectl", "--namespace", namespace, "get", kind, "--watch", "--output", "json"]
            child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            self.children.append(child)
            threading.Thread(target=self.read, args=(child.stdout, note), daemon=True).start()

    def stop(self) -> None:
        for child in self.children:
            child.terminate()

    def read(self, stream, note) -> None:
        """Objects as they come, one after the other, over several lines each."""
        text = ""
        for line in stream:
            text += line
            if line.rstrip() == "}":
                note(json.loads(text))
                text = ""

    def mark(self, job: str, step: str) -> None:
        self.seen.setdefault(job, {}).setdefault(step, time.time())

    def note_job(self, item: dict) -> None:
        name, status = item["metadata"]["name"], item.get("status", {})
        self.mark(name, "job seen")
        self.phase[name] = status.get("phase", "")
        if status.get("executors", {}).get("running"):
            self.mark(name, "executor registered")

    def note_pod(self, item: dict) -> None:
        labels = item["metadata"].get("labels", {})
        name, role = labels.get("firesteel.dev/job"), labels.get("firesteel.dev/role")
        if role not in ("driver", "executor"):
            return
        status = item.get("status", {})
        self.mark(name, f"{role} pod created")
        if item["spec"].get("nodeName"):
            self.mark(name, f"{role} pod scheduled")
        if any("running" in container["state"] for container in status.get("containerStatuses", [])):
            self.mark(name, f"{role} container started")


def run(watch: Watch, name: str, arguments: argparse.Namespace) -> dict[str, float]:
    executor = {"cpu": "100m", "memory": "512Mi", "count": 1}
    spec = {
        "main": {"python": {"text": PROGRAM}},
        "driver": {"cpu": "100m", "memory": "512Mi"},
        "executor": executor,
        "storage": {"shuffle": {"url": arguments.shuffle}},
    }
    job = {"apiVersion": "firesteel.dev/v1alpha1", "kind": "SparkJob", "metadata": {"name": name}, "spec": spec}
    begun = time.time()
    kubectl(arguments.namespace, "create", "-f", "-", text=json.dumps(job))
    while watch.phase.get(name) not in ("Succeeded", "Failed"):
        if time.time() - begun > 180:
            break
        time.sleep(0.05)
    # From the status: a node may have lost the log.
    log = kubectl(arguments.namespace, "get", "sparkjob", name, "--output", "jsonpath={.status.logTail}")
    found = dict(watch.seen.get(name, {}))
    for line in log.splitlines():
        if line.startswith("times "):
            found.update(zip(("program started", "driver serving", "first task"), map(float, line.split()[1:])))
    if "first task" not in found:
        raise SystemExit(f"{name} did not get to a task; it is {watch.phase.get(name)}:\n{log}")
    kubectl(arguments.namespace, "delete", "sparkjob", name, "--wait=false")
    print(f"{name}: first task after {found['first task'] - begun:.2f} s", flush=True)
    return {step: when - begun for step, when in found.items()}


def kubectl(namespace: str, *arguments: str, text: str | None = None, check: bool = True) -> str:
    command = ["kubectl", "--namespace", namespace, *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=check, timeout=60).stdout


if __name__ == "__main__":
    main()
