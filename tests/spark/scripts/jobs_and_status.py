"""Job groups, the status tracker, debug strings and names."""
import threading
import time

from pyspark import SparkContext

sc = SparkContext("local[2]", "status")
sc.setJobGroup("first", "some counting")
rdd = sc.parallelize(range(10), 2).setName("numbers").map(lambda x: (x % 2, x)).reduceByKey(lambda a, b: a + b)
assert rdd.collectAsMap() == {0: 20, 1: 25}
tracker = sc.statusTracker()
jobs = tracker.getJobIdsForGroup("first")
assert len(jobs) == 1 and tracker.getJobInfo(jobs[0]).status == "SUCCEEDED"
assert b"numbers" in rdd.toDebugString() and b"+-" in rdd.toDebugString()
outcome = []


def slow_job():
    sc.setJobGroup("slow", "to be cancelled", True)
    try:
        sc.parallelize(range(2), 2).map(lambda x: time.sleep(60)).collect()
        outcome.append("finished")
    except Exception as error:
        outcome.append("cancelled")


thread = threading.Thread(target=slow_job)
started = time.time()
thread.start()
while not tracker.getActiveJobsIds() and time.time() - started < 20:
    time.sleep(0.1)
time.sleep(1.5)
sc.cancelJobGroup("slow")
thread.join(30)
assert outcome == ["cancelled"] and time.time() - started < 40, outcome
sc.stop()
