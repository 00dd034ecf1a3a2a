"""PageRank over a small web."""
import re
from operator import add

from pyspark.sql import SparkSession

EDGES = ["a b", "a c", "b c", "c a", "d c"]


def contributions(urls, rank):
    """What a page gives to each of its neighbours."""
    for url in urls:
        yield url, rank / len(urls)


def parse(line):
    parts = re.split(r"\s+", line)
    return parts[0], parts[1]


if __name__ == "__main__":
    spark = SparkSession.builder.master("local[*]").appName("PythonPageRank").getOrCreate()
    lines = spark.sparkContext.parallelize(EDGES, 2)
    links = lines.map(parse).distinct().groupByKey().cache()
    ranks = links.map(lambda neighbours: (neighbours[0], 1.0))
    for iteration in range(8):
        gifts = links.join(ranks).flatMap(lambda page: contributions(page[1][0], page[1][1]))
        ranks = gifts.reduceByKey(add).mapValues(lambda rank: rank * 0.85 + 0.15)
    result = dict(ranks.collect())
    for link, rank in sorted(result.items()):
        print("%s has rank: %s." % (link, rank))
    expected = {page: 1.0 for page in "abcd"}
    web = {"a": "bc", "b": "c", "c": "a", "d": "c"}
    for iteration in range(8):
        given = {}
        for page in set(expected) & set(web):
            for other in web[page]:
                given[other] = given.get(other, 0) + expected[page] / len(web[page])
        expected = {page: 0.85 * gift + 0.15 for page, gift in given.items()}
    assert set(result) == set("abc") and all(abs(result[page] - expected[page]) < 1e-9 for page in result)
    spark.stop()
