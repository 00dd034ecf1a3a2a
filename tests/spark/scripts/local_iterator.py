"""Results taken one by one, and only as many as needed."""
from pyspark import SparkContext

sc = SparkContext("local[2]", "iterators")
rdd = sc.parallelize(range(10000), 20)
total = 0
for value in rdd.toLocalIterator():
    total += value
    if value == 99:
        break
assert total == 4950
assert rdd.take(5) == [0, 1, 2, 3, 4] and rdd.first() == 0 and not rdd.isEmpty()
assert rdd.filter(lambda x: x > 9990).take(100) == list(range(9991, 10000))
assert rdd.zipWithUniqueId().first() == (0, 0)
assert rdd.zipWithIndex().lookup(17) == [17]
sc.stop()
