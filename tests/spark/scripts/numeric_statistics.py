"""Statistics of numbers."""
import math

from pyspark import SparkContext

sc = SparkContext("local[2]", "numbers")
n = sc.parallelize([1, 5, 2, 8, 4], 2).map(float)
assert n.mean() == 4.0 and n.sum() == 20.0 and n.max() == 8.0 and n.min() == 1.0
assert math.isclose(n.variance(), 6.0) and math.isclose(n.sampleVariance(), 7.5)
s = n.stats()
assert (s.count(), s.mean(), s.max()) == (5, 4.0, 8.0) and math.isclose(s.stdev(), math.sqrt(6))
assert n.histogram([0, 3, 6, 9]) == ([0, 3, 6, 9], [2, 2, 1])
assert n.histogram(7)[1] == [1, 1, 0, 1, 1, 0, 1]
assert n.countByValue()[5.0] == 1
assert 950 < sc.parallelize(range(1000), 3).countApproxDistinct(0.01) < 1050
sc.stop()
