"""What an RDD of pairs can do besides: grouping, joining and sorting by key."""

import bisect
import copy
import random
from collections import defaultdict
from typing import Any, Callable, Iterable, Iterator, Optional

from pyspark.core.exchange import ByKey, Cogrouped, Combined, Combiners, Grouped, Merged, Read, Sorted
from pyspark.core.hashing import Partitioner, is_hash_stable, portable_hash
from pyspark.core.lineage import Shuffled
from pyspark.rddsampler import RDDStratifiedSampler
from pyspark.resultiterable import ResultIterable

Place = Callable[[Any], int]

# So many keys per partition of the result are looked at to find the bounds of a sort.
SAMPLED_KEYS = 60


class PairOperations:
    """Operations by key; mixed into RDD."""

    # Shape

    def keys(self) -> Any:
        """The first of each pair."""
        return self.map(lambda pair: pair[0])

    def values(self) -> Any:
        """The second of each pair."""
        return self.map(lambda pair: pair[1])

    def mapValues(self, f: Callable) -> Any:
        """`f` of each value, under the same key."""
        return self._mapped(lambda _, pairs: ((key, f(value)) for key, value in pairs), True)

    def flatMapValues(self, f: Callable) -> Any:
        """All that `f` gives for each value, under the same key."""
        return self._mapped(lambda _, pairs: ((key, one) for key, value in pairs for one in f(value)), True)

    # Shuffles

    def _places(self, numPartitions: Optional[int], place: Place) -> Partitioner:
        count = self._reduce_partitions() if numPartitions is None else int(numPartitions)
        return Partitioner(max(count, 1), place)

    def _reduce_partitions(self) -> int:
        """As many as the configuration says, or as this RDD has."""
        if self.ctx._conf.contains("spark.default.parallelism") or self._node.reads_frame():
            return self.ctx.defaultParallelism
        return self.getNumPartitions()

    def _shuffled(self, write: Callable, to: Partitioner, read: Callable) -> Any:
        return self._derived(Shuffled([(self, write)], to.numPartitions, read), to)

    def partitionBy(self, numPartitions: Optional[int], partitionFunc: Place = portable_hash) -> Any:
        """Each pair in the partition of its key."""
        to = self._places(numPartitions, partitionFunc)
        if self.partitioner == to:
            return self
        return self._shuffled(ByKey(partitionFunc), to, Read())

    def combineByKey(
        self,
        createCombiner: Callable,
        mergeValue: Callable,
        mergeCombiners: Callable,
        numPartitions: Optional[int] = None,
        partitionFunc: Place = portable_hash,
    ) -> Any:
        """One combiner per key, begun in map tasks and merged after the shuffle."""
        return self._combined(Combiners(createCombiner, mergeValue, mergeCombiners), numPartitions, partitionFunc)

    def _combined(self, combiners: Combiners, numPartitions: Optional[int], place: Place) -> Any:
        to = self._places(numPartitions, place)
        memory = self.ctx._worker_memory_mb()
        if self.partitioner == to:
            return self._mapped(Merged(combiners, memory, are_values=True).merge, True)
        return self._shuffled(Combined(combiners, place, memory), to, Merged(combiners, memory))

    def reduceByKey(
        self, func: Callable, numPartitions: Optional[int] = None, partitionFunc: Place = portable_hash
    ) -> Any:
        """The values of a key made one by `func`."""
        return self._combined(Combiners(None, func, func), numPartitions, partitionFunc)

    def foldByKey(
        self, zeroValue: Any, func: Callable, numPartitions: Optional[int] = None, partitionFunc: Place = portable_hash
    ) -> Any:
        """As `reduceByKey`, each map task's part of a key beginning with a neutral value."""
        create = _Beginning(zeroValue, func)
        return self._combined(Combiners(create, func, func), numPartitions, partitionFunc)

    def aggregateByKey(
        self,
        zeroValue: Any,
        seqFunc: Callable,
        combFunc: Callable,
        numPartitions: Optional[int] = None,
        partitionFunc: Place = portable_hash,
    ) -> Any:
        """The values of a key into aggregates, the aggregates into one."""
        create = _Beginning(zeroValue, seqFunc)
        return self._combined(Combiners(create, seqFunc, combFunc), numPartitions, partitionFunc)

    def groupByKey(self, numPartitions: Optional[int] = None, partitionFunc: Place = portable_hash) -> Any:
        """All values of a key together."""
        to = self._places(numPartitions, partitionFunc)
        grouped = Grouped(self.ctx._worker_memory_mb())
        if self.partitioner == to:
            return self._mapped(grouped.merge, True)
        return self._shuffled(ByKey(partitionFunc), to, grouped)

    def repartitionAndSortWithinPartitions(
        self,
        numPartitions: Optional[int] = None,
        partitionFunc: Place = portable_hash,
        ascending: Any = True,
        keyfunc: Callable[[Any], Any] = lambda x: x,
    ) -> Any:
        """Each pair in the partition of its key, and each partition in the order of keys."""
        to = self._places(numPartitions, partitionFunc)
        return self._shuffled(ByKey(partitionFunc), to, Sorted(keyfunc, bool(ascending), self.ctx._worker_memory_mb()))

    def sortByKey(
        self,
        ascending: Optional[bool] = True,
        numPartitions: Optional[int] = None,
        keyfunc: Callable[[Any], Any] = lambda x: x,
    ) -> Any:
        """In the order of keys, over all partitions."""
        count = self._reduce_partitions() if numPartitions is None else int(numPartitions)
        count = max(count, 1)
        bounds = self._bounds(count, keyfunc) if count > 1 else []
        count = min(count, len(bounds) + 1)
        place = _Between(bounds, keyfunc, bool(ascending))
        return self._shuffled(
            ByKey(place), Partitioner(count, place), Sorted(keyfunc, bool(ascending), self.ctx._worker_memory_mb())
        )

    def _bounds(self, count: int, keyfunc: Callable[[Any], Any]) -> list[Any]:
        """Keys between which there are about equally many pairs, from one pass over a sample."""
        per_partition = max(SAMPLED_KEYS * count // max(self._node.count_hint(), 1), 20)
        sampled = self._mapped(_KeySample(per_partition)).collect()
        weighted = [(keyfunc(key), seen / len(keys)) for seen, keys in sampled for key in keys]
        weighted.sort(key=lambda pair: pair[0])
        total = sum(weight for _, weight in weighted)
        bounds: list[Any] = []
        passed = 0.0
        for key, weight in weighted:
            passed += weight
            if len(bounds) < count - 1 and passed >= total * (len(bounds) + 1) / count:
                if not bounds or bounds[-1] < key:
                    bounds.append(key)
        return bounds

    # Joins

    def _cogrouped(self, others: tuple[Any, ...], numPartitions: Optional[int], emit: Callable) -> Any:
        """A shuffle of this RDD and others, without moving those that lie right already."""
        rdds = (self, *others)
        to = self._common_places(rdds, numPartitions)
        inputs = [(rdd, None if rdd.partitioner == to else ByKey(to.partitionFunc)) for rdd in rdds]
        read = Cogrouped(len(rdds), emit, self.ctx._worker_memory_mb())
        return self._derived(Shuffled(inputs, to.numPartitions, read), to)

    def _common_places(self, rdds: tuple[Any, ...], numPartitions: Optional[int]) -> Partitioner:
        placed = [rdd.partitioner for rdd in rdds if rdd.partitioner and rdd.partitioner.partitionFunc == portable_hash]
        if numPartitions is not None:
            return Partitioner(int(numPartitions), portable_hash)
        if placed:
            return max(placed, key=lambda partitioner: partitioner.numPartitions)
        return Partitioner(max(1, *(rdd._reduce_partitions() for rdd in rdds)), portable_hash)

    def cogroup(self, other: Any, numPartitions: Optional[int] = None) -> Any:
        """A key with its values here and its values there."""
        return self._cogrouped((other,), numPartitions, _all_lists)

    def groupWith(self, other: Any, *others: Any) -> Any:
        """`cogroup` of several."""
        return self._cogrouped((other, *others), None, _all_lists)

    def join(self, other: Any, numPartitions: Optional[int] = None) -> Any:
        """Every value here with every value there of the same key."""
        return self._cogrouped((other,), numPartitions, _inner)

    def leftOuterJoin(self, other: Any, numPartitions: Optional[int] = None) -> Any:
        """As `join`; a value here without any there goes with None."""
        return self._cogrouped((other,), numPartitions, _left)

    def rightOuterJoin(self, other: Any, numPartitions: Optional[int] = None) -> Any:
        """As `join`; a value there without any here goes with None."""
        return self._cogrouped((other,), numPartitions, _right)

    def fullOuterJoin(self, other: Any, numPartitions: Optional[int] = None) -> Any:
        """As `join`; values without any on the other side go with None."""
        return self._cogrouped((other,), numPartitions, _full)

    def subtractByKey(self, other: Any, numPartitions: Optional[int] = None) -> Any:
        """The pairs whose key is not in the other."""
        return self._cogrouped((other,), numPartitions, _only_left)

    # Actions

    def collectAsMap(self) -> dict[Any, Any]:
        """All pairs as a dict; of several with one key the last."""
        return dict(self.collect())

    def reduceByKeyLocally(self, func: Callable) -> dict[Any, Any]:
        """As `reduceByKey`, merged here into a dict."""

        def reduced(_: int, pairs: Iterable[Any]) -> Iterator[Any]:
            held: dict[Any, Any] = {}
            for key, value in pairs:
                held[key] = func(held[key], value) if key in held else value
            yield held

        total: dict[Any, Any] = {}
        for held in self._mapped(reduced).collect():
            for key, value in held.items():
                total[key] = func(total[key], value) if key in total else value
        return total

    def countByKey(self) -> dict[Any, int]:
        """How many pairs each key has."""
        total: dict[Any, int] = defaultdict(int)
        total.update(self.keys().countByValue())
        return total

    def lookup(self, key: Any) -> list[Any]:
        """The values of a key, from its partition alone if that is known."""
        found = self._mapped(lambda _, pairs: (pair[1] for pair in pairs if pair[0] == key))
        if self.partitioner is None or not (is_hash_stable() or type(key) is int):
            return found.collect()
        index = self.partitioner(key)
        return found._collected(range(index, index + 1)).get(index, [])

    def sampleByKey(self, withReplacement: bool, fractions: dict[Any, float], seed: Optional[int] = None) -> Any:
        """About a fraction of each key's pairs."""
        for fraction in fractions.values():
            if fraction < 0:
                raise ValueError("fractions must be nonnegative")
        return self._mapped(RDDStratifiedSampler(withReplacement, fractions, seed).func, True)


class _Beginning:
    """The combiner of a first value: a copy of the zero value with the value added."""

    def __init__(self, zero: Any, add: Callable):
        self.zero = zero
        self.add = add

    def __call__(self, value: Any) -> Any:
        return self.add(copy.deepcopy(self.zero), value)


class _Between:
    """The partition of a key by sorted bounds."""

    def __init__(self, bounds: list[Any], keyfunc: Callable[[Any], Any], ascending: bool):
        self.bounds = bounds
        self.keyfunc = keyfunc
        self.ascending = ascending

    def __call__(self, key: Any) -> int:
        at = bisect.bisect_left(self.bounds, self.keyfunc(key))
        return at if self.ascending else len(self.bounds) - at


class _KeySample:
    """How many pairs a partition has, and some of their keys at random."""

    def __init__(self, size: int):
        self.size = size

    def __call__(self, index: int, pairs: Iterable[Any]) -> Iterator[Any]:
        chance = random.Random(index)
        keys: list[Any] = []
        seen = 0
        for pair in pairs:
            seen += 1
            if len(keys) < self.size:
                keys.append(pair[0])
            else:
                at = int(chance.random() * seen)
                if at < self.size:
                    keys[at] = pair[0]
        if keys:
            yield seen, keys


def _all_lists(key: Any, lists: tuple[list[Any], ...]) -> Iterator[Any]:
    yield key, tuple(ResultIterable(values) for values in lists)


def _inner(key: Any, lists: tuple[list[Any], ...]) -> Iterator[Any]:
    return ((key, (one, other)) for one in lists[0] for other in lists[1])


def _left(key: Any, lists: tuple[list[Any], ...]) -> Iterator[Any]:
    return ((key, (one, other)) for one in lists[0] for other in lists[1] or (None,))


def _right(key: Any, lists: tuple[list[Any], ...]) -> Iterator[Any]:
    return ((key, (one, other)) for one in lists[0] or (None,) for other in lists[1])


def _full(key: Any, lists: tuple[list[Any], ...]) -> Iterator[Any]:
    return ((key, (one, other)) for one in lists[0] or (None,) for other in lists[1] or (None,))


def _only_left(key: Any, lists: tuple[list[Any], ...]) -> Iterator[Any]:
    return iter(()) if lists[1] else ((key, value) for value in lists[0])
