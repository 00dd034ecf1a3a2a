"""Logistic regression by gradient descent, the weights in each task's closure."""
import numpy as np
from pyspark.sql import SparkSession

spark = SparkSession.builder.appName("lr").getOrCreate()
sc = spark.sparkContext
random = np.random.RandomState(3)
x = random.normal(0, 1, (400, 3))
y = np.where(x @ np.array([2.0, -1.0, 0.5]) > 0, 1.0, -1.0)
points = sc.parallelize(list(zip(y, x)), 4).mapPartitions(
    lambda it: [np.array([np.concatenate([[label], row]) for label, row in it])]
).cache()

w = np.zeros(3)


def gradient(matrix, w):
    label, rows = matrix[:, 0], matrix[:, 1:]
    return ((1.0 / (1.0 + np.exp(-label * rows.dot(w))) - 1.0) * label * rows.T).sum(1)


for _ in range(6):
    w -= 0.05 * points.map(lambda m: gradient(m, w)).reduce(lambda a, b: a + b)
right = np.mean(np.sign(x @ w) == y)
print("weights", w, "accuracy", right)
assert right > 0.95
spark.stop()
