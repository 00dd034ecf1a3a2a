"""The two ends of a shuffle, in Python: what a map task writes, and what a reduce task makes of it.

    writer(index, values, count) -> (partition, payload) ...      reader(index, payloads) -> records

Both hold little: what does not fit in `memory_mb` of a worker goes to its local disk and is merged from there.
"""

import random
from itertools import islice
from typing import Any, Callable, Iterable, Iterator, Optional

from pyspark.core import payload as wire
from pyspark.core.hashing import is_hash_stable, portable_hash
from pyspark.resultiterable import ResultIterable
from pyspark.shuffle import ExternalGroupBy, ExternalMerger, ExternalSorter, get_used_memory

CHUNK = 4096
FLUSH_BYTES = 4 * 1024 * 1024
FLUSH_RECORDS_MAX = 1 << 20
# A worker may always take so much more than it had when it began.
MEMORY_MB_MIN = 64

Place = Callable[[Any], int]


class Combiners:
    """How values become one combiner per key; without `create` the first value is the combiner."""

    def __init__(self, create: Optional[Callable], merge_value: Callable, merge_combiners: Callable):
        self.create = create
        self.mergeValue = merge_value
        self.mergeCombiners = merge_combiners

    def createCombiner(self, value: Any) -> Any:
        return value if self.create is None else self.create(value)


def chunks(values: Iterable[Any], size: int = CHUNK) -> Iterator[list[Any]]:
    """The values in lists of a size."""
    values = iter(values)
    while some := list(islice(values, size)):
        yield some


def scatter(pairs: Iterable[Any], count: int, place: Place) -> Iterator[wire.Row]:
    """Pairs go to the partition of their key. Payloads leave as soon as enough is held."""
    buckets: list[list[Any]] = [[] for _ in range(count)]
    appends = [bucket.append for bucket in buckets]
    is_plain = place is portable_hash and is_hash_stable()
    held, limit = 0, CHUNK
    for chunk in chunks(pairs):
        if is_plain:
            for pair in chunk:
                key = pair[0]
                kind = type(key)
                appends[(hash(key) if kind is str or kind is int else place(key)) % count](pair)
        else:
            for pair in chunk:
                appends[place(pair[0]) % count](pair)
        held += len(chunk)
        if held >= limit:
            flushed = 0
            for row in flush(buckets):
                flushed += len(row[1])
                yield row
            limit = next_limit(limit, flushed)
            held = 0
    yield from flush(buckets)


def flush(buckets: list[list[Any]]) -> Iterator[wire.Row]:
    for pid, bucket in enumerate(buckets):
        if bucket:
            yield pid, wire.dumps(bucket)
            bucket.clear()


def next_limit(limit: int, flushed: int) -> int:
    if flushed < FLUSH_BYTES:
        return min(limit * 2, FLUSH_RECORDS_MAX)
    return max(limit // 2, 1) if flushed > 4 * FLUSH_BYTES else limit


def combined(pairs: Iterable[Any], combiners: Combiners, memory_mb: int, are_values: bool) -> Iterable[tuple[Any, Any]]:
    """One pair per key, out of values or out of combiners."""
    data: dict[Any, Any] = {}
    create = combiners.create if are_values else None
    merge = combiners.mergeValue if are_values else combiners.mergeCombiners
    limit = max(memory_mb, get_used_memory() + MEMORY_MB_MIN)
    pairs = iter(pairs)
    for chunk in chunks(pairs):
        if create is None:
            for key, value in chunk:
                data[key] = merge(data[key], value) if key in data else value
        else:
            for key, value in chunk:
                data[key] = merge(data[key], value) if key in data else create(value)
        if get_used_memory() >= limit:
            return spilled(ExternalMerger(combiners, limit), data, pairs, are_values)
    return data.items()


def grouped(pairs: Iterable[Any], memory_mb: int) -> Iterable[tuple[Any, Any]]:
    """A list of values per key."""
    data: dict[Any, list[Any]] = {}
    limit = max(memory_mb, get_used_memory() + MEMORY_MB_MIN)
    pairs = iter(pairs)
    for chunk in chunks(pairs):
        for key, value in chunk:
            if key in data:
                data[key].append(value)
            else:
                data[key] = [value]
        if get_used_memory() >= limit:
            return spilled(ExternalGroupBy(Combiners(_listed, _appended, _extended), limit), data, pairs, True)
    return data.items()


def spilled(merger: Any, data: dict[Any, Any], rest: Iterator[Any], are_values: bool) -> Iterable[tuple[Any, Any]]:
    """Goes on with local disk, as PySpark's merger does it."""
    merger.data = data
    merger._spill()
    if are_values:
        merger.mergeValues(rest)
    else:
        merger.mergeCombiners(rest)
    return merger.items()


def _listed(value: Any) -> list[Any]:
    return [value]


def _appended(values: list[Any], value: Any) -> list[Any]:
    values.append(value)
    return values


def _extended(values: list[Any], more: list[Any]) -> list[Any]:
    values.extend(more)
    return values


class ByKey:
    """Writer: pairs to the partition of their key."""

    def __init__(self, place: Place):
        self.place = place

    def __call__(self, index: int, values: Iterable[Any], count: int) -> Iterator[wire.Row]:
        return scatter(values, count, self.place)


class Combined:
    """Writer: pairs combined by key, then to the partition of their key."""

    def __init__(self, combiners: Combiners, place: Place, memory_mb: int):
        self.combiners = combiners
        self.place = place
        self.memory_mb = memory_mb

    def __call__(self, index: int, values: Iterable[Any], count: int) -> Iterator[wire.Row]:
        yield from scatter(combined(values, self.combiners, self.memory_mb, True), count, self.place)


class Spread:
    """Writer: records to all partitions in turn, a few at a time, from one that the map task's index picks."""

    RECORDS = 10

    def __call__(self, index: int, values: Iterable[Any], count: int) -> Iterator[wire.Row]:
        at = random.Random(index).randrange(count)
        placed = ((at + turn, few) for turn, few in enumerate(chunks(values, self.RECORDS)))
        for pid, lists in scatter(placed, count, int):
            yield pid, wire.dumps([record for _, few in wire.loads(lists) for record in few])


class Numbered:
    """Writer: everything stays in its partition, in order whatever order it arrives in."""

    def __call__(self, index: int, values: Iterable[Any], count: int) -> Iterator[wire.Row]:
        for number, payload in enumerate(wire.payloads(values)):
            yield index, number.to_bytes(8, "big") + payload


class Replicated:
    """Writer: a copy to each partition of a product that this one has a part in; `others` are those on the right."""

    def __init__(self, is_left: bool, others: int):
        self.is_left = is_left
        self.others = others

    def __call__(self, index: int, values: Iterable[Any], count: int) -> Iterator[wire.Row]:
        if self.is_left:
            targets = range(index * self.others, (index + 1) * self.others)
        else:
            targets = range(index, count, self.others)
        for number, payload in enumerate(wire.payloads(values)):
            for pid in targets:
                yield pid, number.to_bytes(8, "big") + payload


class Read:
    """Reader: records as they come."""

    def __call__(self, index: int, payloads: Iterable[bytes]) -> Iterator[Any]:
        return wire.records(payloads)


class Merged:
    """Reader: one pair per key out of what map tasks combined, or of values if they did not."""

    def __init__(self, combiners: Combiners, memory_mb: int, are_values: bool = False):
        self.combiners = combiners
        self.memory_mb = memory_mb
        self.are_values = are_values

    def __call__(self, index: int, payloads: Iterable[bytes]) -> Iterator[Any]:
        return self.merge(index, wire.records(payloads))

    def merge(self, index: int, pairs: Iterable[Any]) -> Iterator[Any]:
        yield from combined(pairs, self.combiners, self.memory_mb, self.are_values)


class Grouped:
    """Reader: a key and all its values."""

    def __init__(self, memory_mb: int):
        self.memory_mb = memory_mb

    def __call__(self, index: int, payloads: Iterable[bytes]) -> Iterator[Any]:
        return self.merge(index, wire.records(payloads))

    def merge(self, index: int, pairs: Iterable[Any]) -> Iterator[Any]:
        for key, values in grouped(pairs, self.memory_mb):
            yield key, ResultIterable(values)


class Sorted:
    """Reader: pairs in the order of their keys."""

    def __init__(self, key: Callable[[Any], Any], ascending: bool, memory_mb: int):
        self.key = key
        self.ascending = ascending
        self.memory_mb = memory_mb

    def __call__(self, index: int, payloads: Iterable[bytes]) -> Iterator[Any]:
        return self.merge(index, wire.records(payloads))

    def merge(self, index: int, pairs: Iterable[Any]) -> Iterator[Any]:
        key = self.key
        sorter = ExternalSorter(max(self.memory_mb, get_used_memory() + MEMORY_MB_MIN))
        yield from sorter.sorted(pairs, key=lambda pair: key(pair[0]), reverse=not self.ascending)


class Cogrouped:
    """Reader of several inputs: a key and a list of values per input, through `emit(key, lists)`."""

    def __init__(self, inputs: int, emit: Callable[[Any, Any], Iterable[Any]], memory_mb: int):
        self.inputs = inputs
        self.emit = emit
        self.memory_mb = memory_mb

    def __call__(self, index: int, payloads: Iterable[tuple[int, bytes]]) -> Iterator[Any]:
        tagged = ((key, (tag, value)) for tag, payload in payloads for key, value in wire.loads(payload))
        combiners = Combiners(self.create, self.merge_value, self.merge_lists)
        for key, lists in combined(tagged, combiners, self.memory_mb, True):
            yield from self.emit(key, lists)

    def create(self, tagged: tuple[int, Any]) -> tuple[list[Any], ...]:
        lists: tuple[list[Any], ...] = tuple([] for _ in range(self.inputs))
        lists[tagged[0]].append(tagged[1])
        return lists

    def merge_value(self, lists: tuple[list[Any], ...], tagged: tuple[int, Any]) -> tuple[list[Any], ...]:
        lists[tagged[0]].append(tagged[1])
        return lists

    def merge_lists(self, lists: tuple[list[Any], ...], more: tuple[list[Any], ...]) -> tuple[list[Any], ...]:
        for values, others in zip(lists, more):
            values.extend(others)
        return lists


def _sides(payloads: Iterable[tuple[int, bytes]]) -> tuple[list[bytes], list[bytes]]:
    """Numbered payloads of two inputs, each in order."""
    sides: tuple[list[bytes], list[bytes]] = ([], [])
    for tag, payload in payloads:
        sides[tag].append(payload)
    for side in sides:
        side.sort(key=lambda payload: payload[:8])
    return sides


def _records(numbered: list[bytes]) -> Iterator[Any]:
    return wire.records(memoryview(payload)[8:] for payload in numbered)


class Zipped:
    """Reader of two inputs: the first record of one with the first of the other, and so on."""

    def __call__(self, index: int, payloads: Iterable[tuple[int, bytes]]) -> Iterator[Any]:
        left, right = map(_records, _sides(payloads))
        nothing = object()
        for one in left:
            other = next(right, nothing)
            if other is nothing:
                raise ValueError("Can only zip with RDD which has the same number of elements in each partition")
            yield one, other
        if next(right, nothing) is not nothing:
            raise ValueError("Can only zip with RDD which has the same number of elements in each partition")


class Crossed:
    """Reader of two inputs: every record of one with every record of the other."""

    def __call__(self, index: int, payloads: Iterable[tuple[int, bytes]]) -> Iterator[Any]:
        left, right = _sides(payloads)
        for one in _records(left):
            for other in _records(right):
                yield one, other
