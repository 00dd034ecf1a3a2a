"""Jobs that are stopped, resumed, edited, deleted; operators that die."""

import concurrent.futures

import pytest

import kube

SLEEP = "import time\ntime.sleep(600)"


def test_suspend_and_resume(name):
    kube.apply(kube.job(name, SLEEP))
    kube.wait_phase(name, "Running")
    kube.patch("sparkjob", name, {"spec": {"suspend": True}})
    kube.wait_phase(name, "Suspended")
    kube.until("the driver is gone", lambda: not kube.pods_of(name))
    kube.patch("sparkjob", name, {"spec": {"main": {"python": {"text": "print('second')"}}}})
    kube.patch("sparkjob", name, {"spec": {"suspend": False}})
    done = kube.wait_phase(name, "Succeeded", "Failed")
    assert (done["phase"], done["attempt"], done.get("failures", 0)) == ("Succeeded", 2, 0), done
    assert "second" in done["logTail"]


def test_edits_while_running(name):
    kube.apply(kube.job(name, SLEEP))
    kube.wait_phase(name, "Running")
    kube.patch("sparkjob", name, {"spec": {"executor": {"count": 3}}})
    annotation = "firesteel.dev/sizing"
    told = lambda: '"count":3' in kube.pods_of(name)[0]["metadata"]["annotations"][annotation]
    kube.until("the driver is told", told, 30)
    change = '{"spec": {"driver": {"memory": "2Gi"}}}'
    refusal = kube.kubectl("patch", "sparkjob", name, "--type=merge", "-p", change, check=False)
    assert "while the job is not suspended" in refusal, refusal
    kube.patch("sparkjob", name, {"spec": {"timeouts": {"run": "1s"}}})
    assert kube.wait_phase(name, "Failed")["reason"] == "DeadlineExceeded"


def test_delete_while_running(name):
    shuffle = {"shuffle": {"url": "s3://sales-data/shuffle"}}
    kube.apply(kube.job(name, SLEEP, storage=shuffle))
    kube.wait_phase(name, "Running")
    assert kube.get("sparkjob", name)["metadata"]["finalizers"] == ["firesteel.dev/shuffle"]
    kube.delete("sparkjob", name, seconds=100)
    labels = f"firesteel.dev/job={name}"
    for kind in ("pods", "configmaps", "services", "secrets"):
        kube.until(f"no {kind}", lambda kind=kind: not kube.items(kind, labels))


def test_ttl(name):
    kube.apply(kube.job(name, {"sql": {"text": "SELECT 1"}}, cleanup={"ttl": "1s"}))
    kube.until("the job is gone", lambda: kube.get("sparkjob", name) is None, 120)


def test_pods_are_kept_or_not(name):
    done = kube.run(kube.job(name, {"sql": {"text": "SELECT 1"}}))
    assert done["phase"] == "Succeeded"
    kube.until("the driver's pod is gone", lambda: not kube.pods_of(name))


@pytest.mark.alone
def test_operator_killed_while_jobs_launch(name):
    """Operators are killed one after the other; every job has exactly one attempt and ends well."""
    names = [f"{name[:30]}-{number}" for number in range(6)]
    for one in names:
        kube.delete("sparkjob", one)
    selector = "app.kubernetes.io/component=operator"
    kube.apply(*[kube.job(one, {"sql": {"text": "SELECT 1"}}, cleanup={"keepPods": "Always"}) for one in names])
    for _ in range(3):
        for pod in kube.items("pods", selector):
            kube.delete("pod", pod["metadata"]["name"], grace=0, wait=False)
        kube.until("an operator runs", lambda: any(p["status"]["phase"] == "Running" for p in kube.items("pods", selector)))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(lambda one: kube.wait_phase(one, "Succeeded", "Failed", seconds=240), names))
    for one, end in zip(names, ends):
        assert (end["phase"], end["attempt"]) == ("Succeeded", 1), (one, end)
        assert [pod["metadata"]["name"] for pod in kube.pods_of(one)] == [f"{one}-1-driver"]
        kube.delete("sparkjob", one)


@pytest.mark.alone
def test_upgrade_while_jobs_run(name):
    """Another operator takes over: what runs goes on in its first attempt, and what is new is run."""
    script = 'import time\nprint("begun", flush=True)\ntime.sleep(25)\nprint("ended")'
    kube.apply(kube.job(name, script, cleanup={"keepPods": "Always"}))
    kube.wait_phase(name, "Running")
    driver = kube.pods_of(name)[0]["metadata"]["uid"]
    chart = str(kube.ROOT / "charts" / "firesteel")
    before = {pod["metadata"]["uid"] for pod in kube.items("pods", "app.kubernetes.io/component=operator")}
    options = ["--reuse-values", "--set", "operator.logLevel=debug", "--skip-crds", "--wait", "--timeout", "120s"]
    kube.helm("upgrade", kube.RELEASE, chart, *options)
    after = {pod["metadata"]["uid"] for pod in kube.items("pods", "app.kubernetes.io/component=operator")}
    assert after - before
    new = kube.job(f"{name}-new", {"sql": {"text": "SELECT 1"}})
    kube.delete("sparkjob", f"{name}-new")
    assert kube.run(new)["phase"] == "Succeeded"
    done = kube.wait_phase(name, "Succeeded", "Failed")
    assert (done["phase"], done["attempt"], done.get("disruptions", 0)) == ("Succeeded", 1, 0), done
    assert [pod["metadata"]["uid"] for pod in kube.pods_of(name)] == [driver]
    kube.delete("sparkjob", f"{name}-new")


@pytest.mark.alone
def test_two_operators(name):
    """The second waits for the lease and takes over when the first goes."""
    deployment = f"{kube.RELEASE}-operator"
    kube.kubectl("scale", "deployment", deployment, "--replicas=2")
    try:
        kube.kubectl("rollout", "status", f"deployment/{deployment}", "--timeout=60s")
        holder = kube.get("lease", deployment)["spec"]["holderIdentity"]
        kube.delete("pod", holder)
        taken = lambda: kube.get("lease", deployment)["spec"].get("holderIdentity") not in (None, "", holder)
        kube.until("another holds the lease", taken, 40)
        done = kube.run(kube.job(name, {"sql": {"text": "SELECT 1"}}))
        assert (done["phase"], done["attempt"]) == ("Succeeded", 1)
    finally:
        kube.kubectl("scale", "deployment", deployment, "--replicas=1")
