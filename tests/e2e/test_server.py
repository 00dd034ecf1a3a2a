"""A standing server, used by a PySpark client in another pod."""

import pytest

import kube

# PySpark sends a token over a plain connection to localhost alone, so that the pod forwards a port of its own.
CLIENT = """
import os, socket, threading
from pyspark.sql import SparkSession

def pump(one, other):
    try:
        while data := one.recv(65536):
            other.sendall(data)
    except OSError:
        pass
    for end in (one, other):
        end.close()

def forward(listener):
    while True:
        one, _ = listener.accept()
        try:
            other = socket.create_connection(("{host}", 15002))
        except OSError:
            one.close()
            continue
        for ends in ((one, other), (other, one)):
            threading.Thread(target=pump, args=ends, daemon=True).start()

listener = socket.create_server(("127.0.0.1", 15002))
threading.Thread(target=forward, args=(listener,), daemon=True).start()
spark = SparkSession.builder.remote("sc://localhost:15002").create()
assert spark.range(100).count() == 100
{more}
spark.stop()
"""

# Where a function runs shows where tasks do.
ON_EXECUTORS = """
from pyspark.sql import functions as F
spark.conf.set("firesteel.sql.smallQueryThreshold", "0")

@F.udf("string")
def host(number):
    import socket
    return socket.gethostname()

hosts = {row[0] for row in spark.range(0, 8, 1, 4).select(host("id")).distinct().collect()}
assert hosts and all("-exec-" in host for host in hosts), hosts
"""


def client(name: str, remote: str, token: dict, more: str = "") -> dict:
    security = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    (operator,) = kube.items("deployments", "app.kubernetes.io/name=firesteel")[:1]
    images = {e["name"]: e.get("value") for e in operator["spec"]["template"]["spec"]["containers"][0].get("env", [])}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": kube.NAMESPACE},
        "spec": {
            "restartPolicy": "Never",
            "volumes": [{"name": "scratch", "emptyDir": {}}],
            "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{
                "name": "client",
                "image": images.get("FIRESTEEL_IMAGE", "firesteel:0.1"),
                # PySpark wants a script that is a file.
                "command": ["sh", "-c", 'printf %s "$SCRIPT" >/tmp/client.py && python3 /tmp/client.py'],
                "env": [
                    {"name": "SCRIPT", "value": CLIENT.format(host=remote, more=more)},
                    {"name": "SPARK_CONNECT_AUTHENTICATE_TOKEN", **token},
                ],
                "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}],
                "securityContext": security,
            }],
        },
    }


def test_server(name):
    server = {
        "apiVersion": "firesteel.dev/v1alpha1",
        "kind": "SparkConnectServer",
        "metadata": {"name": name, "namespace": kube.NAMESPACE},
        "spec": {"driver": {"cpu": "100m", "memory": "768Mi"}},
    }
    kube.apply(server)
    now = lambda: kube.status(name, "sparkconnectserver")
    kube.until("it is ready", lambda: kube.conditions(now()).get("Ready") == "True", 90)
    assert now()["remote"] == f"sc://{name}-connect.{kube.NAMESPACE}.svc:15002"
    pods = lambda: kube.items("pods", f"firesteel.dev/server={name}")
    assert len(pods()) == 1
    kube.patch("sparkconnectserver", name, {"spec": {"stop": True}})
    kube.until("it is idle", lambda: kube.conditions(now()).get("Idle") == "True", 30)
    kube.until("its pod is gone", lambda: not pods(), 90)
    kube.patch("sparkconnectserver", name, {"spec": {"stop": False}})
    kube.until("it is back", lambda: kube.conditions(now()).get("Ready") == "True", 90)
    kube.delete("sparkconnectserver", name)
    kube.until("its pod is gone", lambda: not pods(), 90)


def test_client_from_another_pod(name):
    """With the token a client works; without it the server refuses."""
    server = {
        "apiVersion": "firesteel.dev/v1alpha1",
        "kind": "SparkConnectServer",
        "metadata": {"name": name, "namespace": kube.NAMESPACE},
        "spec": {"driver": {"cpu": "100m", "memory": "768Mi"}},
    }
    kube.apply(server)
    now = lambda: kube.status(name, "sparkconnectserver")
    kube.until("it is ready", lambda: kube.conditions(now()).get("Ready") == "True", 90)
    host = now()["remote"].removeprefix("sc://").split(":")[0]
    token = {"valueFrom": {"secretKeyRef": {"name": f"{name}-token", "key": "token"}}}
    for value, phase in ((token, "Succeeded"), ({"value": "guessed"}, "Failed")):
        pod = f"{name}-client"
        kube.delete("pod", pod)
        kube.apply(client(pod, host, value))
        ended = lambda: kube.get("pod", pod)["status"]["phase"] in ("Succeeded", "Failed")
        kube.until("the client ends", ended, 90)
        log = kube.kubectl("logs", pod, check=False)
        assert kube.get("pod", pod)["status"]["phase"] == phase, log
    kube.delete("pod", f"{name}-client")


def test_server_with_executors(name):
    """Clients share executors that are pods, and nothing of them stays when the server is gone."""
    server = {
        "apiVersion": "firesteel.dev/v1alpha1",
        "kind": "SparkConnectServer",
        "metadata": {"name": name, "namespace": kube.NAMESPACE},
        "spec": {
            "driver": {"cpu": "100m", "memory": "768Mi"},
            "executor": {"cpu": "100m", "memory": "768Mi", "count": 2},
            "storage": {"shuffle": {"url": "s3://sales-data/shuffle"}},
            "metrics": {"enabled": True},
        },
    }
    kube.apply(server)
    now = lambda: kube.status(name, "sparkconnectserver")
    kube.until("it is ready", lambda: kube.conditions(now()).get("Ready") == "True", 90)
    assert kube.conditions(now())["Ignored"] == "True"
    host = now()["remote"].removeprefix("sc://").split(":")[0]
    token = {"valueFrom": {"secretKeyRef": {"name": f"{name}-token", "key": "token"}}}
    pod = f"{name}-client"
    kube.delete("pod", pod)
    kube.apply(client(pod, host, token, ON_EXECUTORS))
    kube.until("the client ends", lambda: kube.get("pod", pod)["status"]["phase"] in ("Succeeded", "Failed"), 150)
    assert kube.get("pod", pod)["status"]["phase"] == "Succeeded", kube.kubectl("logs", pod, check=False)
    kube.until("two executors show", lambda: now().get("executors", {}).get("summary") == "2/2", 60)
    parts = lambda kind: kube.items(kind, f"firesteel.dev/server={name}")
    assert len(parts("pods")) == 3
    kube.delete("pod", pod)
    kube.delete("sparkconnectserver", name)
    for kind in ("pods", "secrets", "configmaps", "services"):
        kube.until(f"no {kind}", lambda kind=kind: not parts(kind), 90)


@pytest.mark.waits
def test_a_server_without_sessions_rests_until_a_client_comes(name):
    server = {
        "apiVersion": "firesteel.dev/v1alpha1",
        "kind": "SparkConnectServer",
        "metadata": {"name": name, "namespace": kube.NAMESPACE},
        "spec": {"driver": {"cpu": "100m", "memory": "768Mi"}, "idleTimeout": "5s"},
    }
    kube.apply(server)
    now = lambda: kube.status(name, "sparkconnectserver")
    pods = lambda: kube.items("pods", f"firesteel.dev/server={name}")
    idle = lambda: kube.conditions(now()).get("Idle") == "True"
    kube.wait_events(name, "Ready", seconds=90)
    kube.until("it rests", idle, 60)
    kube.until("its pod is gone", lambda: not pods(), 90)
    host = now()["remote"].removeprefix("sc://").split(":")[0]
    token = {"valueFrom": {"secretKeyRef": {"name": f"{name}-token", "key": "token"}}}
    pod = f"{name}-client"
    kube.delete("pod", pod)
    kube.apply(client(pod, host, token))
    kube.until("the client ends", lambda: kube.get("pod", pod)["status"]["phase"] in ("Succeeded", "Failed"), 150)
    assert kube.get("pod", pod)["status"]["phase"] == "Succeeded", kube.kubectl("logs", pod, check=False)
    kube.delete("pod", pod)
    kube.until("it rests again", lambda: idle() and not pods(), 90)
    assert kube.get("endpointslice", f"{name}-connect-doorbell")
    kube.delete("sparkconnectserver", name)
    kube.until("nothing is left", lambda: not kube.items("endpointslices", f"firesteel.dev/server={name}"), 60)
