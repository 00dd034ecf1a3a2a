"""Jobs made by a schedule. Each test waits for the minute to turn."""

import pytest

import kube

pytestmark = pytest.mark.waits

SLEEP = {"native": {"command": ["/bin/sleep", "600"]}}
SQL = {"sql": {"text": "SELECT 1"}}


def schedule(name: str, main: dict, **spec) -> dict:
    template = kube.job("x", main)["spec"]
    return {
        "apiVersion": "firesteel.dev/v1alpha1",
        "kind": "ScheduledSparkJob",
        "metadata": {"name": name, "namespace": kube.NAMESPACE},
        "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": template}, **spec},
    }


def made(name: str) -> list[str]:
    return sorted(item["metadata"]["name"] for item in kube.items("sparkjobs", f"firesteel.dev/schedule={name}"))


def is_replaced(name: str, first: str) -> bool:
    """Whether a later job has taken the first one's place; there may be none for a moment."""
    return made(name)[:1] > [first]


def test_schedule_and_history(name):
    kube.apply(schedule(name, SQL, successfulJobsHistoryLimit=1))
    first = kube.until("a job is made", lambda: made(name), 80)[0]
    assert kube.wait_phase(first, "Succeeded", "Failed")["phase"] == "Succeeded"
    minute = int(first.rsplit("-", 1)[1])
    kube.until("only the newest is kept", lambda: is_replaced(name, first), 150)
    assert f"{name}-{minute + 1}" in made(name)
    now = kube.status(name, "scheduledsparkjob")
    assert now["lastSuccessfulTime"] and now["nextScheduleTime"]


def test_concurrency(name):
    for policy in ("Forbid", "Replace", "Allow"):
        kube.delete("scheduledsparkjob", f"{name}-{policy.lower()}")
        kube.apply(schedule(f"{name}-{policy.lower()}", SLEEP, concurrencyPolicy=policy))
    for policy in ("forbid", "replace", "allow"):
        kube.until(f"a job of {policy} is made", lambda policy=policy: made(f"{name}-{policy}"), 80)
    first = {policy: made(f"{name}-{policy}")[0] for policy in ("forbid", "replace", "allow")}
    try:
        kube.until("two run side by side", lambda: len(made(f"{name}-allow")) == 2, 80)
        kube.until("one is replaced", lambda: is_replaced(f"{name}-replace", first["replace"]), 30)
        assert made(f"{name}-forbid") == [first["forbid"]]
        kube.wait_events(f"{name}-forbid", "Skipped")
    finally:
        for policy in ("forbid", "replace", "allow"):
            kube.delete("scheduledsparkjob", f"{name}-{policy}")


def test_suspended_schedule_and_bad_zone(name):
    kube.apply(schedule(name, SQL, suspend=True, timeZone="Mars/Olympus"))
    told = lambda: kube.conditions(kube.status(name, "scheduledsparkjob")).get("Accepted") == "False"
    kube.until("the zone is refused", told, 30)
    assert not made(name)
