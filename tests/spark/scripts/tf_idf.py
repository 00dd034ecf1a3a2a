"""TF-IDF by hand."""
import math

from pyspark import SparkContext

sc = SparkContext("local[2]", "tfidf")
docs = sc.parallelize([(0, "a a b"), (1, "b c"), (2, "a c c c")], 2).mapValues(str.split).cache()
n = docs.count()
tf = docs.flatMap(lambda d: [((d[0], w), 1.0 / len(d[1])) for w in d[1]]).reduceByKey(lambda a, b: a + b)
df = docs.flatMap(lambda d: [(w, 1) for w in set(d[1])]).reduceByKey(lambda a, b: a + b)
idf = df.mapValues(lambda c: math.log(n / c))
scores = tf.map(lambda t: (t[0][1], (t[0][0], t[1]))).join(idf).map(lambda x: ((x[1][0][0], x[0]), x[1][0][1] * x[1][1]))
result = scores.collectAsMap()
assert math.isclose(result[(2, "c")], 0.75 * math.log(1.5)) and math.isclose(result[(0, "a")], 2 / 3 * math.log(1.5))
sc.stop()
