"""Pi by throwing darts."""
import sys
from operator import add
from random import Random

from pyspark.sql import SparkSession

if __name__ == "__main__":
    spark = SparkSession.builder.appName("PythonPi").getOrCreate()
    partitions = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    n = 50000 * partitions

    def throw(index, numbers):
        random = Random(index)
        for _ in numbers:
            x, y = random.random() * 2 - 1, random.random() * 2 - 1
            yield 1 if x ** 2 + y ** 2 <= 1 else 0

    count = spark.sparkContext.parallelize(range(1, n + 1), partitions).mapPartitionsWithIndex(throw).reduce(add)
    pi = 4.0 * count / n
    print("Pi is roughly %f" % pi)
    assert 3.1 < pi < 3.2
    spark.stop()
