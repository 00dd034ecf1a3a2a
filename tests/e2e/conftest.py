"""One installation for all tests: chart, operator and the quick-start S3 server, in a namespace with Pod Security.

With pytest-xdist (`-n 8`) tests run side by side. Those marked `alone` disturb others or count what is there: they have
the cluster to themselves, when the others are done.
"""

import os

import pytest

import kube
from turns import turn

VALUES = ["quickStart.enabled=true", "image.pullPolicy=" + os.environ.get("E2E_PULL_POLICY", "IfNotPresent")]
KEEP = os.environ.get("E2E_KEEP")
RESOURCES = ("scheduledsparkjobs", "sparkjobs", "sparkconnectservers")
KINDS = (*RESOURCES, "pods")


def pytest_configure(config):
    config.addinivalue_line("markers", "alone: no other test runs at the same time")
    config.addinivalue_line("markers", "waits: for most of its time, and long; it begins before others")
    config.addinivalue_line("markers", "scripts: many programs; make e2e-scripts")


def pytest_collection_modifyitems(items):
    # Who waits to be alone runs nothing else meanwhile.
    items.sort(key=lambda item: bool(item.get_closest_marker("alone")) - bool(item.get_closest_marker("waits")))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from xdist.scheduler import LoadScopeScheduling

    class OneByOne(LoadScopeScheduling):
        """Each test goes where there is room, but for those that share a scene: they go together."""

        def _split_scope(self, nodeid):
            file = nodeid.split("::")[0]
            return file if file.endswith("test_security.py") else nodeid

    return OneByOne(config, log)


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
    # While there is an operator: some wait for it to clean up.
    for kind in RESOURCES:
        kube.kubectl("delete", kind, "--all", "--timeout=60s", check=False)
    kube.call("helm", "uninstall", kube.RELEASE, "--namespace", kube.NAMESPACE, "--ignore-not-found", check=False)
    kube.call("kubectl", "delete", "namespace", kube.NAMESPACE, "--ignore-not-found", "--timeout=90s", check=False)


@pytest.fixture(autouse=True)
def its_turn(request):
    """Tests share the cluster, but for those that have it alone."""
    is_alone = request.node.get_closest_marker("alone") is not None
    with turn(is_alone):
        if is_alone:
            kube.until("what tests before have deleted is gone", lambda: not any(map(leaving, KINDS)), 90)
        yield


def leaving(kind: str) -> list[dict]:
    return [item for item in kube.items(kind) if "deletionTimestamp" in item["metadata"]]


@pytest.fixture
def name(request):
    """A name for the test's job; whatever has it is deleted before and after."""
    text = request.node.name.removeprefix("test_").replace("_", "-").split("[")[0].split("@")[0][:40].strip("-")
    clean(text)
    yield text
    if not KEEP:
        clean(text, wait=False)


def clean(name: str, wait: bool = True):
    for kind in RESOURCES:
        kube.delete(kind, name, seconds=60, wait=wait)
    if wait:
        # The driver of a job with this name before must not stand in the way.
        kube.until(f"no pod of {name}", lambda: not kube.pods_of(name), 60)
