"""What one task of an RDD does: the function that a `mapInArrow` runs, shipped pickled to workers.

    batches --source--> (index, values) of each partition --functions, one after the other--> sink --> batches

All narrow operations between two shuffles are functions of one stage, so that a record crosses from the server to
Python and back only once.
"""

from itertools import chain, groupby
from operator import itemgetter
from typing import Any, Callable, Iterable, Iterator, Optional, Protocol

import pyarrow as pa

from pyspark.accumulators import _accumulatorRegistry
from pyspark.core import payload as wire
from pyspark.taskcontext import TaskContext

Values = Iterable[Any]
Function = Callable[[int, Values], Values]
Batches = Iterable[pa.RecordBatch]
# Payloads of accumulators that earlier stages sent along.
Inbox = list[bytes]


class Source(Protocol):
    """How a task finds its partitions and their values in the rows that the server gives it."""

    def partitions(self, batches: Batches, inbox: Inbox) -> Iterator[tuple[int, Values]]: ...


class Sink(Protocol):
    """What becomes of a partition's values."""

    def rows(self, index: int, values: Values) -> Iterator[wire.Row]: ...

    def home(self, index: int) -> int: ...


class Indexes:
    """Rows that are nothing but a partition's index; its values are told beforehand, or there are none."""

    def __init__(self, slices: Optional[dict[int, Any]] = None):
        self.slices = slices or {}

    def partitions(self, batches: Batches, inbox: Inbox) -> Iterator[tuple[int, Values]]:
        for batch in batches:
            for index in batch.column(0).to_pylist():
                held = self.slices.get(index, ())
                yield index, wire.loads(held) if isinstance(held, bytes) else held


class Stored:
    """Rows `(pid, payload)`. `group` says which partition a stored one becomes part of."""

    def __init__(self, group: Optional[Callable[[int], int]] = None, is_raw: bool = False, is_kept: bool = False):
        self.group = group
        self.is_raw = is_raw
        self.is_kept = is_kept

    def partitions(self, batches: Batches, inbox: Inbox) -> Iterator[tuple[int, Values]]:
        rows = (row for batch in batches for row in zip(*(column.to_pylist() for column in batch.columns)))
        group = self.group
        key = itemgetter(0) if group is None else lambda row: group(row[0])
        for index, run in groupby(rows, key=key):
            held = self.payloads(run, inbox)
            yield index, held if self.is_raw else wire.records(held)
            for _ in held:
                pass

    def payloads(self, run: Iterable[Any], inbox: Inbox) -> Iterator[Any]:
        """The payloads with records in them; what accumulators got goes to the inbox, unless it was counted before."""
        for row in run:
            payload = row[-1]
            if not payload:
                continue
            if not wire.is_accumulated(payload):
                yield payload if len(row) == 2 else (row[1], payload)
            elif not self.is_kept:
                inbox.append(payload)


class Frame:
    """Rows of a DataFrame, which is one partition for each task. Its index is what the server calls the partition of
    the function's own input: in a union every input begins at 0."""

    def __init__(self, convert: Callable[[pa.RecordBatch], Iterable[Any]]):
        self.convert = convert

    def partitions(self, batches: Batches, inbox: Inbox) -> Iterator[tuple[int, Values]]:
        context = TaskContext.get()
        batches = iter(batches)
        yield (
            context.partitionId() if context is not None else 0,
            (value for batch in batches for value in self.convert(batch)),
        )
        for _ in batches:
            pass


class Partition:
    """Records stay in their partition; `shift` renumbers it, as a union does."""

    def __init__(self, shift: int = 0):
        self.shift = shift

    def home(self, index: int) -> int:
        return index + self.shift

    def rows(self, index: int, values: Values) -> Iterator[wire.Row]:
        pid = index + self.shift
        is_empty = True
        for payload in wire.payloads(values):
            is_empty = False
            yield pid, payload
        if is_empty:
            yield pid, wire.EMPTY


class Buckets:
    """Records move to one of `count` partitions; `write(index, values, count)` gives `(partition, payload)`.

    The first partition also says that all of them exist.
    """

    def __init__(
        self,
        count: int,
        write: Callable[[int, Values, int], Iterator[wire.Row]],
        wanted: Optional[range] = None,
    ):
        self.count = count
        self.write = write
        self.wanted = wanted

    def home(self, index: int) -> int:
        return index % self.count if self.wanted is None else self.wanted.start

    def rows(self, index: int, values: Values) -> Iterator[wire.Row]:
        rows = self.write(index, values, self.count)
        if index == 0:
            rows = chain(((pid, wire.EMPTY) for pid in range(self.count)), rows)
        return rows if self.wanted is None else (row for row in rows if row[0] in self.wanted)


class Columns:
    """Records become rows of a DataFrame."""

    def __init__(self, convert: Callable[[Values], Iterator[pa.RecordBatch]]):
        self.convert = convert


class Stage:
    """One stage's work; called with the server's batches, in a worker."""

    def __init__(
        self,
        source: Source,
        functions: tuple[Function, ...],
        sink: Any,
        properties: dict[str, str],
        wanted: Optional[range] = None,
    ):
        self.source = source
        self.functions = functions
        self.sink = sink
        self.properties = properties
        self.wanted = wanted

    def __call__(self, batches: Batches) -> Iterator[pa.RecordBatch]:
        self.enter()
        if isinstance(self.sink, Columns):
            return self.columns(batches)
        return wire.batches(self.rows(batches))

    def enter(self) -> None:
        """Makes known to user code what the driver set."""
        context = TaskContext.get()
        if context is not None:
            context._localProperties = {**(context._localProperties or {}), **self.properties}

    def columns(self, batches: Batches) -> Iterator[pa.RecordBatch]:
        for _, values in self.computed(batches, []):
            yield from self.sink.convert(values)

    def rows(self, batches: Batches) -> Iterator[wire.Row]:
        inbox: Inbox = []
        home = 0
        for index, values in self.computed(batches, inbox):
            home = self.sink.home(index)
            yield from self.sink.rows(index, values)
        for updates in inbox + own_updates():
            yield home, updates

    def computed(self, batches: Batches, inbox: Inbox) -> Iterator[tuple[int, Values]]:
        for index, values in self.source.partitions(batches, inbox):
            if self.wanted is None or index in self.wanted:
                for function in self.functions:
                    values = function(index, values)
                yield index, values


def own_updates() -> list[bytes]:
    """What this task added to accumulators, taken out of the worker's registry: it travels with the rows, and so
    counts exactly once, when the rows of the attempt that was committed arrive."""
    found = [(aid, held._value) for aid, held in list(_accumulatorRegistry.items()) if aid >= 0]
    for aid, _ in found:
        del _accumulatorRegistry[aid]
    return [wire.accumulated(found)] if found else []


def function_of(stage: Stage) -> Callable[[Batches], Iterator[pa.RecordBatch]]:
    """As a function of one argument, which is what `mapInArrow` checks for."""

    def run(batches: Batches) -> Iterator[pa.RecordBatch]:
        return stage(batches)

    return run
