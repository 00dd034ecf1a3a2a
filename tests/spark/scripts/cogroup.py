"""Several RDDs grouped by one key."""
from pyspark import SparkContext

sc = SparkContext.getOrCreate()
names = sc.parallelize([(1, "ann"), (2, "bob")])
mails = sc.parallelize([(1, "a@x"), (1, "a@y")])
phones = sc.parallelize([(2, "123"), (3, "456")])
found = names.cogroup(mails).mapValues(lambda v: (list(v[0]), sorted(v[1]))).collectAsMap()
assert found == {1: (["ann"], ["a@x", "a@y"]), 2: (["bob"], [])}
grouped = names.groupWith(mails, phones).mapValues(lambda vs: [sorted(v) for v in vs]).collectAsMap()
assert grouped[2] == [["bob"], [], ["123"]] and grouped[3] == [[], [], ["456"]]
sc.stop()
