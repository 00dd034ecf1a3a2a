"""SparkContext: an application's RDDs, shared variables, files and jobs, over one Connect session."""

import getpass
import hashlib
import itertools
import os
import shutil
import sys
import threading
import time
import urllib.parse
import urllib.request
import uuid
from contextlib import contextmanager
from typing import Any, Callable, Iterable, Iterator, Optional

import pyspark.util

# The client stays the Connect client it is: only RDDs come on top.
pyspark.util._is_remote_only = True

from pyspark import accumulators  # noqa: E402
from pyspark.accumulators import Accumulator, AccumulatorParam  # noqa: E402
from pyspark.conf import SparkConf  # noqa: E402
from pyspark.core import broadcast as shared  # noqa: E402
from pyspark.core import launch, sources, workers  # noqa: E402
from pyspark.core import payload as wire  # noqa: E402
from pyspark.core.broadcast import Broadcast  # noqa: E402
from pyspark.core.files import SparkFiles  # noqa: E402
from pyspark.core.lineage import FrameRows, Slices, United  # noqa: E402
from pyspark.core.rdd import RDD  # noqa: E402
from pyspark.core.status import Jobs, StatusTracker  # noqa: E402
from pyspark.core.unsupported import INSTEAD, reach_in, unsupported  # noqa: E402
from pyspark.errors import PySparkRuntimeError  # noqa: E402

__all__ = ["SparkContext"]

GROUP = "spark.jobGroup.id"
DESCRIPTION = "spark.job.description"
LEVELS = ("ALL", "DEBUG", "ERROR", "FATAL", "INFO", "OFF", "TRACE", "WARN")
WORKER_MEMORY = "512m"
UNITS_MB = {"k": 1 / 1024, "m": 1, "g": 1024, "t": 1024 * 1024}


class SparkContext(sources.FileSources):
    """The entry point to RDDs. One is active at a time; it holds a session with the server."""

    _active_spark_context: Optional["SparkContext"] = None
    _lock = threading.RLock()
    _system_properties: dict[str, str] = {}
    _accumulator_ids = itertools.count()

    PACKAGE_EXTENSIONS: Iterable[str] = (".zip", ".egg", ".jar")

    def __init__(
        self,
        master: Optional[str] = None,
        appName: Optional[str] = None,
        sparkHome: Optional[str] = None,
        pyFiles: Optional[list[str]] = None,
        environment: Optional[dict[str, Any]] = None,
        batchSize: int = 0,
        serializer: Any = None,
        conf: Optional[SparkConf] = None,
        gateway: Any = None,
        jsc: Any = None,
        profiler_cls: Any = None,
        udf_profiler_cls: Any = None,
        memory_profiler_cls: Any = None,
    ):
        if gateway is not None or jsc is not None:
            raise reach_in("_gateway" if gateway is not None else "_jsc")
        with SparkContext._lock:
            active = SparkContext._active_spark_context
            if active is not None and not active._is_stopped():
                raise ValueError(
                    "Cannot run multiple SparkContexts at once; existing SparkContext"
                    f"(app={active.appName}, master={active.master})"
                )
            settings = dict(SparkContext._system_properties)
            settings.update(conf.getAll() if conf is not None else ())
            if master:
                settings["spark.master"] = master
            if appName:
                settings["spark.app.name"] = appName
            if sparkHome:
                settings["spark.home"] = sparkHome
            for key, value in (environment or {}).items():
                settings[f"spark.executorEnv.{key}"] = str(value)
            self._attach(_session(settings), settings)
            SparkContext._active_spark_context = self
        for path in pyFiles or ():
            self.addPyFile(path)

    def _attach(self, session: Any, settings: dict[str, str]) -> None:
        from pyspark.core.frames import ConnectFrames

        told = _told(session)
        self._begin(ConnectFrames(session), {key: told[key] for key in NOTED if key in told} | settings)
        self._session = session
        self._told = told

    def _begin(self, frames: Any, settings: dict[str, str]) -> None:
        """What every context has, whatever its frames are made of."""
        self._frames = frames
        self._session = None
        # What the server says of its configuration.
        self._told: dict[str, str] = {}
        self._conf = SparkConf(loadDefaults=False).setAll(list(settings.items()))
        self.environment = {
            key.removeprefix("spark.executorEnv."): value
            for key, value in settings.items()
            if key.startswith("spark.executorEnv.")
        }
        self.startTime = int(time.time() * 1000)
        self._jobs = Jobs()
        self._local = threading.local()
        self._rdd_ids = itertools.count()
        self._files: list[str] = []
        self._archives: list[str] = []
        self._checkpoint_dir: Optional[str] = None
        self._stopped = False

    @classmethod
    def _over(cls, frames: Any, settings: dict[str, str]) -> "SparkContext":
        """A context over other frames than those of a session; not the active one."""
        made = cls.__new__(cls)
        made._begin(frames, settings)
        return made

    @classmethod
    def _of(cls, session: Any) -> "SparkContext":
        """The context of a session: the active one if it is this session's, or one made now."""
        with cls._lock:
            held = session.__dict__.get("_spark_context")
            active = cls._active_spark_context
            if held is None and active is not None and active._session is session:
                held = active
            if held is None:
                held = cls.__new__(cls)
                held._attach(session, {})
                session.__dict__["_spark_context"] = held
                if active is None or active._is_stopped():
                    cls._active_spark_context = held
            return held

    @classmethod
    def getOrCreate(cls, conf: Optional[SparkConf] = None) -> "SparkContext":
        """The active context, or a new one."""
        with cls._lock:
            active = cls._active_spark_context
            if active is not None and not active._is_stopped():
                return active
            return cls(conf=conf)

    def __getattr__(self, name: str) -> Any:
        if name in INSTEAD:
            raise reach_in(f"SparkContext.{name}", name)
        raise AttributeError(f"'SparkContext' object has no attribute {name!r}")

    def __getnewargs__(self) -> Any:
        raise PySparkRuntimeError(
            "a SparkContext was used inside a function that runs in tasks. It can only be used by the driver: "
            "compute what the function needs before, and pass it as a value or a broadcast variable (SPARK-5063)"
        )

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.__getnewargs__()

    def __enter__(self) -> "SparkContext":
        return self

    def __exit__(self, *failure: Any) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<SparkContext master={self.master} appName={self.appName}>"

    def _repr_html_(self) -> str:
        return f"<p><b>SparkContext</b> {self.appName} at {self.master}, Spark {self.version}</p>"

    # About the application

    @property
    def master(self) -> str:
        """Where it runs."""
        return self._conf.get("spark.master", "local[*]")

    @property
    def appName(self) -> str:
        """Its name."""
        return self._conf.get("spark.app.name", "firesteel")

    @property
    def sparkHome(self) -> Optional[str]:
        """What the configuration says."""
        return self._conf.get("spark.home", None)

    @property
    def version(self) -> str:
        """The version of Spark that the server speaks."""
        return self._session.version

    @property
    def pythonVer(self) -> str:
        """The version of Python, which workers must have too."""
        return "%d.%d" % sys.version_info[:2]

    @property
    def applicationId(self) -> str:
        """A name that no other application has."""
        return self._conf.get("spark.app.id", f"local-{self.startTime}")

    @property
    def uiWebUrl(self) -> Optional[str]:
        """The address of the pages about this application, if there are any."""
        return self._conf.get("spark.ui.url", None)

    @property
    def resources(self) -> dict[str, Any]:
        """Resources of the driver: none are handed out."""
        return {}

    @property
    def defaultParallelism(self) -> int:
        """How many partitions data gets when nobody says."""
        said = self._conf.get("spark.default.parallelism", self._told.get("spark.default.parallelism"))
        return max(int(said), 1) if said else max(_slots(self._conf), 1)

    @property
    def defaultMinPartitions(self) -> int:
        """How many partitions files get at least."""
        return min(self.defaultParallelism, 2)

    def getConf(self) -> SparkConf:
        """A copy of the configuration."""
        return SparkConf(loadDefaults=False).setAll(self._conf.getAll())

    def sparkUser(self) -> str:
        """Who runs it."""
        return os.environ.get("SPARK_USER") or getpass.getuser()

    def setLogLevel(self, logLevel: str) -> None:
        """How much is logged here; the server's own log has its own level."""
        if logLevel.upper() not in LEVELS:
            raise ValueError(f"Supplied level {logLevel} did not match one of: {','.join(LEVELS)}")
        self._conf.set("spark.log.level", logLevel.upper())

    @classmethod
    def setSystemProperty(cls, key: str, value: str) -> None:
        """A setting for contexts made later."""
        cls._system_properties[key] = value

    @classmethod
    def getSystemProperty(cls, key: str) -> Optional[str]:
        """What `setSystemProperty` set."""
        return cls._system_properties.get(key)

    def stop(self) -> None:
        """Ends the application's session."""
        with SparkContext._lock:
            if not self._stopped and self._session is not None:
                self._session.stop()
            self._stopped = True
            if SparkContext._active_spark_context is self:
                SparkContext._active_spark_context = None

    def _is_stopped(self) -> bool:
        return self._stopped or (self._session is not None and self._session.is_stopped)

    def _next_rdd_id(self) -> int:
        return next(self._rdd_ids)

    def _worker_memory_mb(self) -> int:
        told = self._conf.get("spark.python.worker.memory", WORKER_MEMORY).lower().removesuffix("b")
        number, unit = (told[:-1], told[-1]) if told[-1:] in UNITS_MB else (told, "m")
        return max(int(float(number) * UNITS_MB[unit]), 1)

    # RDDs out of data

    def emptyRDD(self) -> RDD:
        """An RDD without partitions."""
        return RDD(Slices([]), self)

    def range(self, start: int, end: Optional[int] = None, step: int = 1, numSlices: Optional[int] = None) -> RDD:
        """The numbers of Python's `range`."""
        return self.parallelize(range(start) if end is None else range(start, end, step), numSlices)

    def parallelize(self, c: Iterable[Any], numSlices: Optional[int] = None) -> RDD:
        """The values of a collection, in slices of about equal size."""
        count = self.defaultParallelism if numSlices is None else int(numSlices)
        if count < 1:
            raise ValueError(f"Positive number of partitions required, got {count}")
        values = c if isinstance(c, (list, tuple, range)) else list(c)
        size = len(values)
        parts = (values[index * size // count : (index + 1) * size // count] for index in range(count))
        if isinstance(values, range):
            return RDD(Slices(list(parts)), self)
        return RDD(Slices([wire.dumps_on_driver(list(part)) if part else () for part in parts]), self)

    def union(self, rdds: list[RDD]) -> RDD:
        """The records of several RDDs."""
        if len(rdds) == 1:
            return rdds[0]
        if not rdds:
            return self.emptyRDD()
        return RDD(United(list(rdds)), self)

    def _of_frame(self, frame: Any, convert: Callable, name: str) -> RDD:
        """The rows of a DataFrame, made values batch by batch."""
        return RDD(FrameRows(frame, convert, name, self._partitions_of), self)

    def _partitions_of(self, frame: Any) -> int:
        """Counts a DataFrame's partitions, which takes a job."""
        from pyspark.core.task import Frame, Partition, Stage

        stage = Stage(Frame(_nothing), (), Partition(), {})
        return len({pid for pid, payload in self._frames.rows(self._frames.run(frame, stage)) if not payload})

    # Shared variables

    def broadcast(self, value: Any) -> Broadcast:
        """A value for all tasks."""
        return Broadcast(self, value, ship=self._ship)

    def _ship(self, key: str, pickled: bytes) -> Optional[str]:
        """Sends a large value as a file of the session; gives its name there."""
        if self._session is None:
            return None
        path = shared.written(pickled, f"broadcast-{key}")
        self._session.addArtifact(path, file=True)
        shutil.rmtree(os.path.dirname(path), ignore_errors=True)
        return f"broadcast-{key}"

    def accumulator(self, value: Any, accum_param: Optional[AccumulatorParam] = None) -> Accumulator:
        """A variable that tasks add to."""
        if accum_param is None:
            for kind, param in _NUMBERS:
                if isinstance(value, kind):
                    accum_param = param
                    break
            else:
                raise TypeError(f"No default accumulator param for type {type(value)}")
        return Accumulator(next(SparkContext._accumulator_ids), value, accum_param)

    def _has_accumulators(self) -> bool:
        return any(aid >= 0 for aid in accumulators._accumulatorRegistry)

    def _received(self, rows: Iterable[wire.Row]) -> dict[int, list[Any]]:
        """Rows of a result: records by partition; what accumulators got is added here, where it counts."""
        held: dict[int, list[Any]] = {}
        for pid, payload in rows:
            records = held.setdefault(pid, [])
            if wire.is_accumulated(payload):
                for aid, term in wire.updates(payload):
                    if aid in accumulators._accumulatorRegistry:
                        accumulators._accumulatorRegistry[aid].add(term)
            elif payload:
                records.extend(wire.loads(payload))
        return held

    # Files

    def addFile(self, path: str, recursive: bool = False) -> None:
        """A file that tasks find through `SparkFiles.get`."""
        local = _fetched(path)
        if os.path.isdir(local):
            raise unsupported("addFile of a directory", "Spark Connect carries single files; addArchive carries many")
        held = self._copied(local)
        self._files.append(path)
        self._session.addArtifact(held, file=True)

    def addPyFile(self, path: str) -> None:
        """A module or package that tasks, and this program, can import."""
        held = self._copied(_fetched(path))
        self._session.addArtifact(held, pyfile=True)
        importable = held if held.endswith((".zip", ".egg", ".whl")) else os.path.dirname(held)
        if importable not in sys.path:
            sys.path.insert(1, importable)

    def addArchive(self, path: str) -> None:
        """An archive that is unpacked beside the files of tasks."""
        place, _, name = path.partition("#")
        self._archives.append(path)
        self._session.addArtifact(_fetched(place) + (f"#{name}" if name else ""), archive=True)

    def _copied(self, local: str) -> str:
        target = os.path.join(SparkFiles.getRootDirectory(), os.path.basename(local))
        if os.path.abspath(local) != target:
            shutil.copyfile(local, target)
        return target

    @property
    def listFiles(self) -> list[str]:
        """The files added."""
        return list(self._files)

    @property
    def listArchives(self) -> list[str]:
        """The archives added."""
        return list(self._archives)

    def setCheckpointDir(self, dirName: str) -> None:
        """Where checkpoints lie: in a folder of this application's below."""
        self._checkpoint_dir = f"{dirName.rstrip('/')}/{uuid.uuid4()}"

    def getCheckpointDir(self) -> Optional[str]:
        """Where checkpoints lie, if that was said."""
        return self._checkpoint_dir

    # Jobs

    def _properties(self) -> dict[str, str]:
        return self._local.__dict__.setdefault("properties", {})

    def _task_properties(self, rdd: RDD) -> dict[str, str]:
        """What tasks can ask their TaskContext for."""
        return dict(self._properties())

    def setLocalProperty(self, key: str, value: Optional[str]) -> None:
        """A property of the jobs of this thread."""
        if value is None:
            self._properties().pop(key, None)
        else:
            self._properties()[key] = value

    def getLocalProperty(self, key: str) -> Optional[str]:
        """What `setLocalProperty` set."""
        return self._properties().get(key)

    def setJobDescription(self, value: Optional[str]) -> None:
        """What the jobs of this thread are about."""
        self.setLocalProperty(DESCRIPTION, value)

    def setJobGroup(self, groupId: str, description: str, interruptOnCancel: bool = False) -> None:
        """The group of the jobs of this thread."""
        self.setLocalProperty(GROUP, groupId)
        self.setLocalProperty(DESCRIPTION, description)
        self.setInterruptOnCancel(interruptOnCancel)

    def setInterruptOnCancel(self, interruptOnCancel: bool) -> None:
        """Whether cancelling ends tasks at once: it always does."""
        self.setLocalProperty("spark.job.interruptOnCancel", str(bool(interruptOnCancel)).lower())

    def addJobTag(self, tag: str) -> None:
        """A tag of the jobs of this thread."""
        if not tag or "," in tag:
            raise ValueError(f"a job tag must not be empty nor contain ',': {tag!r}")
        self._tags().add(tag)

    def removeJobTag(self, tag: str) -> None:
        """Takes a tag away."""
        self._tags().discard(tag)

    def getJobTags(self) -> set[str]:
        """The tags of the jobs of this thread."""
        return set(self._tags())

    def clearJobTags(self) -> None:
        """Takes all tags away."""
        self._tags().clear()

    def _tags(self) -> set[str]:
        return self._local.__dict__.setdefault("tags", set())

    @contextmanager
    def _job(self, rdd: RDD, stages: list[int]) -> Iterator[None]:
        """Runs an action's request as a job: on the record, and under tags by which it can be interrupted."""
        properties = self._properties()
        group = properties.get(GROUP)
        name = properties.get(DESCRIPTION) or rdd._name or repr(rdd)
        job = self._jobs.start(name, group, stages)
        tags = [job.tag, *self._tags(), *([_group_tag(group)] if group is not None else [])]
        added = [tag for tag in tags if self._session is not None and tag not in self._session.getTags()]
        for tag in added:
            self._session.addTag(tag)
        try:
            yield
            job.status = "SUCCEEDED"
        finally:
            if job.status == "RUNNING":
                job.status = "FAILED"
            for tag in added:
                self._session.removeTag(tag)

    def cancelJobGroup(self, groupId: str) -> None:
        """Ends the running jobs of a group."""
        self._session.interruptTag(_group_tag(groupId))

    def cancelJobsWithTag(self, tag: str) -> None:
        """Ends the running jobs with a tag."""
        self._session.interruptTag(tag)

    def cancelAllJobs(self) -> None:
        """Ends all running jobs."""
        self._session.interruptAll()

    def statusTracker(self) -> StatusTracker:
        """Answers questions about jobs and stages."""
        return StatusTracker(self._jobs)

    def runJob(
        self,
        rdd: RDD,
        partitionFunc: Callable[[Iterable[Any]], Iterable[Any]],
        partitions: Optional[Iterable[int]] = None,
        allowLocal: bool = False,
    ) -> list[Any]:
        """What a function makes of some partitions, or of all."""
        if partitions is None:
            return rdd.mapPartitions(partitionFunc).collect()
        picked = [int(index) for index in partitions]
        if not picked:
            return []
        chosen = frozenset(picked)
        mapped = rdd._mapped(lambda index, values: partitionFunc(iter(values)) if index in chosen else ())
        held = mapped._collected(range(min(picked), max(picked) + 1))
        return [value for index in picked for value in held.get(index, ())]

    def show_profiles(self) -> None:
        """Prints what profilers found."""
        self._profile().show()

    def dump_profiles(self, path: str) -> None:
        """Writes what profilers found into a directory."""
        self._profile().dump(path)

    def _profile(self) -> Any:
        if self._conf.get("spark.python.profile", "false") != "true":
            raise PySparkRuntimeError(
                "'spark.python.profile' configuration must be set to 'true' to enable Python profile."
            )
        return self._session.profile


_NUMBERS = (
    (int, accumulators.INT_ACCUMULATOR_PARAM),
    (float, accumulators.FLOAT_ACCUMULATOR_PARAM),
    (complex, accumulators.COMPLEX_ACCUMULATOR_PARAM),
)

# What a context takes from the server's configuration, where the program says nothing else.
NOTED = (
    "spark.master",
    "spark.app.name",
    "spark.app.id",
    "spark.executor.instances",
    "spark.executor.cores",
    "spark.python.worker.memory",
)


def _session(settings: dict[str, str]) -> Any:
    from pyspark.sql.connect.session import SparkSession

    url = launch.remote_url(settings)
    return SparkSession.builder.config(map={**settings, "spark.remote": url}).getOrCreate()


def _told(session: Any) -> dict[str, str]:
    """Settings as the server has them."""
    said = {key: session.conf.get(key, None) for key in (*NOTED, "spark.default.parallelism")}
    return {key: value for key, value in said.items() if value is not None}


def _slots(conf: SparkConf) -> int:
    """How many tasks run at once, by what the configuration says."""
    master = conf.get("spark.master", "local[*]")
    if master.startswith("local"):
        inside = master[master.find("[") + 1 : master.find("]")] if "[" in master else "1"
        count = inside.split(",")[0]
        return (os.cpu_count() or 1) if count == "*" else int(count)
    return int(conf.get("spark.executor.instances", "2")) * int(conf.get("spark.executor.cores", "1"))


def _group_tag(group: str) -> str:
    """A tag that may stand for any name of a group."""
    return f"firesteel-group-{hashlib.sha256(group.encode('utf-8')).hexdigest()[:16]}"


def _nothing(batch: Any) -> tuple[()]:
    return ()


def _fetched(path: str) -> str:
    """A path of this machine's: that given, or of a copy of what an address points to."""
    address = urllib.parse.urlparse(path)
    if address.scheme in ("http", "https", "ftp"):
        target = os.path.join(SparkFiles.getRootDirectory(), os.path.basename(address.path))
        urllib.request.urlretrieve(path, target)
        return target
    if address.scheme in ("file", "local"):
        return address.path
    if len(address.scheme) > 1:
        raise unsupported(f"adding {path}", "files are added from this machine or from http, https and ftp")
    return path


workers.prepare()
if not workers.is_worker():
    workers.import_client()

    from pyspark.core import session_hooks

    session_hooks.install()
