"""The cluster of KUBECONFIG: kubectl and helm for what people do with them, the API itself for what tests ask often."""

import json
import os
import subprocess
import time
from pathlib import Path

import api
from api import NAMESPACE, get, items, patch

ROOT = Path(__file__).resolve().parent.parent.parent
RELEASE = "firesteel"
# How much slower than a good machine this one is.
PATIENCE = float(os.environ.get("E2E_PATIENCE", "1"))


def call(*command: str, text: str | None = None, check: bool = True, seconds: float = 120) -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=seconds * PATIENCE, check=False)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout if check else done.stdout + done.stderr


def kubectl(*arguments: str, text: str | None = None, check: bool = True) -> str:
    return call("kubectl", "--namespace", NAMESPACE, *arguments, text=text, check=check)


def helm(*arguments: str) -> str:
    return call("helm", "--namespace", NAMESPACE, *arguments, seconds=300)


def apply(*objects: dict) -> None:
    for item in objects:
        api.apply(item)


def refused(item: dict) -> str:
    """What the API says to an object that it must not take."""
    try:
        api.create(item, dryRun="All", fieldValidation="Strict")
    except api.Refused as refusal:
        assert "is invalid" in str(refusal) or "strict decoding" in str(refusal), refusal
        return str(refusal)
    raise AssertionError(f"the API takes {item}")


def delete(kind: str, name: str, seconds: float = 120, grace: int | None = None, wait: bool = True) -> None:
    """Deletes an object, if it is there, and waits until that one is gone."""
    before = get(kind, name)
    if before is None or api.delete(kind, name, grace) is None or not wait:
        return

    def is_gone() -> bool:
        now = get(kind, name)
        return now is None or now["metadata"]["uid"] != before["metadata"]["uid"]

    until(f"the {kind} {name} is gone", is_gone, seconds)


def in_store(*command: str, text: str | None = None) -> str:
    """Runs a program in the pod of the quick-start store, whose buckets are folders of /data."""
    return kubectl("exec", "-i", f"deployment/{RELEASE}-s3", "--", *command, text=text)


def put(key: str, text: str) -> str:
    """Puts an object into the bucket sales-data and gives its URL."""
    in_store("sh", "-c", 'mkdir -p "$(dirname "$1")" && cat >"$1"', "sh", f"/data/sales-data/{key}", text=text)
    return f"s3://sales-data/{key}"


def shuffle_objects(uid: str) -> list[str]:
    """What a job has in its folder of the shuffle's place, which tests put into the bucket sales-data."""
    script = 'if [ -d "$1" ]; then find "$1" -type f; fi'
    return in_store("sh", "-c", script, "sh", f"/data/sales-data/shuffle/{uid}").splitlines()


def until(what: str, test, seconds: float = 60):
    """Waits until `test` answers with something and returns that."""
    end = time.monotonic() + seconds * PATIENCE
    while True:
        answer = test()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"after {seconds * PATIENCE:.0f} s still not: {what}")
        time.sleep(0.25)


def job(name: str, main: dict | str, **spec) -> dict:
    """A SparkJob; text is a Python script."""
    main = {"python": {"text": main}} if isinstance(main, str) else main
    spec = {"executor": {"cpu": "100m", "memory": "512Mi"}, "driver": {"cpu": "100m", "memory": "768Mi"}, **spec}
    return {
        "apiVersion": "firesteel.dev/v1alpha1",
        "kind": "SparkJob",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"main": main, **spec},
    }


def status(name: str, kind: str = "sparkjob") -> dict:
    return (get(kind, name) or {}).get("status", {})


def wait_phase(name: str, *phases: str, seconds: float = 120) -> dict:
    """Waits until a job is in one of the phases and returns its status."""
    last = {}

    def there():
        last.update(status(name))
        return last.get("phase") in phases

    try:
        until(f"{name} is {' or '.join(phases)}", there, seconds)
    except AssertionError as error:
        raise AssertionError(f"{error}; it is {json.dumps(last, indent=1)}") from None
    return last


def run(item: dict, *phases: str, seconds: float = 120) -> dict:
    apply(item)
    return wait_phase(item["metadata"]["name"], *(phases or ("Succeeded", "Failed")), seconds=seconds)


def pods_of(name: str, role: str = "driver") -> list[dict]:
    return items("pods", f"firesteel.dev/job={name},firesteel.dev/role={role}")


def wait_events(name: str, *reasons: str, seconds: float = 30) -> dict[str, dict]:
    """The last event of each reason, once there is one: they are written after the status that they tell of."""
    found = {}

    def there():
        found.update({event["reason"]: event for event in items("events") if event["regarding"].get("name") == name})
        return set(reasons) <= set(found)

    until(f"{name} has events {', '.join(reasons)}", there, seconds)
    return {reason: found[reason] for reason in reasons}


def conditions(of: dict) -> dict[str, str]:
    return {condition["type"]: condition["status"] for condition in of.get("conditions", [])}
