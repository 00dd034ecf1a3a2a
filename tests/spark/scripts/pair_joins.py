"""All joins of two pair RDDs."""
from pyspark import SparkContext

sc = SparkContext(master="local[2]", appName="joins")
users = sc.parallelize([(1, "ann"), (2, "bob"), (3, "cid")], 2)
orders = sc.parallelize([(1, "book"), (1, "pen"), (3, "ink"), (4, "cup")], 3)

assert sorted(users.join(orders).collect()) == [(1, ("ann", "book")), (1, ("ann", "pen")), (3, ("cid", "ink"))]
assert sorted(users.leftOuterJoin(orders).collect(), key=str) == [
    (1, ("ann", "book")), (1, ("ann", "pen")), (2, ("bob", None)), (3, ("cid", "ink"))]
assert sorted(users.rightOuterJoin(orders).collect(), key=str) == [
    (1, ("ann", "book")), (1, ("ann", "pen")), (3, ("cid", "ink")), (4, (None, "cup"))]
assert users.fullOuterJoin(orders).count() == 5
assert sorted(users.subtractByKey(orders).collect()) == [(2, "bob")]
counts = orders.countByKey()
assert counts[1] == 2 and counts[4] == 1
sc.stop()
