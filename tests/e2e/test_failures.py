"""Jobs that fail, and what is told about it."""

import pytest

import kube

SLEEP = "import time\ntime.sleep(600)"


def test_failing_script(name):
    done = kube.run(kube.job(name, "print('before')\nraise ValueError('no such order')"))
    assert (done["phase"], done["reason"], done["message"]) == ("Failed", "AppError", "ValueError: no such order")
    assert done["attempts"][0]["exitCode"] == 1
    assert "before" in done["logTail"] and "Traceback" in done["logTail"]
    event = kube.wait_events(name, "Failed")["Failed"]
    assert event["type"] == "Warning" and "no such order" in event["note"]
    assert kube.conditions(done)["Failed"] == "True"


def test_failing_statement(name):
    done = kube.run(kube.job(name, {"sql": {"text": "SELECT * FROM nowhere"}}))
    assert done["phase"] == "Failed" and "TABLE_OR_VIEW_NOT_FOUND" in done["message"], done


def test_retries(name):
    item = kube.job(name, "raise SystemExit(3)", retry={"limit": 1, "backoff": {"initial": "1s", "max": "1s"}})
    done = kube.run(item)
    assert (done["phase"], done["attempt"], done["failures"]) == ("Failed", 2, 2)
    assert [attempt["exitCode"] for attempt in done["attempts"]] == [3, 3]


def test_exit_code_rules(name):
    retry = {"limit": 5, "rules": [{"exitCodes": [42], "action": "Fail"}]}
    done = kube.run(kube.job(name, "raise SystemExit(42)", retry=retry))
    assert (done["phase"], done["attempt"]) == ("Failed", 1)


def test_deadline(name):
    kube.apply(kube.job(name, SLEEP, timeouts={"run": "3s"}))
    done = kube.wait_phase(name, "Failed")
    assert done["reason"] == "DeadlineExceeded"
    kube.until("the driver is gone", lambda: not kube.pods_of(name))


def test_bad_image(name):
    item = kube.job(name, SLEEP, image="nowhere.invalid/firesteel:none", timeouts={"start": "40s"})
    kube.apply(item)
    kube.until("the reason shows", lambda: kube.status(name).get("reason") == "ImagePullFailed", 30)
    done = kube.wait_phase(name, "Failed")
    assert done["reason"] == "ImagePullFailed"


def test_out_of_memory(name):
    script = "held = []\nwhile True:\n    held.append(bytearray(50_000_000))"
    done = kube.run(kube.job(name, script, driver={"cpu": "100m", "memory": "300Mi"}))
    assert (done["phase"], done["reason"]) == ("Failed", "OOMKilled"), done


def test_missing_secret(name):
    storage = {"connections": [{"name": "a", "credentialsSecret": "not-there"}]}
    kube.apply(kube.job(name, SLEEP, storage=storage))
    kube.until("the reason shows", lambda: kube.status(name).get("reason") == "ConfigError", 60)
    now = kube.status(name)
    assert now["phase"] == "Starting" and "not-there" in now["message"], now


def test_wrong_credentials(name):
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "wrong", "namespace": kube.NAMESPACE},
        "stringData": {"AWS_ACCESS_KEY_ID": "firesteel", "AWS_SECRET_ACCESS_KEY": "guessed"},
    }
    kube.apply(secret)
    endpoint = f"http://{kube.RELEASE}-s3.{kube.NAMESPACE}.svc:9000"
    connection = {"name": "a", "endpoint": endpoint, "pathStyle": True, "credentialsSecret": "wrong"}
    read = {"sql": {"text": "SELECT * FROM csv.`s3://sales-data/orders.csv`"}}
    done = kube.run(kube.job(name, read, storage={"connections": [connection]}))
    assert (done["phase"], done["reason"]) == ("Failed", "AppError"), done
    assert "guessed" not in str(done)


def test_driver_killed(name):
    item = kube.job(name, SLEEP, retry={"backoff": {"initial": "1s", "max": "1s"}})
    kube.apply(item)
    kube.wait_phase(name, "Running")
    kube.delete("pod", f"{name}-1-driver", grace=0)
    kube.until("a second attempt runs", lambda: kube.status(name).get("attempt") == 2 and kube.status(name)["phase"] == "Running", 90)
    now = kube.status(name)
    assert (now.get("failures", 0), now["disruptions"]) == (0, 1), now
    assert len(kube.pods_of(name)) == 1


@pytest.mark.alone
def test_quota(name):
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "none", "namespace": kube.NAMESPACE},
        "spec": {"hard": {"requests.cpu": "10m"}},
    }
    kube.apply(quota)
    try:
        kube.until("the quota counts", lambda: kube.status("none", "resourcequota").get("used"), 30)
        kube.apply(kube.job(name, {"sql": {"text": "SELECT 1"}}))
        kube.until("the reason shows", lambda: kube.status(name).get("reason") == "QuotaExceeded", 30)
        assert kube.status(name)["phase"] == "Queued"
    finally:
        kube.delete("resourcequota", "none")
    done = kube.wait_phase(name, "Succeeded")
    assert (done["attempt"], done.get("failures", 0)) == (1, 0)


@pytest.mark.alone
def test_missing_permission(name):
    role = f"{kube.RELEASE}-operator"
    before = kube.get("clusterrole", role)
    rules = [dict(rule) for rule in before["rules"]]
    for rule in rules:
        if rule["resources"] == ["pods"]:
            rule["verbs"] = [verb for verb in rule["verbs"] if verb != "create"]
    kube.patch("clusterrole", role, {"rules": rules})
    try:
        kube.apply(kube.job(name, {"sql": {"text": "SELECT 1"}}))
        kube.until("the reason shows", lambda: kube.status(name).get("reason") == "Refused", 30)
        now = kube.status(name)
        assert "may not create pods" in now["message"] and kube.conditions(now)["Accepted"] == "False"
    finally:
        kube.patch("clusterrole", role, {"rules": before["rules"]})
    assert kube.wait_phase(name, "Succeeded")["attempt"] == 1


def test_a_policy_refuses_the_pod(name):
    """The namespace enforces Pod Security: a template that wants more is refused, and told about."""
    driver = {"cpu": "100m", "memory": "512Mi", "podTemplate": {"spec": {"hostNetwork": True}}}
    kube.apply(kube.job(name, {"sql": {"text": "SELECT 1"}}, driver=driver))
    kube.until("the reason shows", lambda: kube.status(name).get("reason") == "Refused", 30)
    assert "PodSecurity" in kube.status(name)["message"]
