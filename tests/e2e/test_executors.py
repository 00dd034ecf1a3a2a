"""Jobs whose tasks run on executors of their own."""

import pytest

import kube

SHUFFLE = {"shuffle": {"url": "s3://sales-data/shuffle"}}

# Each of eight tasks takes so many seconds, on any machine, and rows are exchanged.
SLOW = """
from pyspark.sql import SparkSession, functions as F

def slowly(batches):
    import time
    time.sleep({seconds})
    yield from batches

spark = SparkSession.builder.getOrCreate()
spark.conf.set("firesteel.sql.smallQueryThreshold", "0")
slow = spark.range(0, 40, 1, 8).mapInArrow(slowly, "id long")
rows = slow.groupBy((F.col("id") % 5).alias("k")).agg(F.sum("id").alias("s")).collect()
assert {{row.k: row.s for row in rows}} == {{k: sum(range(k, 40, 5)) for k in range(5)}}, rows
print("right")
"""


def job(name: str, main, count: int = 2, **spec) -> dict:
    executor = {"cpu": "100m", "memory": "768Mi", "count": count, **spec.pop("executor", {})}
    return kube.job(name, main, executor=executor, storage=SHUFFLE, **spec)


def executors(name: str) -> list[dict]:
    """Pods that run and may go on."""
    pods = kube.pods_of(name, "executor")
    return [pod for pod in pods if pod["status"].get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"]]


def names(pods: list[dict]) -> set[str]:
    return {pod["metadata"]["name"] for pod in pods}


def wait_executors(name: str, count: int, seconds: float = 60) -> list[dict]:
    def there():
        found = executors(name)
        counts = kube.status(name).get("executors", {})
        return found if len(found) == count and counts.get("running") == count else None

    return kube.until(f"{name} has {count} executors; {kube.status(name)}", there, seconds)


def leaves_nothing(name: str):
    labels = f"firesteel.dev/job={name}"
    for kind in ("pods", "configmaps", "services", "secrets", "networkpolicies"):
        kube.until(f"no {kind}", lambda kind=kind: not kube.items(kind, labels), 60)


def test_tasks_run_on_two_nodes(name):
    kube.apply(job(name, SLOW.format(seconds=2), executor={"minToStart": 2}))
    pods = wait_executors(name, 2)
    if len(kube.items("nodes")) > 1:
        assert len({pod["spec"]["nodeName"] for pod in pods}) == 2
    for pod in pods:
        (container,) = pod["spec"]["containers"]
        assert pod["spec"]["automountServiceAccountToken"] is False
        assert container["resources"]["limits"]["memory"] == "768Mi"
        (owner,) = pod["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["name"]) == ("Pod", f"{name}-1-driver")
        assert "PRIVATE KEY" not in str(pod)
    (secret,) = kube.items("secrets", f"firesteel.dev/job={name}")
    assert set(secret["data"]) == {"ca.pem", "certificate.pem", "key.pem", "token"}
    (policy,) = kube.items("networkpolicies", f"firesteel.dev/job={name}")
    assert policy["spec"]["podSelector"] == policy["spec"]["ingress"][0]["from"][0]["podSelector"]
    assert kube.status(name)["executors"]["summary"] == "2/2"
    done = kube.wait_phase(name, "Succeeded", "Failed", seconds=180)
    assert (done["phase"], done["logTail"]) == ("Succeeded", "right\n"), done
    assert "executorFailures" not in done, done
    leaves_nothing_but_the_policy(name)


def leaves_nothing_but_the_policy(name: str):
    """After its end a job's pods go; what belongs to the job itself stays until the job is deleted."""
    labels = f"firesteel.dev/job={name}"
    for kind in ("pods", "secrets"):
        kube.until(f"no {kind}", lambda kind=kind: not kube.items(kind, labels), 60)
    kube.delete("sparkjob", name, seconds=60)
    leaves_nothing(name)


@pytest.mark.waits
def test_an_executor_that_is_killed_is_replaced(name):
    kube.apply(job(name, SLOW.format(seconds=5), executor={"minToStart": 2}))
    before = wait_executors(name, 2)
    victim = before[0]["metadata"]["name"]
    kube.delete("pod", victim, grace=0)
    kube.until("another takes its place", lambda: len(names(executors(name)) - {victim}) == 2, 60)
    done = kube.wait_phase(name, "Succeeded", "Failed", seconds=240)
    assert (done["phase"], done["logTail"]) == ("Succeeded", "right\n"), done
    (failure,) = done["executorFailures"]
    assert (failure["podName"], failure["reason"]) == (victim, "PodDeleted"), done
    assert (done["executors"]["lost"], done["executors"]["failed"]) == (1, 0), done


def test_an_executor_out_of_memory(name):
    """Kernels that make one very long text know no pool: the kernel of the node ends the executor."""
    text = "SELECT max(length(repeat(CAST(id % 10 AS STRING), 900000000))) FROM range(0, 4, 1, 4)"
    done = kube.run(job(name, {"sql": {"text": text}}, count=1, executor={"memory": "512Mi"}), seconds=240)
    assert done["phase"] == "Failed", done
    assert {failure["reason"] for failure in done["executorFailures"]} == {"OOMKilled"}, done
    assert done["executorFailures"][0]["exitCode"] == 137 and done["executors"]["failed"] >= 1, done
    assert "out of memory" in done["message"], done


@pytest.mark.alone
def test_a_quota_that_refuses_executors_and_is_lifted(name):
    pods = sum(pod["status"].get("phase") not in ("Succeeded", "Failed") for pod in kube.items("pods"))
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "few", "namespace": kube.NAMESPACE},
        "spec": {"hard": {"pods": str(pods + 2)}},
    }
    kube.apply(quota)
    try:
        kube.until("the quota counts", lambda: kube.status("few", "resourcequota").get("used"), 30)
        kube.apply(job(name, SLOW.format(seconds=2), executor={"minToStart": 2}))
        wait_executors(name, 1)
        told = lambda: "1 of 2 executors wait" in kube.status(name).get("message", "")
        kube.until(f"the job says what is missing; {kube.status(name)}", told, 30)
        now = kube.status(name)
        assert (now["phase"], now["reason"]) == ("Running", "QuotaExceeded"), now
        assert kube.conditions(now)["Degraded"] == "True"
    finally:
        kube.delete("resourcequota", "few")
    wait_executors(name, 2, 90)
    done = kube.wait_phase(name, "Succeeded", "Failed", seconds=180)
    assert (done["phase"], done["attempt"]) == ("Succeeded", 1), done
    assert "reason" not in done and "executorFailures" not in done, done


HOLDING = """
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
spark.conf.set("firesteel.sql.smallQueryThreshold", "0")
rows = spark.range(0, 1000, 1, 4).cache()
assert rows.count() == 1000
print("held", flush=True)
import time
time.sleep(600)
"""


def test_delete_leaves_nothing_behind(name):
    """Neither pods nor what belongs to them, nor an object of the shuffle."""
    kube.apply(job(name, HOLDING))
    wait_executors(name, 2)
    uid = kube.get("sparkjob", name)["metadata"]["uid"]
    kube.until("there are objects of the shuffle", lambda: kube.shuffle_objects(uid), 60)
    kube.delete("sparkjob", name, seconds=100)
    leaves_nothing(name)
    assert kube.shuffle_objects(uid) == []


def test_the_number_follows_the_manifest(name):
    kube.apply(job(name, "import time\ntime.sleep(600)", count=1))
    wait_executors(name, 1)
    kube.patch("sparkjob", name, {"spec": {"executor": {"count": 3}}})
    wait_executors(name, 3)
    kube.patch("sparkjob", name, {"spec": {"executor": {"count": 1}}})
    wait_executors(name, 1)


@pytest.mark.waits
def test_elastic_executors_come_with_the_work_and_go(name):
    script = SLOW.format(seconds=4) + "\nimport time\ntime.sleep(600)\n"
    elastic = {"count": None, "elastic": {"min": 0, "initial": 0, "max": 3, "idle": "3s"}}
    item = job(name, script, executor=elastic)
    del item["spec"]["executor"]["count"]
    kube.apply(item)
    wait_executors(name, 3, 90)
    kube.until("all have gone", lambda: not kube.pods_of(name, "executor"), 120)
    assert kube.status(name)["phase"] == "Running"


def test_without_a_place_for_its_shuffle_the_driver_computes(name):
    item = kube.job(name, SLOW.format(seconds=0), executor={"count": 2})
    done = kube.run(item)
    assert (done["phase"], done["logTail"]) == ("Succeeded", "right\n"), done
    assert "executors" not in done and not kube.items("secrets", f"firesteel.dev/job={name}")
    kube.wait_events(name, "NoShuffle")


def test_executors_whose_image_is_not_there(name):
    template = {"spec": {"containers": [{"name": "spark", "image": "nowhere.invalid/firesteel:none"}]}}
    item = job(name, SLOW.format(seconds=0), count=1, executor={"podTemplate": template}, timeouts={"executors": "20s"})
    kube.apply(item)
    kube.until("the reason shows", lambda: kube.status(name).get("reason") == "ImagePullFailed", 60)
    done = kube.wait_phase(name, "Failed", seconds=180)
    assert done["reason"] == "AppError", done
