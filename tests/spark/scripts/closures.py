"""Functions, lambdas, partials, bound methods, nested functions and globals in tasks."""
import functools
import operator

from pyspark import SparkContext

FACTOR = 3


def scale(x):
    return x * FACTOR


class Adder:
    def __init__(self, n):
        self.n = n

    def add(self, x):
        return x + self.n

    def __call__(self, x):
        return x + 2 * self.n


def power(n):
    def inner(x):
        return x ** n

    return inner


sc = SparkContext("local", "closures")
rdd = sc.parallelize([1, 2, 3], 2)
assert rdd.map(scale).collect() == [3, 6, 9]
assert rdd.map(Adder(10).add).collect() == [11, 12, 13] and rdd.map(Adder(10)).collect() == [21, 22, 23]
assert rdd.map(power(2)).collect() == [1, 4, 9]
assert rdd.map(functools.partial(operator.mul, 5)).collect() == [5, 10, 15]
assert rdd.map(str).map(int).filter(lambda x: x in {1, 3}).collect() == [1, 3]
sc.stop()
