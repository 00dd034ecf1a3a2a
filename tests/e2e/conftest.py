"""One installation for all tests: chart, operator and the quick-start S3 server, in a namespace with Pod Security."""

import os

import pytest

import kube

VALUES = ["quickStart.enabled=true", "image.pullPolicy=" + os.environ.get("E2E_PULL_POLICY", "IfNotPresent")]


@pytest.fixture(scope="session", autouse=True)
def installation():
    """Installed from nothing, unless E2E_KEEP says that it stays between runs."""
    keep = os.environ.get("E2E_KEEP")
    if not keep:
        remove()
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": kube.NAMESPACE, "labels": labels}}
    kube.apply(namespace)
    for file in sorted((kube.ROOT / "crds").glob("*.yaml")):
        kube.kubectl("apply", "--server-side", "-f", str(file))
    settings = [part for value in VALUES for part in ("--set", value)]
    chart = str(kube.ROOT / "charts" / "firesteel")
    kube.helm("upgrade", "--install", kube.RELEASE, chart, *settings, "--skip-crds", "--wait", "--timeout", "180s")
    yield
    if not keep:
        remove()


def remove():
    kube.call("helm", "uninstall", kube.RELEASE, "--namespace", kube.NAMESPACE, "--ignore-not-found", check=False)
    kube.call("kubectl", "delete", "namespace", kube.NAMESPACE, "--ignore-not-found", "--timeout=90s", check=False)


@pytest.fixture
def name(request):
    """A name for the test's job; whatever has it is deleted before and after."""
    text = request.node.name.removeprefix("test_").replace("_", "-").split("[")[0][:40].strip("-")
    clean(text)
    yield text
    if not os.environ.get("E2E_KEEP"):
        clean(text)


def clean(name: str):
    for kind in ("sparkjob", "scheduledsparkjob", "sparkconnectserver"):
        kube.delete(kind, name, "--timeout=60s")
    # The driver of a job with this name before must not stand in the way.
    kube.until(f"no pod of {name}", lambda: not kube.pods_of(name), 60)
