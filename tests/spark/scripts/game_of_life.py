"""Conway's game of life, a generation per shuffle."""
from pyspark import SparkContext

sc = SparkContext("local[2]", "life")
cells = sc.parallelize([(1, 0), (1, 1), (1, 2)], 2)


def neighbours(cell):
    x, y = cell
    return [((x + dx, y + dy), 0 if dx == dy == 0 else 1) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]


def step(cells):
    counted = cells.flatMap(neighbours).aggregateByKey(
        (False, 0), lambda s, n: (s[0] or n == 0, s[1] + n), lambda a, b: (a[0] or b[0], a[1] + b[1]), 2)
    return counted.filter(lambda kv: kv[1][1] == 3 or (kv[1][0] and kv[1][1] == 2)).keys()


after = step(cells)
assert sorted(after.collect()) == [(0, 1), (1, 1), (2, 1)]
assert sorted(step(after).collect()) == [(1, 0), (1, 1), (1, 2)]
sc.stop()
