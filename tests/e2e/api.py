"""The API of KUBECONFIG's cluster over HTTP, as `kubectl proxy` offers it: for what tests ask many times a minute.

A kubectl of its own for each question costs a tenth of a second of a processor, which the jobs that are tested lack.
"""

import atexit
import functools
import json
import os
import subprocess
import urllib.error
import urllib.parse
import urllib.request

NAMESPACE = os.environ.get("E2E_NAMESPACE", "firesteel-e2e")

# Path of each group that tests look at, and its kinds.
GROUPS = {
    "api/v1": ("pods", "secrets", "configmaps", "services", "resourcequotas", "nodes", "namespaces"),
    "apis/apps/v1": ("deployments",),
    "apis/coordination.k8s.io/v1": ("leases",),
    "apis/discovery.k8s.io/v1": ("endpointslices",),
    "apis/events.k8s.io/v1": ("events",),
    "apis/firesteel.dev/v1alpha1": ("sparkjobs", "scheduledsparkjobs", "sparkconnectservers"),
    "apis/authorization.k8s.io/v1": ("subjectaccessreviews",),
    "apis/networking.k8s.io/v1": ("networkpolicies",),
    "apis/rbac.authorization.k8s.io/v1": ("clusterroles",),
}
PATHS = {kind: group for group, kinds in GROUPS.items() for kind in kinds}
CLUSTER_WIDE = ("nodes", "namespaces", "clusterroles", "subjectaccessreviews")


@functools.cache
def proxy() -> str:
    """Address of a proxy that lives as long as this process; it signs in as KUBECONFIG says."""
    child = subprocess.Popen(["kubectl", "proxy", "--port=0"], stdout=subprocess.PIPE, text=True)
    atexit.register(child.terminate)
    told = child.stdout.readline()
    assert "Starting to serve on " in told, told
    return "http://" + told.rsplit(" ", 1)[1].strip()


def path(kind: str, name: str = "", **query: str) -> str:
    kind = kind.lower()
    plurals = (kind, f"{kind}s", f"{kind.removesuffix('y')}ies")
    plural = next(word for word in plurals if word in PATHS)
    place = "" if plural in CLUSTER_WIDE else f"namespaces/{NAMESPACE}/"
    words = f"?{urllib.parse.urlencode(query)}" if query else ""
    return f"/{PATHS[plural]}/{place}{plural}{f'/{name}' if name else ''}{words}"


class Refused(AssertionError):
    """What the API says to what it does not do."""


def ask(method: str, where: str, body: dict | None = None, content: str = "application/json") -> dict | None:
    """What the API answers; nothing if the object is not there."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(proxy() + where, data, {"Content-Type": content}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        raise Refused(f"{method} {where}: {json.load(error)['message']}") from None


def get(kind: str, name: str) -> dict | None:
    return ask("GET", path(kind, name))


def items(kind: str, labels: str = "") -> list[dict]:
    query = {"labelSelector": labels} if labels else {}
    return ask("GET", path(kind, **query))["items"]


def apply(item: dict) -> None:
    """Makes an object, or changes what is there to be like it."""
    where = path(item["kind"], item["metadata"]["name"], fieldManager="e2e", force="true")
    assert ask("PATCH", where, item, "application/apply-patch+yaml"), f"there is no {item['kind']}"


def create(item: dict, **query: str) -> dict:
    return ask("POST", path(item["kind"], **query), item)


def patch(kind: str, name: str, change: dict) -> None:
    assert ask("PATCH", path(kind, name), change, "application/merge-patch+json"), f"there is no {kind} {name}"


def delete(kind: str, name: str, grace: int | None = None) -> dict | None:
    """Asks for an object to be deleted; nothing if it is not there."""
    options = {"propagationPolicy": "Background"}
    if grace is not None:
        options["gracePeriodSeconds"] = grace
    return ask("DELETE", path(kind, name), options)
