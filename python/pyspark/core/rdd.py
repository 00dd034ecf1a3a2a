"""RDDs over a Spark Connect server: transformations, and the actions every RDD has."""

import copy
import heapq
import os
import random
import shlex
import subprocess
import sys
import threading
import warnings
from collections import defaultdict
from functools import reduce as fold_left
from itertools import chain, islice
from typing import Any, Callable, Generic, Hashable, Iterable, Iterator, Optional, TypeVar, Union

from pyspark.core.exchange import Crossed, Numbered, Read, Replicated, Spread, Zipped
from pyspark.core.hashing import Partitioner, portable_hash
from pyspark.core.lineage import Build, Coalesced, Mapped, Node, Shuffled
from pyspark.core.output import OutputOperations
from pyspark.core.pairs import PairOperations
from pyspark.core.statistics import BoundedFloat, StatisticsOperations
from pyspark.core.unsupported import unsupported
from pyspark.errors import PySparkRuntimeError
from pyspark.rddsampler import RDDRangeSampler, RDDSampler
from pyspark.storagelevel import StorageLevel

__all__ = ["BoundedFloat", "Partitioner", "PipelinedRDD", "RDD", "RDDBarrier", "portable_hash"]

T = TypeVar("T")
U = TypeVar("U")

# `take` looks into so many times more partitions when it has not found enough.
SCALE_UP = 4


def _no_value(index: int, values: Iterable[Any]) -> Iterator[Any]:
    for _ in values:
        pass
    return iter(())


class RDD(PairOperations, StatisticsOperations, OutputOperations, Generic[T]):
    """A distributed collection, computed when an action asks for it and again whenever a task is lost."""

    def __init__(self, node: Node, ctx: Any, partitioner: Optional[Partitioner] = None):
        self.ctx = ctx
        self.partitioner = partitioner
        self.is_cached = False
        self.is_checkpointed = False
        self._node = node
        self._id = ctx._next_rdd_id()
        self._name: Optional[str] = None
        self._level = StorageLevel.NONE
        # What the server keeps of it, once computed; by `persist` or a checkpoint, None before.
        self._kept: Any = None
        self._checkpoint: Optional[str] = None
        self._checkpoint_path: Optional[str] = None
        self._keeping = threading.RLock()

    def __repr__(self) -> str:
        return f"{self._node.name}[{self._id}]"

    def __getnewargs__(self) -> Any:
        raise PySparkRuntimeError(
            "an RDD was used inside a function that runs in tasks. RDD operations can only be called by the driver; "
            "collect or broadcast what the function needs, or use join (SPARK-5063)"
        )

    __reduce_ex__ = lambda self, protocol: self.__getnewargs__()  # noqa: E731

    def id(self) -> int:
        """A number of its own in this context."""
        return self._id

    @property
    def context(self) -> Any:
        """The context it was made in."""
        return self.ctx

    def _derived(self, node: Node, partitioner: Optional[Partitioner] = None) -> "RDD":
        return RDD(node, self.ctx, partitioner)

    def _mapped(self, function: Callable[[int, Iterable[Any]], Iterable[Any]], keeps: bool = False) -> "RDD":
        kind = PipelinedRDD if type(self._node) is Mapped else RDD
        return kind(Mapped(self, function), self.ctx, self.partitioner if keeps else None)

    # Keeping

    def cache(self) -> "RDD[T]":
        """Keeps it once computed."""
        self.persist(StorageLevel.MEMORY_ONLY)
        return self

    def persist(self, storageLevel: StorageLevel = StorageLevel.MEMORY_ONLY) -> "RDD[T]":
        """Keeps it once computed; where, is the server's choice."""
        self.is_cached = True
        self._level = storageLevel
        return self

    def unpersist(self, blocking: bool = False) -> "RDD[T]":
        """Forgets what was kept."""
        self.is_cached = False
        self._level = StorageLevel.NONE
        if not self.is_checkpointed:
            self._kept = None
        return self

    def getStorageLevel(self) -> StorageLevel:
        """What `persist` was asked for."""
        return self._level

    def checkpoint(self) -> None:
        """Computes it into files of the checkpoint directory at its next use, and forgets where it came from."""
        if self.ctx.getCheckpointDir() is None:
            raise PySparkRuntimeError("Checkpoint directory has not been set in the SparkContext")
        self._checkpoint = self._checkpoint or "files"

    def localCheckpoint(self) -> None:
        """As `checkpoint`, kept by the server without files."""
        self._checkpoint = "local"

    def isCheckpointed(self) -> bool:
        """Whether a checkpoint was written."""
        return self.is_checkpointed

    def isLocallyCheckpointed(self) -> bool:
        """Whether it is marked for a local checkpoint."""
        return self._checkpoint == "local"

    def getCheckpointFile(self) -> Optional[str]:
        """The directory of its checkpoint, if there is one."""
        return self._checkpoint_path if self.is_checkpointed else None

    def cleanShuffleDependencies(self, blocking: bool = False) -> None:
        """Frees what shuffles left: the server does that itself at the end of each job."""

    def _kept_frame(self) -> Any:
        """What is kept of it, computed now if it should be kept and is not yet."""
        if not self.is_cached and self._checkpoint is None:
            return None
        with self._keeping:
            if self._kept is None or (self._checkpoint and not self.is_checkpointed):
                self._keep()
        return self._kept

    def _keep(self) -> None:
        build = Build(self.ctx)
        if self._kept is not None:
            held = self._kept
        else:
            pending = self._node.pending(build, None)
            held = build.run(pending, _same_partition(), self)
        with self.ctx._job(self, build.stages):
            if self._checkpoint == "files":
                self._checkpoint_path = f"{self.ctx.getCheckpointDir()}/rdd-{self._id}"
                held = build.frames.saved(held, self._checkpoint_path)
            elif self._kept is None:
                held = build.frames.kept(held)
            self.is_checkpointed = self._checkpoint is not None
        if self._kept is None and self.ctx._has_accumulators():
            self.ctx._received(build.frames.rows(build.frames.updates(held)))
        self._kept = held

    # Transformations of one record at a time

    def map(self, f: Callable[[T], U], preservesPartitioning: bool = False) -> "RDD[U]":
        """`f` of each record."""
        return self._mapped(lambda _, values: (f(value) for value in values), preservesPartitioning)

    def flatMap(self, f: Callable[[T], Iterable[U]], preservesPartitioning: bool = False) -> "RDD[U]":
        """All that `f` gives for each record."""
        return self._mapped(
            lambda _, values: chain.from_iterable(f(value) for value in values), preservesPartitioning
        )

    def filter(self, f: Callable[[T], bool]) -> "RDD[T]":
        """The records for which `f` holds."""
        return self._mapped(lambda _, values: (value for value in values if f(value)), True)

    def mapPartitions(self, f: Callable[[Iterable[T]], Iterable[U]], preservesPartitioning: bool = False) -> "RDD[U]":
        """What `f` makes of each partition's iterator."""
        return self._mapped(lambda _, values: f(iter(values)), preservesPartitioning)

    def mapPartitionsWithIndex(
        self, f: Callable[[int, Iterable[T]], Iterable[U]], preservesPartitioning: bool = False
    ) -> "RDD[U]":
        """What `f` makes of each partition's index and iterator."""
        return self._mapped(lambda index, values: f(index, iter(values)), preservesPartitioning)

    def mapPartitionsWithSplit(
        self, f: Callable[[int, Iterable[T]], Iterable[U]], preservesPartitioning: bool = False
    ) -> "RDD[U]":
        """The old name of `mapPartitionsWithIndex`."""
        warnings.warn("mapPartitionsWithSplit is deprecated; use mapPartitionsWithIndex instead", FutureWarning)
        return self.mapPartitionsWithIndex(f, preservesPartitioning)

    def glom(self) -> "RDD[list[T]]":
        """Each partition as one list."""
        return self._mapped(lambda _, values: (list(held) for held in (values,)))

    def keyBy(self, f: Callable[[T], U]) -> "RDD[tuple[U, T]]":
        """Pairs of `f(record)` and the record."""
        return self.map(lambda value: (f(value), value))

    def groupBy(
        self,
        f: Callable[[T], Hashable],
        numPartitions: Optional[int] = None,
        partitionFunc: Callable[[Any], int] = portable_hash,
    ) -> "RDD[tuple[Any, Iterable[T]]]":
        """Records grouped by `f(record)`."""
        return self.map(lambda value: (f(value), value)).groupByKey(numPartitions, partitionFunc)

    def distinct(self, numPartitions: Optional[int] = None) -> "RDD[T]":
        """Each record once."""
        pairs = self.map(lambda value: (value, None))
        return pairs.reduceByKey(lambda one, _: one, numPartitions).map(lambda pair: pair[0])

    def pipe(self, command: str, env: Optional[dict[str, str]] = None, checkCode: bool = False) -> "RDD[str]":
        """What a command prints when it reads the records, one a line."""
        return self._mapped(_Pipe(command, env, checkCode))

    def sample(self, withReplacement: bool, fraction: float, seed: Optional[int] = None) -> "RDD[T]":
        """About a fraction of the records; with replacement each of them `fraction` times on average."""
        if not fraction >= 0:
            raise ValueError(f"Fraction must be nonnegative, got {fraction}")
        return self._mapped(RDDSampler(withReplacement, fraction, seed).func, True)

    def randomSplit(self, weights: list[Union[int, float]], seed: Optional[int] = None) -> "list[RDD[T]]":
        """Splits the records at random, by weights."""
        if not all(weight >= 0 for weight in weights):
            raise ValueError("Weights must be nonnegative")
        total = float(sum(weights))
        if total <= 0:
            raise ValueError("Sum of weights must be positive")
        bounds = [0.0]
        for weight in weights:
            bounds.append(bounds[-1] + weight / total)
        seed = seed if seed is not None else random.randint(0, 2**32 - 1)
        return [
            self._mapped(RDDRangeSampler(low, high, seed).func, True) for low, high in zip(bounds, bounds[1:])
        ]

    # Transformations of partitions

    def getNumPartitions(self) -> int:
        """How many partitions there are."""
        return self._node.count()

    def union(self, other: "RDD[U]") -> "RDD[Union[T, U]]":
        """The records of both."""
        return self.ctx.union([self, other])

    def __add__(self, other: "RDD[U]") -> "RDD[Union[T, U]]":
        if not isinstance(other, RDD):
            raise TypeError
        return self.union(other)

    def intersection(self, other: "RDD[T]") -> "RDD[T]":
        """The records in both, each once."""
        left, right = (rdd.map(lambda value: (value, None)) for rdd in (self, other))
        both = left.cogroup(right).filter(lambda pair: len(pair[1][0]) > 0 and len(pair[1][1]) > 0)
        return both.keys()

    def subtract(self, other: "RDD[T]", numPartitions: Optional[int] = None) -> "RDD[T]":
        """The records that are not in the other."""
        left, right = (rdd.map(lambda value: (value, True)) for rdd in (self, other))
        return left.subtractByKey(right, numPartitions).keys()

    def cartesian(self, other: "RDD[U]") -> "RDD[tuple[T, U]]":
        """Every record with every record of the other."""
        mine, others = self.getNumPartitions(), other.getNumPartitions()
        if mine == 0 or others == 0:
            return self.ctx.emptyRDD()
        inputs = [(self, Replicated(True, others)), (other, Replicated(False, others))]
        return self._derived(Shuffled(inputs, mine * others, Crossed()))

    def repartition(self, numPartitions: int) -> "RDD[T]":
        """So many partitions of about equal size."""
        return self.coalesce(numPartitions, shuffle=True)

    def coalesce(self, numPartitions: int, shuffle: bool = False) -> "RDD[T]":
        """At most so many partitions; with a shuffle also more."""
        if not numPartitions > 0:
            raise ValueError("Number of partitions must be positive.")
        if shuffle:
            return self._derived(Shuffled([(self, Spread())], numPartitions, Read()))
        if numPartitions >= self.getNumPartitions():
            return self._mapped(lambda _, values: values, True)
        return self._derived(Coalesced(self, numPartitions))

    def sortBy(
        self, keyfunc: Callable[[T], Any], ascending: bool = True, numPartitions: Optional[int] = None
    ) -> "RDD[T]":
        """In the order of `keyfunc(record)`."""
        return self.keyBy(keyfunc).sortByKey(ascending, numPartitions).values()

    def zip(self, other: "RDD[U]") -> "RDD[tuple[T, U]]":
        """The first record with the first of the other, and so on; partitions must have equal sizes."""
        count = self.getNumPartitions()
        if count != other.getNumPartitions():
            raise ValueError("Can only zip with RDD which has the same number of partitions")
        if count == 0:
            return self.ctx.emptyRDD()
        return self._derived(Shuffled([(self, Numbered()), (other, Numbered())], count, Zipped()))

    def zipWithIndex(self) -> "RDD[tuple[T, int]]":
        """Each record with its position."""
        starts = [0]
        for count in self.mapPartitions(lambda values: (sum(1 for _ in held) for held in (values,))).collect():
            starts.append(starts[-1] + count)
        return self._mapped(lambda index, values: ((value, at) for at, value in enumerate(values, starts[index])))

    def zipWithUniqueId(self) -> "RDD[tuple[T, int]]":
        """Each record with a number of its own: the k-th of partition i of n gets k*n+i."""
        count = self.getNumPartitions()
        return self._mapped(
            lambda index, values: ((value, at * count + index) for at, value in enumerate(values))
        )

    # Actions

    def _collected(self, wanted: Optional[range] = None) -> dict[int, list[Any]]:
        """The records of each partition."""
        if self._node.count_hint() == 0:
            return {}
        build = Build(self.ctx)
        frame = build.finished(self, wanted)
        with self.ctx._job(self, build.stages):
            return self.ctx._received(build.frames.rows(frame))

    def collect(self) -> list[T]:
        """All records."""
        held = self._collected()
        return [value for index in sorted(held) for value in held[index]]

    def collectWithJobGroup(self, groupId: str, description: str, interruptOnCancel: bool = False) -> list[T]:
        """`collect` in a job group."""
        warnings.warn("Deprecated in 3.1, Use setJobGroup with a thread of its own instead.", FutureWarning)
        self.ctx.setJobGroup(groupId, description, interruptOnCancel)
        return self.collect()

    def toLocalIterator(self, prefetchPartitions: bool = False) -> Iterator[T]:
        """All records, while they arrive."""
        if self._node.count_hint() == 0:
            return iter(())
        build = Build(self.ctx)
        return self._streamed(build, build.finished(self))

    def _streamed(self, build: Build, frame: Any) -> Iterator[T]:
        with self.ctx._job(self, build.stages):
            for row in build.frames.stream(frame):
                for values in self.ctx._received([row]).values():
                    yield from values

    def foreach(self, f: Callable[[T], None]) -> None:
        """Calls `f` with each record, in tasks."""

        def call(_: int, values: Iterable[T]) -> Iterator[Any]:
            for value in values:
                f(value)
            return iter(())

        self._mapped(call)._collected()

    def foreachPartition(self, f: Callable[[Iterable[T]], None]) -> None:
        """Calls `f` with each partition's iterator, in tasks."""

        def call(index: int, values: Iterable[T]) -> Iterator[Any]:
            given = f(iter(values))
            return _no_value(index, given if isinstance(given, Iterable) else ())

        self._mapped(call)._collected()

    def count(self) -> int:
        """How many records there are."""
        counts = self._mapped(lambda _, values: (sum(1 for _ in held) for held in (values,)))
        return sum(counts.collect())

    def take(self, num: int) -> list[T]:
        """The first records, from no more partitions than needed."""
        if num <= 0:
            return []
        first = self._mapped(lambda _, values: islice(values, num))
        if self._node.reads_frame():
            return first.collect()[:num]
        total, scanned = self.getNumPartitions(), 0
        found: list[T] = []
        parts = 1
        while len(found) < num and scanned < total:
            part = range(scanned, min(scanned + parts, total))
            held = first._collected(part)
            for index in part:
                found.extend(held.get(index, ()))
            scanned = part.stop
            parts = total if self._node.has_exchange() else scanned * SCALE_UP
        return found[:num]

    def first(self) -> T:
        """The first record."""
        found = self.take(1)
        if not found:
            raise ValueError("RDD is empty")
        return found[0]

    def isEmpty(self) -> bool:
        """Whether there is no record."""
        return not self.take(1)

    def reduce(self, f: Callable[[T, T], T]) -> T:
        """All records made one by `f`, first in each partition, then here."""
        parts = self._mapped(lambda _, values: _reduced(f, values)).collect()
        if not parts:
            raise ValueError("Can not reduce() empty RDD")
        return fold_left(f, parts)

    def treeReduce(self, f: Callable[[T, T], T], depth: int = 2) -> T:
        """As `reduce`, in several steps on the cluster."""
        if depth < 1:
            raise ValueError(f"Depth cannot be smaller than 1 but got {depth}.")
        nothing = (None, True)

        def both(one: tuple[Any, bool], other: tuple[Any, bool]) -> tuple[Any, bool]:
            if one[1]:
                return other
            return one if other[1] else (f(one[0], other[0]), False)

        value, is_nothing = self.map(lambda value: (value, False)).treeAggregate(nothing, both, both, depth)
        if is_nothing:
            raise ValueError("Cannot reduce empty RDD.")
        return value

    def fold(self, zeroValue: T, op: Callable[[T, T], T]) -> T:
        """As `reduce`, each partition and the whole beginning with a neutral value."""
        parts = self._mapped(
            lambda _, values: (fold_left(op, held, copy.deepcopy(zeroValue)) for held in (values,))
        ).collect()
        return fold_left(op, parts, zeroValue)

    def aggregate(self, zeroValue: U, seqOp: Callable[[U, T], U], combOp: Callable[[U, U], U]) -> U:
        """Records into an aggregate per partition, the aggregates into one."""
        parts = self._mapped(
            lambda _, values: (fold_left(seqOp, held, copy.deepcopy(zeroValue)) for held in (values,))
        ).collect()
        return fold_left(combOp, parts, zeroValue)

    def treeAggregate(
        self, zeroValue: U, seqOp: Callable[[U, T], U], combOp: Callable[[U, U], U], depth: int = 2
    ) -> U:
        """As `aggregate`, in several steps on the cluster."""
        if depth < 1:
            raise ValueError(f"Depth cannot be smaller than 1 but got {depth}.")
        parts = self.getNumPartitions()
        if parts == 0:
            return zeroValue
        aggregated = self._mapped(
            lambda _, values: (fold_left(seqOp, held, copy.deepcopy(zeroValue)) for held in (values,))
        )
        scale = max(int(round(parts ** (1.0 / depth))), 2)
        while parts > scale + parts / scale:
            parts = max(parts // scale, 1)
            keyed = aggregated._mapped(_under_key(parts))
            aggregated = keyed.reduceByKey(combOp, parts, _itself).values()
        return aggregated.reduce(combOp)

    def countByValue(self) -> "dict[T, int]":
        """How often each record occurs."""

        def counts(_: int, values: Iterable[T]) -> Iterator[Any]:
            held: dict[Any, int] = defaultdict(int)
            for value in values:
                held[value] += 1
            yield held

        total: dict[T, int] = defaultdict(int)
        for held in self._mapped(counts).collect():
            for value, count in held.items():
                total[value] += count
        return total

    def top(self, num: int, key: Optional[Callable[[T], Any]] = None) -> list[T]:
        """The largest records, the largest first."""
        parts = self._mapped(lambda _, values: heapq.nlargest(num, values, key=key))
        return heapq.nlargest(num, parts.collect(), key=key)

    def takeOrdered(self, num: int, key: Optional[Callable[[T], Any]] = None) -> list[T]:
        """The smallest records, the smallest first."""
        if num < 0:
            raise ValueError("top N cannot be negative.")
        parts = self._mapped(lambda _, values: heapq.nsmallest(num, values, key=key))
        return heapq.nsmallest(num, parts.collect(), key=key)

    def takeSample(self, withReplacement: bool, num: int, seed: Optional[int] = None) -> list[T]:
        """So many records at random."""
        if num < 0:
            raise ValueError("Sample size cannot be negative.")
        if num == 0:
            return []
        seed = seed if seed is not None else random.randint(0, sys.maxsize)
        chance = random.Random(seed)
        if not withReplacement:
            keyed = self._mapped(lambda index, values: heapq.nsmallest(num, _with_chance(seed, index, values)))
            sample = [value for _, _, value in heapq.nsmallest(num, keyed.collect())]
            chance.shuffle(sample)
            return sample
        total = self.count()
        if total == 0:
            return []
        places = [chance.randrange(total) for _ in range(num)]
        picked = set(places)
        at = {place: value for value, place in self.zipWithIndex().filter(lambda pair: pair[1] in picked).collect()}
        return [at[place] for place in places]

    # About itself

    def name(self) -> Optional[str]:
        """Its name, if it was given one."""
        return self._name

    def setName(self, name: str) -> "RDD[T]":
        """Gives it a name, which jobs show."""
        self._name = name
        return self

    def toDebugString(self) -> Optional[bytes]:
        """Where it comes from; a `+-` begins the lineage before a shuffle."""
        return "\n".join(_lineage(self)).encode("utf-8")

    def barrier(self) -> "RDDBarrier[T]":
        """All tasks at once: refused."""
        raise unsupported("RDD.barrier", "tasks start as slots become free, never all at once")

    def withResources(self, profile: Any) -> "RDD[T]":
        """Resources of tasks: kept with the RDD; executors are those that the application asked for."""
        self._profile = profile
        return self

    def getResourceProfile(self) -> Any:
        """What `withResources` was given."""
        return getattr(self, "_profile", None)

    def toDF(self, schema: Any = None, sampleRatio: Optional[float] = None) -> Any:
        """As a DataFrame."""
        return self.ctx._session.createDataFrame(self, schema, sampleRatio)


class PipelinedRDD(RDD[T]):
    """A function over an RDD that is itself a function over one: both run in one pass."""


class RDDBarrier(Generic[T]):
    """An RDD whose tasks run all at once; `RDD.barrier` says why there is none."""

    def __init__(self, rdd: RDD[T]):
        self.rdd = rdd

    def mapPartitions(self, f: Callable, preservesPartitioning: bool = False) -> RDD:
        raise unsupported("RDDBarrier.mapPartitions", "tasks start as slots become free, never all at once")

    def mapPartitionsWithIndex(self, f: Callable, preservesPartitioning: bool = False) -> RDD:
        raise unsupported("RDDBarrier.mapPartitionsWithIndex", "tasks start as slots become free, never all at once")


class _Pipe:
    """Records through a command's standard input and output."""

    def __init__(self, command: str, env: Optional[dict[str, str]], check: bool):
        self.command = command
        self.env = env
        self.check = check

    def __call__(self, index: int, values: Iterable[Any]) -> Iterator[str]:
        child = subprocess.Popen(
            shlex.split(self.command),
            env={**os.environ, **self.env} if self.env else None,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        feeder = threading.Thread(target=self.feed, args=(child, values), daemon=True)
        feeder.start()
        assert child.stdout is not None
        for line in child.stdout:
            yield line.rstrip(b"\n").decode("utf-8")
        feeder.join()
        code = child.wait()
        if self.check and code:
            raise RuntimeError(f"the command {self.command!r} of pipe() ended with {code}")

    def feed(self, child: Any, values: Iterable[Any]) -> None:
        try:
            for value in values:
                child.stdin.write(str(value).rstrip("\n").encode("utf-8") + b"\n")
        except BrokenPipeError:
            return
        finally:
            try:
                child.stdin.close()
            except BrokenPipeError:
                pass


def _same_partition() -> Any:
    from pyspark.core.task import Partition

    return Partition()


def _itself(key: int) -> int:
    return key


def _under_key(parts: int) -> Callable[[int, Iterable[Any]], Iterator[Any]]:
    return lambda index, values: ((index % parts, value) for value in values)


def _reduced(f: Callable, values: Iterable[Any]) -> Iterator[Any]:
    values = iter(values)
    for first in values:
        yield fold_left(f, values, first)


def _with_chance(seed: int, index: int, values: Iterable[Any]) -> Iterator[tuple[float, tuple[int, int], Any]]:
    """Records behind random numbers, by which they are picked; ties never come to comparing records."""
    chance = random.Random(seed * 1000003 + index)
    return ((chance.random(), (index, at), value) for at, value in enumerate(values))


def _lineage(rdd: RDD) -> Iterator[str]:
    """The lines of a stage, and of the stages before it, each behind a branch."""
    count = f"({rdd._node.count_hint()})"
    # The bar stands under the middle of the count.
    left = " " * ((len(count) - 1) // 2)
    yield f"{count} {_described(rdd)}"
    yield from _before(rdd, left, " " * (len(count) - len(left)))


def _before(rdd: RDD, margin: str, gap: str) -> Iterator[str]:
    """What the RDD comes from: within its stage behind the bar at the margin, else as stages of their own."""
    parents = rdd._node.parents
    for place, parent in enumerate(parents):
        if isinstance(rdd._node, Shuffled):
            bar = "|" if place + 1 < len(parents) else " "
            first, *others = _lineage(parent)
            yield f"{margin}+-{first}"
            yield from (f"{margin}{bar} {line}" for line in others)
        else:
            yield f"{margin}|{gap}{_described(parent)}"
            yield from _before(parent, margin, gap)


def _described(rdd: RDD) -> str:
    kept = f"[{rdd._level}]" if rdd.is_cached else "[]"
    named = f"{rdd._name} " if rdd._name else ""
    return f"{named}{rdd!r} at {rdd._node.name} {kept}"


