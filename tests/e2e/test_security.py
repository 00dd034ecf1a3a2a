"""What docs/security.md promises, tried: a stranger's pod, secrets in places where people look, roles, policies."""

import base64
import json

import pytest

import api
import kube
from test_server import client
from turns import turn

SHUFFLE = {"shuffle": {"url": "s3://sales-data/shuffle"}}
ONE, OTHER, SERVER = "secure-one", "secure-other", "secure-server"

# Says who listens in the driver's pod and in the executor's, and stays.
PROGRAM = """
import os, time
from pyspark.sql import SparkSession, functions as F
from pyspark.sql.functions import udf

def listeners():
    found = set()
    for file in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in open(file).readlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                found.add(fields[1])
    return " ".join(sorted(found)) + " token=" + str(os.path.exists("/var/run/secrets/kubernetes.io/serviceaccount/token"))

spark = SparkSession.builder.getOrCreate()
spark.conf.set("firesteel.sql.smallQueryThreshold", "0")
(there,) = spark.range(1).select(udf(lambda _: listeners(), "string")("id").alias("all")).collect()
print("driver:", listeners())
print("executor:", there.all)
print("told", flush=True)
time.sleep(600)
"""

# Calls with raw bytes: what counts is how far a stranger gets. UNAUTHENTICATED: it spoke, and was refused.
STRANGER = """
import json, sys
import grpc

def call(channel, path, token):
    method = channel.unary_unary(path, request_serializer=bytes, response_deserializer=bytes)
    metadata = [("authorization", "Bearer " + token)] if token else []
    try:
        method(b"", metadata=metadata, timeout=8)
        return "OK"
    except grpc.RpcError as error:
        return error.code().name

def files(folder):
    read = lambda name: open(folder + "/" + name, "rb").read()
    return read("ca.pem"), read("certificate.pem"), read("key.pem"), read("token").decode().strip()

def secured(ca, certificate=None, key=None):
    credentials = grpc.ssl_channel_credentials(ca, key, certificate)
    name = [("grpc.ssl_target_name_override", "firesteel-driver")]
    return grpc.secure_channel(DRIVER, credentials, name)

DRIVER, SERVER = {driver!r}, {server!r}
FETCH = "/firesteel.executor.v1.Driver/Fetch"
ANALYZE = "/spark.connect.SparkConnectService/AnalyzePlan"
own, other = files("/own"), files("/other")
with open("/server-token/token") as file:
    token = file.read().strip()
seen = {{
    "plain": call(grpc.insecure_channel(DRIVER), FETCH, own[3]),
    "no certificate": call(secured(own[0]), FETCH, own[3]),
    "other application's certificate": call(secured(own[0], other[1], other[2]), FETCH, own[3]),
    "right certificate, no token": call(secured(*own[:3]), FETCH, None),
    "right certificate, other application's token": call(secured(*own[:3]), FETCH, other[3]),
    "right certificate and token": call(secured(*own[:3]), FETCH, own[3]),
    "server, no token": call(grpc.insecure_channel(SERVER), ANALYZE, None),
    "server, guessed token": call(grpc.insecure_channel(SERVER), ANALYZE, "guessed"),
    "server, right token": call(grpc.insecure_channel(SERVER), ANALYZE, token),
}}
with open("/dev/termination-log", "w") as file:
    file.write(json.dumps(seen))
"""


@pytest.fixture(scope="module")
def scene():
    """Two jobs with an executor each, and a server; all stay until the module's tests are done."""
    # What a module shares is made before it is the turn of its first test.
    with turn():
        set_up()
    yield
    kube.delete("pod", "stranger", wait=False)
    kube.delete("sparkconnectserver", SERVER)
    for name in (ONE, OTHER):
        kube.delete("sparkjob", name, seconds=90)


def set_up():
    for name in (ONE, OTHER):
        kube.delete("sparkjob", name, seconds=60)
    server = {
        "apiVersion": "firesteel.dev/v1alpha1",
        "kind": "SparkConnectServer",
        "metadata": {"name": SERVER, "namespace": kube.NAMESPACE},
        "spec": {"driver": {"cpu": "100m", "memory": "768Mi"}},
    }
    executor = {"cpu": "100m", "memory": "768Mi", "count": 1}
    jobs = [kube.job(name, PROGRAM, executor=executor, storage=SHUFFLE) for name in (ONE, OTHER)]
    kube.apply(server, *jobs)
    for name in (ONE, OTHER):
        kube.until(f"{name} has looked around; {kube.status(name)}", lambda name=name: "told" in said(name), 180)
    ready = lambda: kube.conditions(kube.status(SERVER, "sparkconnectserver")).get("Ready") == "True"
    kube.until("the server is ready", ready, 120)


def said(name: str) -> str:
    """What a job's program has printed, from its status: a node may have lost the log."""
    return kube.status(name).get("logTail") or ""


def log(pod: str) -> str:
    return kube.kubectl("logs", pod, "--all-containers", check=False)


def secrets() -> dict[str, dict[str, str]]:
    decode = lambda data: {key: base64.b64decode(value).decode(errors="replace") for key, value in data.items()}
    return {item["metadata"]["name"]: decode(item.get("data", {})) for item in kube.items("secrets")}


def credentials_of(name: str) -> str:
    (secret,) = kube.items("secrets", f"firesteel.dev/job={name}")
    return secret["metadata"]["name"]


def address_of_driver(name: str) -> str:
    (pod,) = [pod for pod in kube.pods_of(name, "executor") if pod["status"].get("phase") == "Running"]
    env = {entry["name"]: entry.get("value") for entry in pod["spec"]["containers"][0]["env"]}
    return env["FIRESTEEL_DRIVER"]


def test_a_stranger_gets_nowhere(scene):
    """Not without a certificate of the application, not with another one's, not without the token."""
    script = STRANGER.format(driver=address_of_driver(ONE), server=f"{SERVER}-connect.{kube.NAMESPACE}.svc:15002")
    pod = client("stranger", "", {"value": ""})
    (container,) = pod["spec"]["containers"]
    container["env"] = [{"name": "SCRIPT", "value": script}]
    places = {"own": credentials_of(ONE), "other": credentials_of(OTHER), "server-token": f"{SERVER}-token"}
    for folder, secret in places.items():
        pod["spec"]["volumes"].append({"name": folder, "secret": {"secretName": secret}})
        container["volumeMounts"].append({"name": folder, "mountPath": f"/{folder}", "readOnly": True})
    pod["spec"]["securityContext"]["fsGroup"] = 10001
    kube.delete("pod", "stranger")
    kube.apply(pod)
    seen = json.loads(kube.until("the stranger has tried", lambda: last_words("stranger"), 180))
    for without in ("plain", "no certificate", "other application's certificate"):
        assert seen[without] == "UNAVAILABLE", seen
    for without in ("right certificate, no token", "right certificate, other application's token"):
        assert seen[without] == "UNAUTHENTICATED", seen
    for without in ("server, no token", "server, guessed token"):
        assert seen[without] == "UNAUTHENTICATED", seen
    # The stranger's means are right: with everything, it is understood.
    for everything in ("right certificate and token", "server, right token"):
        assert seen[everything] not in ("UNAVAILABLE", "UNAUTHENTICATED", "DEADLINE_EXCEEDED"), seen


def last_words(pod: str) -> str | None:
    """The message that a pod's container ended with."""
    (state,) = [container["state"] for container in kube.get("pod", pod)["status"].get("containerStatuses", [{"state": {}}])]
    return state.get("terminated", {}).get("message")


def test_executors_listen_to_nobody(scene):
    """The driver listens for executors, and on loopback for its own program; an executor only on loopback, if at all."""
    for name in (ONE, OTHER):
        lines = dict(line.split(": ", 1) for line in said(name).splitlines() if ": " in line)
        (pod,) = kube.pods_of(name, "driver")
        outside = [place for place in listeners(lines["driver"]) if not place.startswith("127.")]
        assert outside == [address_of_driver(name)], lines
        assert address_of_driver(name).split(":")[0] == pod["status"]["podIP"]
        assert all(place.startswith("127.") for place in listeners(lines["executor"])), lines
        assert lines["executor"].endswith("token=False"), "an executor has no token of the Kubernetes API"


def listeners(text: str) -> list[str]:
    """Addresses as people write them; Linux writes an IPv4 address as one number, its bytes the other way round."""
    places = []
    for entry in text.split()[:-1]:
        host, port = entry.split(":")
        parts = [str(int(host[index : index + 2], 16)) for index in range(len(host) - 8, len(host), 2)]
        places.append(f"{'.'.join(reversed(parts))}:{int(port, 16)}")
    return places


def test_secrets_are_nowhere_but_in_secrets(scene):
    """Not in logs, arguments, environments, ConfigMaps, statuses or events."""
    wanted = {}
    for name, data in secrets().items():
        if name.startswith("sh.helm.release"):
            continue
        for key, value in data.items():
            if key == "key.pem":
                wanted[f"{name}/{key}"] = value.splitlines()[1]
            elif key not in ("ca.pem", "certificate.pem", "AWS_ACCESS_KEY_ID"):
                wanted[f"{name}/{key}"] = value.strip()
    assert any(key.endswith("/key.pem") for key in wanted) and any("AWS_SECRET" in key for key in wanted), wanted.keys()
    assert f"{SERVER}-token/token" in wanted
    places = {}
    for kind in ("pods", "configmaps", "services", "sparkjobs", "sparkconnectservers", "deployments", "events"):
        places[kind] = kube.kubectl("get", kind, "-o", "json")
    for pod in kube.items("pods"):
        name = pod["metadata"]["name"]
        if name != "stranger":
            places[f"log of {name}"] = log(name)
    for what, value in wanted.items():
        if len(value) < 16:
            # What other tests made up is no secret.
            continue
        encoded = base64.b64encode(value.encode()).decode()
        for place, text in places.items():
            assert value not in text and encoded not in text, f"{what} is in {place}"


# Verb, resource, and whether it is allowed.
DRIVER_RULES = [
    ("create", "pods", True), ("watch", "pods", True), ("create", "secrets", True), ("list", "resourcequotas", True),
    ("get", "secrets", False), ("list", "secrets", False), ("watch", "secrets", False), ("update", "secrets", False),
    ("delete", "secrets", False), ("create", "pods/exec", False), ("create", "pods/attach", False),
    ("create", "pods/ephemeralcontainers", False), ("get", "configmaps", False), ("create", "configmaps", False),
    ("create", "serviceaccounts/token", False), ("create", "rolebindings.rbac.authorization.k8s.io", False),
    ("create", "roles.rbac.authorization.k8s.io", False), ("patch", "sparkjobs.firesteel.dev", False),
    ("update", "sparkjobs.firesteel.dev/status", False), ("create", "deployments.apps", False),
    ("delete", "networkpolicies.networking.k8s.io", False), ("get", "nodes", False),
]
OPERATOR_RULES = [
    ("create", "secrets", True), ("watch", "sparkjobs.firesteel.dev", True), ("create", "pods", True),
    ("get", "secrets", False), ("list", "secrets", False), ("watch", "secrets", False), ("update", "secrets", False),
    ("delete", "secrets", False), ("create", "pods/exec", False), ("create", "serviceaccounts/token", False),
    ("create", "clusterroles.rbac.authorization.k8s.io", False), ("escalate", "clusterroles.rbac.authorization.k8s.io", False),
    ("create", "clusterrolebindings.rbac.authorization.k8s.io", False), ("impersonate", "users", False),
    ("delete", "sparkconnectservers.firesteel.dev", False), ("get", "nodes", False),
]


@pytest.mark.parametrize("account, rules", [("firesteel-driver", DRIVER_RULES), ("firesteel-operator", OPERATOR_RULES)])
def test_a_role_allows_what_is_needed_and_no_more(scene, account, rules):
    reviews = [review(account, verb, resource, kube.NAMESPACE) for verb, resource, _ in rules]
    assert answers(reviews) == [allowed for *_, allowed in rules], list(zip(rules, answers(reviews)))


def test_a_driver_has_no_rights_in_other_namespaces(scene):
    verbs = [("create", "pods"), ("list", "pods"), ("create", "secrets"), ("list", "resourcequotas")]
    reviews = [review("firesteel-driver", verb, resource, "kube-system") for verb, resource in verbs]
    assert not any(answers(reviews))


def review(account: str, verb: str, resource: str, namespace: str) -> dict:
    resource, _, subresource = resource.partition("/")
    resource, _, group = resource.partition(".")
    user = f"system:serviceaccount:{kube.NAMESPACE}:{account}"
    attributes = {"namespace": namespace, "verb": verb, "resource": resource, "group": group, "subresource": subresource}
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{kube.NAMESPACE}", "system:authenticated"]
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": user, "groups": groups, "resourceAttributes": attributes},
    }


def answers(reviews: list[dict]) -> list[bool]:
    return [api.create(review)["status"]["allowed"] for review in reviews]


def test_a_policy_selects_all_parts_of_a_job_and_lets_in_no_others(scene):
    """Whether a network enforces policies is the cluster's business; that they say the right thing is ours."""
    parts = {name: kube.pods_of(name, "driver") + kube.pods_of(name, "executor") for name in (ONE, OTHER)}
    for name, other in ((ONE, OTHER), (OTHER, ONE)):
        (policy,) = kube.items("networkpolicies", f"firesteel.dev/job={name}")
        spec = policy["spec"]
        (rule,) = spec["ingress"]
        (source,) = rule["from"]
        assert spec["policyTypes"] == ["Ingress"] and source.keys() == {"podSelector"}
        for selector in (spec["podSelector"], source["podSelector"]):
            selects = lambda pod: selector["matchLabels"].items() <= pod["metadata"]["labels"].items()
            assert selector.keys() == {"matchLabels"} and len(parts[name]) >= 2
            assert all(map(selects, parts[name])) and not any(map(selects, parts[other]))
