"""Jobs that end well, with each kind of program."""

import yaml

import kube

CHECK = """
SELECT CASE WHEN (SELECT sum(count) FROM parquet.`s3://sales-data/output/`) = {expected} THEN 'right'
       ELSE raise_error('the output is wrong') END AS verdict
"""


def test_sales():
    """The example of the front page: a script reads and writes the store; another job finds what it wrote."""
    manifest = yaml.safe_load((kube.ROOT / "manifests" / "sales.yaml").read_text())
    manifest["metadata"]["namespace"] = kube.NAMESPACE
    manifest["spec"]["driver"] = {"cpu": "100m", "memory": "1Gi"}
    manifest["spec"]["executor"] = {"cpu": "100m", "memory": "768Mi", "count": 2, "minToStart": 2}
    manifest["spec"]["cleanup"] = {"keepPods": "Always"}
    kube.delete("sparkjob", "sales")
    done = kube.run(manifest)
    assert done["phase"] == "Succeeded", done
    assert "lamp" in done["logTail"], done
    assert kube.conditions(done)["Complete"] == "True"
    kube.kubectl("wait", "--for=condition=Complete", "sparkjob/sales", "--timeout=5s")
    kube.wait_events("sales", "Accepted", "DriverLaunched", "DriverRunning", "Succeeded")
    columns = kube.kubectl("get", "sj", "sales")
    assert "Succeeded" in columns and "PHASE" in columns
    kube.delete("sparkjob", "sales-check")
    check = kube.job("sales-check", {"sql": {"text": CHECK.format(expected=7)}})
    assert kube.run(check)["phase"] == "Succeeded"
    wrong = kube.job("sales-wrong", {"sql": {"text": CHECK.format(expected=8)}})
    kube.delete("sparkjob", "sales-wrong")
    assert kube.run(wrong)["phase"] == "Failed"


def test_native(name):
    script = "test -n \"$SPARK_REMOTE\" && test \"$1\" = first && echo done"
    item = kube.job(name, {"native": {"command": ["/bin/sh", "-c", script, "sh"]}}, args=["first"])
    done = kube.run(item)
    assert (done["phase"], done["logTail"]) == ("Succeeded", "done\n"), done


def test_nothing_secret_is_in_status_arguments_or_logs(name):
    done = kube.run(kube.job(name, "import os\nprint(sorted(os.environ), 'looked around')", cleanup={"keepPods": "Always"}))
    assert done["phase"] == "Succeeded", done
    secret = kube.get("secret", f"{kube.RELEASE}-s3")["data"]["AWS_SECRET_ACCESS_KEY"]
    import base64

    word = base64.b64decode(secret).decode()
    (pod,) = kube.pods_of(name)
    log = done["logTail"] + kube.kubectl("logs", pod["metadata"]["name"], check=False)
    job = kube.kubectl("get", "sparkjob", name, "-o", "yaml")
    maps = kube.kubectl("get", "configmaps", "-o", "yaml")
    for text in (str(pod["spec"]), log, job, maps):
        assert word not in text
    assert "looked around" in log and "AWS_SECRET_ACCESS_KEY" not in log
