"""Counters filled by tasks."""
from pyspark import AccumulatorParam, SparkContext


class SetParam(AccumulatorParam):
    def zero(self, initial):
        return set()

    def addInPlace(self, one, other):
        return one | other


sc = SparkContext("local[2]", "accumulators")
bad = sc.accumulator(0)
total = sc.accumulator(0.0)
names = sc.accumulator(set(), SetParam())


def parse(line):
    global bad, names
    try:
        value = float(line)
    except ValueError:
        bad += 1
        names += {line}
        return []
    total.add(value)
    return [value]


numbers = sc.parallelize(["1", "2.5", "x", "4", "y", "x"], 3).flatMap(parse)
assert bad.value == 0
assert numbers.collect() == [1.0, 2.5, 4.0]
assert bad.value == 3 and names.value == {"x", "y"} and total.value == 7.5
numbers.count()
assert bad.value == 6
sc.stop()
