"""Similar movies by the cosine of their ratings."""
from itertools import combinations
from math import sqrt

from pyspark import SparkConf, SparkContext

conf = SparkConf().setMaster("local[*]").setAppName("MovieSimilarities")
sc = SparkContext(conf=conf)
names = {1: "Alien", 2: "Aliens", 3: "Amelie"}
ratings = sc.parallelize([
    (1, 1, 5.0), (1, 2, 5.0), (1, 3, 1.0), (2, 1, 4.0), (2, 2, 5.0), (3, 1, 1.0), (3, 2, 1.0), (3, 3, 5.0)], 2)
by_user = ratings.map(lambda r: (r[0], (r[1], r[2]))).groupByKey()
pairs = by_user.flatMap(lambda ur: (((a[0], b[0]), (a[1], b[1])) for a, b in combinations(sorted(ur[1]), 2)))


def cosine(pairs):
    xx = sum(x * x for x, _ in pairs)
    yy = sum(y * y for _, y in pairs)
    xy = sum(x * y for x, y in pairs)
    return xy / (sqrt(xx) * sqrt(yy)), len(pairs)


scores = pairs.groupByKey().mapValues(list).mapValues(cosine).cache()
best = scores.filter(lambda s: s[1][1] >= 2).sortBy(lambda s: -s[1][0]).first()
assert [names[m] for m in best[0]] == ["Alien", "Aliens"] and best[1][0] > 0.98
sc.stop()
