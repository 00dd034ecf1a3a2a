"""What a job tells while it runs."""

import kube
from test_executors import SHUFFLE, SLOW, job, wait_executors

EARLY = 'print("begun", flush=True)\n'


def test_progress_and_log_show_while_the_job_runs(name):
    kube.apply(job(name, EARLY + SLOW.format(seconds=4), executor={"minToStart": 2}))
    wait_executors(name, 2)

    def told():
        now = kube.status(name)
        progress = now.get("progress", {})
        is_under_way = 0 < progress.get("tasksDone", 0) < progress.get("tasksTotal", 0)
        return now if is_under_way and now["phase"] == "Running" and now.get("logTail") == "begun\n" else None

    now = kube.until(f"work under way shows; {kube.status(name)}", told, 120)
    progress = now["progress"]
    assert progress["summary"] == f"{progress['tasksDone']}/{progress['tasksTotal']}", progress
    done = kube.wait_phase(name, "Succeeded", "Failed", seconds=240)
    assert (done["phase"], done["logTail"]) == ("Succeeded", "begun\nright\n"), done
    progress = done["progress"]
    assert progress["tasksDone"] == progress["tasksTotal"] > 8, progress
    assert progress["stagesDone"] == progress["stagesTotal"] > 1, progress
    assert progress["summary"] in kube.kubectl("get", "sj", name)


def test_progress_of_a_driver_that_computes(name):
    done = kube.run(kube.job(name, SLOW.format(seconds=0)))
    assert done["phase"] == "Succeeded" and done["progress"]["tasksDone"] > 0, done


def test_fields_without_effect_are_told_of(name):
    storage = {"eventLog": {"url": "s3://sales-data/events"}}
    done = kube.run(kube.job(name, {"sql": {"text": "SELECT 1"}}, storage=storage, ui={"service": True}))
    (told,) = [condition for condition in done["conditions"] if condition["type"] == "Ignored"]
    assert (told["status"], told["message"]) == ("True", "storage.eventLog, ui.service have no effect yet"), told
    kube.wait_events(name, "Ignored")


def test_the_shuffle_stays_if_the_job_wants_that(name):
    item = job(name, SLOW.format(seconds=0))
    item["spec"]["storage"] = {"shuffle": {**SHUFFLE["shuffle"], "cleanup": "Keep"}}
    done = kube.run(item, seconds=180)
    assert done["phase"] == "Succeeded", done
    uid = kube.get("sparkjob", name)["metadata"]["uid"]
    assert kube.shuffle_objects(uid)
    kube.delete("sparkjob", name)
    assert kube.shuffle_objects(uid)
