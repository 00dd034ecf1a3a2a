"""Objects of the script's own classes in RDDs and as keys."""
from collections import namedtuple
from dataclasses import dataclass

from pyspark import SparkContext

Point = namedtuple("Point", "x y")


@dataclass(frozen=True)
class Grid:
    column: int
    row: int


class Shape:
    def __init__(self, corners):
        self.corners = corners

    def area(self):
        shifted = self.corners[1:] + self.corners[:1]
        return abs(sum(a.x * b.y - b.x * a.y for a, b in zip(self.corners, shifted))) / 2


sc = SparkContext("local[2]", "classes")
shapes = sc.parallelize([Shape([Point(0, 0), Point(n, 0), Point(n, n), Point(0, n)]) for n in range(1, 5)], 2)
assert shapes.map(lambda s: s.area()).collect() == [1.0, 4.0, 9.0, 16.0]
assert isinstance(shapes.first(), Shape) and shapes.first().corners[1] == Point(1, 0)
cells = shapes.flatMap(lambda s: s.corners).map(lambda p: (Grid(p.x // 2, p.y // 2), 1)).reduceByKey(lambda a, b: a + b)
assert cells.collectAsMap()[Grid(0, 0)] == 7
sc.stop()
