"""Work by partition: set up once, number, sum."""
from pyspark import SparkContext, TaskContext

sc = SparkContext("local[2]", "by partition")
rdd = sc.parallelize(range(20), 4)
assert rdd.mapPartitions(lambda it: [sum(it)]).collect() == [10, 35, 60, 85]
assert rdd.mapPartitionsWithIndex(lambda i, it: [(i, len(list(it)))]).collect() == [(0, 5), (1, 5), (2, 5), (3, 5)]
assert sorted(set(rdd.map(lambda _: TaskContext.get().partitionId()).collect())) == [0, 1, 2, 3]
written = sc.accumulator(0)


def write(records):
    connection = []
    for record in records:
        connection.append(record)
    written.add(len(connection))


rdd.foreachPartition(write)
assert written.value == 20
assert rdd.glom().map(len).collect() == [5, 5, 5, 5]
sc.stop()
