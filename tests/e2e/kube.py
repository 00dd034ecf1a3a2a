"""The cluster of KUBECONFIG, through kubectl and helm."""

import json
import os
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
NAMESPACE = os.environ.get("E2E_NAMESPACE", "firesteel-e2e")
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
    items = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
    kubectl("apply", "-f", "-", text=json.dumps(items))


def refused(item: dict) -> str:
    """What the API says to an object that it must not take."""
    done = kubectl("create", "--dry-run=server", "-f", "-", text=json.dumps(item), check=False)
    assert "Invalid value" in done or "is invalid" in done or "strict decoding" in done, done
    return done


def get(kind: str, name: str) -> dict | None:
    text = kubectl("get", kind, name, "--ignore-not-found", "-o", "json")
    return json.loads(text) if text.strip() else None


def items(kind: str, labels: str = "") -> list[dict]:
    selector = ["-l", labels] if labels else []
    return json.loads(kubectl("get", kind, *selector, "-o", "json"))["items"]


def patch(kind: str, name: str, change: dict) -> None:
    kubectl("patch", kind, name, "--type=merge", "-p", json.dumps(change))


def delete(kind: str, name: str, *arguments: str) -> None:
    kubectl("delete", kind, name, "--ignore-not-found", *arguments)


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
        time.sleep(0.5)


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


def events_of(name: str) -> list[dict]:
    found = json.loads(kubectl("get", "events.events.k8s.io", "-o", "json"))["items"]
    return [event for event in found if event["regarding"].get("name") == name]


def conditions(of: dict) -> dict[str, str]:
    return {condition["type"]: condition["status"] for condition in of.get("conditions", [])}
