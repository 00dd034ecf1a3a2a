"""Clicks cut into sessions, by groups sorted in Python."""
from pyspark import SparkContext

sc = SparkContext("local[2]", "sessions")
clicks = sc.parallelize([("u1", 10), ("u2", 5), ("u1", 15), ("u1", 100), ("u2", 80), ("u1", 104)], 3)


def sessions(times, gap=30):
    times = sorted(times)
    cut = [[times[0]]]
    for time in times[1:]:
        if time - cut[-1][-1] > gap:
            cut.append([])
        cut[-1].append(time)
    return cut


result = clicks.groupByKey().mapValues(sessions).collectAsMap()
assert result == {"u1": [[10, 15], [100, 104]], "u2": [[5], [80]]}
sc.stop()
