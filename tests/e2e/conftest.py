"""One installation for all tests: chart, operator and the quick-start S3 server, in a namespace with Pod Security.

With pytest-xdist (`-n 4 --dist loadgroup`) tests run side by side. Those marked `alone` disturb others or count what is
there: they have the cluster to themselves.
"""

import fcntl
import os
import tempfile
from pathlib import Path

import pytest

import kube

VALUES = ["quickStart.enabled=true", "image.pullPolicy=" + os.environ.get("E2E_PULL_POLICY", "IfNotPresent")]
KEEP = os.environ.get("E2E_KEEP")


def pytest_configure(config):
    config.addinivalue_line("markers", "alone: no other test runs at the same time")
    config.addinivalue_line("markers", "scripts: many programs; make e2e-scripts")


def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("alone"):
            item.add_marker(pytest.mark.xdist_group("alone"))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session):
    """Installed from nothing, unless E2E_KEEP says that it stays between runs; by one process for all."""
    if not is_worker(session) and not session.config.option.collectonly:
        install()


def pytest_sessionfinish(session):
    if not is_worker(session) and not session.config.option.collectonly and not KEEP:
        remove()


def is_worker(session) -> bool:
    return hasattr(session.config, "workerinput")


def install():
    if not KEEP:
        remove()
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": kube.NAMESPACE, "labels": labels}}
    kube.apply(namespace)
    for file in sorted((kube.ROOT / "crds").glob("*.yaml")):
        kube.kubectl("apply", "--server-side", "-f", str(file))
    settings = [part for value in VALUES for part in ("--set", value)]
    chart = str(kube.ROOT / "charts" / "firesteel")
    kube.helm("upgrade", "--install", kube.RELEASE, chart, *settings, "--skip-crds", "--wait", "--timeout", "180s")


def remove():
    kube.call("helm", "uninstall", kube.RELEASE, "--namespace", kube.NAMESPACE, "--ignore-not-found", check=False)
    kube.call("kubectl", "delete", "namespace", kube.NAMESPACE, "--ignore-not-found", "--timeout=90s", check=False)


@pytest.fixture(autouse=True)
def turn(request):
    """Tests share the cluster, but for those that have it alone."""
    with open(Path(tempfile.gettempdir()) / f"{kube.NAMESPACE}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if request.node.get_closest_marker("alone") else fcntl.LOCK_SH)
        yield


@pytest.fixture
def name(request):
    """A name for the test's job; whatever has it is deleted before and after."""
    text = request.node.name.removeprefix("test_").replace("_", "-").split("[")[0].split("@")[0][:40].strip("-")
    clean(text)
    yield text
    if not KEEP:
        clean(text)


def clean(name: str):
    for kind in ("sparkjob", "scheduledsparkjob", "sparkconnectserver"):
        kube.delete(kind, name, "--timeout=60s")
    # The driver of a job with this name before must not stand in the way.
    kube.until(f"no pod of {name}", lambda: not kube.pods_of(name), 60)
