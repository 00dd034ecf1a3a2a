"""What an RDD of numbers can do besides, and approximate counts."""

import bisect
import math
from typing import Any, Callable, Iterable, Iterator, Optional, Union

from pyspark.core.hashing import portable_hash
from pyspark.statcounter import StatCounter

MASK = (1 << 64) - 1


class BoundedFloat(float):
    """A number with bounds that hold with some confidence. Here it is exact."""

    confidence: float
    low: float
    high: float

    def __new__(cls, mean: float, confidence: float, low: float, high: float) -> "BoundedFloat":
        made = float.__new__(cls, mean)
        made.confidence = confidence
        made.low = low
        made.high = high
        return made


class StatisticsOperations:
    """Sums, extremes, moments and histograms; mixed into RDD."""

    def max(self, key: Optional[Callable[[Any], Any]] = None) -> Any:
        """The largest record."""
        if key is None:
            return self.reduce(max)
        return self.reduce(lambda one, other: max(one, other, key=key))

    def min(self, key: Optional[Callable[[Any], Any]] = None) -> Any:
        """The smallest record."""
        if key is None:
            return self.reduce(min)
        return self.reduce(lambda one, other: min(one, other, key=key))

    def sum(self) -> Any:
        """All records added."""
        return sum(self._mapped(lambda _, values: (sum(held) for held in (values,))).collect())

    def stats(self) -> StatCounter:
        """Count, mean, variance and extremes."""
        return self._mapped(lambda _, values: (StatCounter(held) for held in (values,))).reduce(
            lambda one, other: one.mergeStats(other)
        )

    def mean(self) -> float:
        """The mean."""
        return self.stats().mean()

    def variance(self) -> float:
        """The variance, of the records as all there are."""
        return self.stats().variance()

    def stdev(self) -> float:
        """The standard deviation, of the records as all there are."""
        return self.stats().stdev()

    def sampleStdev(self) -> float:
        """The standard deviation, of the records as a sample."""
        return self.stats().sampleStdev()

    def sampleVariance(self) -> float:
        """The variance, of the records as a sample."""
        return self.stats().sampleVariance()

    def histogram(self, buckets: Any) -> tuple[Any, list[int]]:
        """How many records lie in each bucket: between sorted bounds, or in so many buckets of equal width."""
        if isinstance(buckets, bool) or not isinstance(buckets, (int, list, tuple)):
            raise TypeError("buckets should be a list or tuple or number(int or long)")
        if isinstance(buckets, int):
            bounds = self._even_bounds(buckets)
        else:
            bounds = _checked_bounds(buckets)
        counted = self._mapped(_Histogram(list(bounds))).collect()
        return bounds, [sum(counts) for counts in zip(*counted)] or [0] * (len(bounds) - 1)

    def _even_bounds(self, count: int) -> list[Any]:
        if count < 1:
            raise ValueError("number of buckets must be >= 1")
        usable = self.filter(lambda value: value is not None and not (isinstance(value, float) and math.isnan(value)))
        extremes = usable._mapped(_extremes).collect()
        if not extremes:
            raise ValueError("can not generate buckets from empty RDD")
        low, high = min(one for one, _ in extremes), max(other for _, other in extremes)
        if low == high or count == 1:
            return [low, high]
        try:
            width = (high - low) / count
        except TypeError:
            raise TypeError("Can not generate buckets with non-number in RDD") from None
        if math.isinf(width):
            raise ValueError("Can not generate buckets with infinite value")
        if isinstance(low, int) and isinstance(high, int) and (high - low) % count == 0:
            width = int(width)
        return [low + at * width for at in range(count)] + [high]

    def countApprox(self, timeout: int, confidence: float = 0.95) -> int:
        """The number of records: exact, whatever the time-out."""
        return self.count()

    def sumApprox(self, timeout: int, confidence: float = 0.95) -> BoundedFloat:
        """The sum: exact, whatever the time-out."""
        total = float(self.sum())
        return BoundedFloat(total, 1.0, total, total)

    def meanApprox(self, timeout: int, confidence: float = 0.95) -> BoundedFloat:
        """The mean: exact, whatever the time-out."""
        mean = float(self.mean())
        return BoundedFloat(mean, 1.0, mean, mean)

    def countApproxDistinct(self, relativeSD: float = 0.05) -> int:
        """About how many different records there are, by HyperLogLog."""
        if relativeSD < 0.000017:
            raise ValueError("relativeSD should be greater than 0.000017")
        if relativeSD > 0.37:
            raise ValueError("relativeSD should be smaller than 0.37")
        bits = max(4, math.ceil(2.0 * math.log2(1.106 / relativeSD)))
        registers: dict[int, int] = {}
        for part in self._mapped(_Registers(bits)).collect():
            for at, rank in part.items():
                registers[at] = max(registers.get(at, 0), rank)
        return _estimate(registers, 1 << bits)


def _checked_bounds(buckets: Union[list[Any], tuple[Any, ...]]) -> Any:
    if len(buckets) < 2:
        raise ValueError("buckets should have more than one value")
    if any(bound is None or (isinstance(bound, float) and math.isnan(bound)) for bound in buckets):
        raise ValueError("can not have None or NaN in buckets")
    if sorted(buckets) != list(buckets):
        raise ValueError("buckets should be sorted")
    if len(set(buckets)) != len(buckets):
        raise ValueError("buckets should not contain duplicated values")
    if any(type(bound) is not type(buckets[0]) and isinstance(bound, str) for bound in buckets):
        raise TypeError("buckets should have the same type")
    return buckets


def _extremes(_: int, values: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    values = iter(values)
    for first in values:
        low = high = first
        for value in values:
            low, high = (value if value < low else low), (value if value > high else high)
        yield low, high


class _Histogram:
    """How many values of a partition lie in each bucket; the last bucket has both its bounds."""

    def __init__(self, bounds: list[Any]):
        self.bounds = bounds

    def __call__(self, _: int, values: Iterable[Any]) -> Iterator[list[int]]:
        bounds = self.bounds
        last = len(bounds) - 2
        counts = [0] * (last + 1)
        for value in values:
            if value is None or value != value or value < bounds[0] or value > bounds[-1]:
                continue
            counts[min(bisect.bisect_right(bounds, value) - 1, last)] += 1
        yield counts


class _Registers:
    """HyperLogLog's registers of a partition, those above zero."""

    def __init__(self, bits: int):
        self.bits = bits

    def __call__(self, _: int, values: Iterable[Any]) -> Iterator[dict[int, int]]:
        rest = 64 - self.bits
        registers: dict[int, int] = {}
        for value in values:
            mixed = _mixed(portable_hash(value))
            at = mixed >> rest
            rank = rest - (mixed & ((1 << rest) - 1)).bit_length() + 1
            if rank > registers.get(at, 0):
                registers[at] = rank
        yield registers


def _mixed(number: int) -> int:
    """All 64 bits made to depend on all others (the finishing step of splitmix64)."""
    number = (number + 0x9E3779B97F4A7C15) & MASK
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & MASK
    return number ^ (number >> 31)


def _estimate(registers: dict[int, int], size: int) -> int:
    zeros = size - len(registers)
    harmonic = zeros + sum(2.0**-rank for rank in registers.values())
    raw = 0.7213 / (1 + 1.079 / size) * size * size / harmonic
    if raw <= 2.5 * size and zeros:
        return round(size * math.log(size / zeros))
    return round(raw)
