"""Where an RDD comes from, and how that becomes frames.

    Slices, FrameRows   made of the program's data, of a DataFrame
    Mapped              a function over each partition of one RDD
    Shuffled            records of RDDs written to new partitions and read there
    United, Coalesced   partitions beside each other, partitions merged

Nothing is computed until an action builds frames. Functions of `Mapped` pile up in a `Pending` until something needs
rows: then they become one `mapInArrow`.
"""

from typing import Any, Callable, Iterable, Optional

from pyspark.core import payload as wire
from pyspark.core.task import Buckets, Columns, Frame, Function, Indexes, Partition, Source, Stage, Stored
from pyspark.errors import PySparkRuntimeError

# Data of the program travels within the function up to this size, and else as rows.
INLINE_BYTES = 512 * 1024


class Pending:
    """A frame, and what a worker still has to do with its rows."""

    def __init__(self, frame: Any, source: Source, functions: tuple[Function, ...] = ()):
        self.frame = frame
        self.source = source
        self.functions = functions


class Build:
    """Turns lineage into frames, for one action."""

    def __init__(self, context: Any):
        self.context = context
        self.frames = context._frames
        # How many tasks each stage has that Python computes.
        self.stages: list[int] = []

    def pending(self, rdd: Any, wanted: Optional[range] = None) -> Pending:
        """What an RDD is made of. `wanted` says which partitions matter; others need not be right."""
        kept = rdd._kept_frame()
        if kept is None:
            return rdd._node.pending(self, wanted)
        frame = kept if wanted is None else self.frames.only(kept, wanted)
        return Pending(self.frames.exchanged(frame, rdd.getNumPartitions()), Stored(is_kept=True))

    def finished(self, rdd: Any, wanted: Optional[range] = None, shift: int = 0) -> Any:
        """The rows of an RDD, its partitions renumbered by `shift`."""
        return self.run(self.pending(rdd, wanted), Partition(shift), rdd, wanted)

    def run(self, pending: Pending, sink: Any, rdd: Any, wanted: Optional[range] = None, schema: Any = None) -> Any:
        """One stage."""
        self.stages.append(rdd._node.count_hint() if wanted is None else len(wanted))
        properties = self.context._task_properties(rdd)
        stage = Stage(pending.source, pending.functions, sink, properties, wanted)
        return self.frames.run(pending.frame, stage, schema)


class Node:
    """A kind of origin."""

    name = "RDD"
    parents: list[Any] = []

    def count(self) -> int:
        """How many partitions there are."""
        raise NotImplementedError

    def count_hint(self) -> int:
        """As `count`, but 1 where that would run a job."""
        return self.count()

    def pending(self, build: Build, wanted: Optional[range]) -> Pending:
        raise NotImplementedError

    def has_exchange(self) -> bool:
        """Whether computing a single partition takes work on all of an earlier stage."""
        return any(parent._kept is None and parent._node.has_exchange() for parent in self.parents)

    def reads_frame(self) -> bool:
        """Whether the server alone knows how many partitions there are."""
        return any(parent._kept is None and parent._node.reads_frame() for parent in self.parents)


class Slices(Node):
    """Data of the program: for each partition a range, or its records pickled."""

    name = "ParallelCollectionRDD"

    def __init__(self, slices: list[Any]):
        self.slices = slices
        size = sum(len(held) for held in slices if isinstance(held, bytes))
        self.is_inline = size <= INLINE_BYTES

    def count(self) -> int:
        return len(self.slices)

    def has_exchange(self) -> bool:
        return not self.is_inline

    def pending(self, build: Build, wanted: Optional[range]) -> Pending:
        indexes = range(len(self.slices)) if wanted is None else wanted
        if self.is_inline:
            slices = {index: self.slices[index] for index in indexes}
            return Pending(build.frames.indexes(indexes), Indexes(slices))
        rows = ((index, self.slices[index] if index in indexes else wire.EMPTY) for index in range(len(self.slices)))
        stored = build.frames.stored(rows)
        return Pending(build.frames.exchanged(stored, len(self.slices)), Stored())


class FrameRows(Node):
    """The rows of a DataFrame, partition by partition, made values in the worker by `convert(batch)`."""

    def __init__(self, frame: Any, convert: Callable[[Any], Iterable[Any]], name: str, count: Callable[[Any], int]):
        self.frame = frame
        self.convert = convert
        self.name = name
        self.count_of = count
        self.counted: Optional[int] = None

    def count(self) -> int:
        if self.counted is None:
            self.counted = self.count_of(self.frame)
        return self.counted

    def count_hint(self) -> int:
        return self.counted or 1

    def reads_frame(self) -> bool:
        return True

    def pending(self, build: Build, wanted: Optional[range]) -> Pending:
        return Pending(self.frame, Frame(self.convert))


class Mapped(Node):
    """What `function(index, values)` gives for each partition of another RDD."""

    name = "PythonRDD"

    def __init__(self, parent: Any, function: Function):
        self.parents = [parent]
        self.function = function

    def count(self) -> int:
        return self.parents[0].getNumPartitions()

    def count_hint(self) -> int:
        return self.parents[0]._node.count_hint()

    def pending(self, build: Build, wanted: Optional[range]) -> Pending:
        held = build.pending(self.parents[0], wanted)
        return Pending(held.frame, held.source, (*held.functions, self.function))


class Shuffled(Node):
    """Records of one or several RDDs, moved by their writers and read by `read(index, payloads)`.

    Without a writer an RDD's partitions are already those of the result. With several RDDs the reader gets
    `(number of the RDD, payload)`.
    """

    name = "ShuffledRDD"

    def __init__(self, inputs: list[tuple[Any, Optional[Callable]]], count: int, read: Function):
        if count < 1:
            raise ValueError(f"number of partitions must be positive, got {count}")
        self.inputs = inputs
        self.parents = [rdd for rdd, _ in inputs]
        self.partitions = count
        self.read = read

    def count(self) -> int:
        return self.partitions

    def has_exchange(self) -> bool:
        return True

    def reads_frame(self) -> bool:
        return False

    def pending(self, build: Build, wanted: Optional[range]) -> Pending:
        frames = []
        for tag, (rdd, write) in enumerate(self.inputs):
            if rdd._node.count_hint() == 0:
                continue
            if write is None:
                frame = build.finished(rdd, wanted)
            else:
                frame = build.run(build.pending(rdd), Buckets(self.partitions, write, wanted), rdd)
            frames.append(build.frames.tagged(frame, tag) if len(self.inputs) > 1 else frame)
        if not frames:
            return Pending(build.frames.indexes(range(self.partitions)), Indexes(), (self.read,))
        moved = build.frames.exchanged(build.frames.union(frames), self.partitions)
        return Pending(moved, Stored(is_raw=True), (self.read,))


class United(Node):
    """The partitions of several RDDs, one RDD after the other."""

    name = "UnionRDD"

    def __init__(self, parents: list[Any]):
        self.parents = parents

    def count(self) -> int:
        return sum(parent.getNumPartitions() for parent in self.parents)

    def count_hint(self) -> int:
        return sum(parent._node.count_hint() for parent in self.parents)

    def pending(self, build: Build, wanted: Optional[range]) -> Pending:
        frames = []
        start = 0
        for parent in self.parents:
            count = parent._node.count_hint() if parent is self.parents[-1] else parent.getNumPartitions()
            part = None
            if wanted is not None:
                part = range(max(wanted.start - start, 0), min(wanted.stop - start, count))
            if count > 0 and (part is None or len(part) > 0):
                frames.append(build.finished(parent, part, start))
            start += count
        if not frames:
            return Pending(build.frames.indexes(range(0)), Indexes())
        return Pending(build.frames.union(frames), Stored())


class Coalesced(Node):
    """Neighbouring partitions of an RDD merged."""

    name = "CoalescedRDD"

    def __init__(self, parent: Any, count: int):
        self.parents = [parent]
        self.partitions = count

    def count(self) -> int:
        return min(self.partitions, self.parents[0].getNumPartitions())

    def pending(self, build: Build, wanted: Optional[range]) -> Pending:
        parent = self.parents[0]
        before, after = parent.getNumPartitions(), self.count()
        frame = build.frames.coalesced(build.finished(parent), after)
        return Pending(frame, Stored(group=Group(before, after)))


class Group:
    """Which of `after` groups a partition of `before` is in; groups are as even as they can be."""

    def __init__(self, before: int, after: int):
        self.before = before
        self.after = after

    def __call__(self, partition: int) -> int:
        group = partition * self.after // self.before
        while (group + 1) * self.before // self.after <= partition:
            group += 1
        return group


def columns(build: Build, rdd: Any, convert: Callable, schema: Any) -> Any:
    """The DataFrame that an RDD's records become."""
    if rdd._node.count_hint() == 0:
        raise PySparkRuntimeError("an RDD without partitions has no rows")
    return build.run(build.pending(rdd), Columns(convert), rdd, schema=schema)
