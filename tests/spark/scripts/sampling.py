"""Samples, splits, strata."""
from pyspark import SparkContext

sc = SparkContext("local[2]", "sampling")
data = sc.parallelize(range(1000), 4)
train, test = data.randomSplit([0.8, 0.2], seed=11)
assert train.count() + test.count() == 1000 and train.intersection(test).isEmpty()
assert 700 < train.count() < 900
assert 60 < data.sample(False, 0.1, seed=5).count() < 140
assert data.sample(False, 0.1, seed=5).collect() == data.sample(False, 0.1, seed=5).collect()
assert len(data.takeSample(False, 20, seed=1)) == 20 and len(data.takeSample(True, 20)) == 20
labelled = data.map(lambda i: ("even" if i % 2 == 0 else "odd", i))
kept = labelled.sampleByKey(False, {"even": 0.5, "odd": 0.1}, seed=3).countByKey()
assert kept["even"] > kept["odd"] > 10
sc.stop()
