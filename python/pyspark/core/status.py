"""What runs and what ran: the jobs that this program started through the RDD API."""

import itertools
import threading
from collections import OrderedDict
from typing import Any, NamedTuple, Optional

__all__ = ["SparkJobInfo", "SparkStageInfo", "SparkExecutorInfo", "StatusTracker"]

# Older jobs are forgotten.
JOBS_KEPT = 1000


class SparkJobInfo(NamedTuple):
    """A job: its stages, and RUNNING, SUCCEEDED or FAILED."""

    jobId: int
    stageIds: list[int]
    status: str


class SparkStageInfo(NamedTuple):
    """A stage and its tasks."""

    stageId: int
    currentAttemptId: int
    name: str
    numTasks: int
    numActiveTasks: int
    numCompletedTasks: int
    numFailedTasks: int


class SparkExecutorInfo(NamedTuple):
    """An executor."""

    host: str
    port: int
    cacheSize: int
    numRunningTasks: int
    usedOnHeapStorageMemory: int
    usedOffHeapStorageMemory: int
    totalOnHeapStorageMemory: int
    totalOffHeapStorageMemory: int


class Job:
    """One action."""

    def __init__(self, job_id: int, name: str, group: Optional[str], stages: list[tuple[int, int]]):
        self.job_id = job_id
        self.name = name
        self.group = group
        self.stages = stages
        self.status = "RUNNING"

    @property
    def tag(self) -> str:
        """The Connect tag by which the job can be interrupted."""
        return f"firesteel-job-{self.job_id}"


class Jobs:
    """The record of jobs; used by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._job_ids = itertools.count()
        self._stage_ids = itertools.count()
        self._jobs: "OrderedDict[int, Job]" = OrderedDict()

    def start(self, name: str, group: Optional[str], tasks: list[int]) -> Job:
        """A new job, whose stages have so many tasks."""
        with self._lock:
            stages = [(next(self._stage_ids), count) for count in tasks]
            job = Job(next(self._job_ids), name, group, stages)
            self._jobs[job.job_id] = job
            while len(self._jobs) > JOBS_KEPT:
                self._jobs.popitem(last=False)
            return job

    def all(self) -> list[Job]:
        with self._lock:
            return list(self._jobs.values())

    def find(self, job_id: int) -> Optional[Job]:
        with self._lock:
            return self._jobs.get(job_id)


class StatusTracker:
    """Answers questions about recent jobs and stages. Consistency is weak, as Spark's is."""

    def __init__(self, jobs: Jobs):
        self._jobs = jobs

    def getJobIdsForGroup(self, jobGroup: Optional[str] = None) -> list[int]:
        """The jobs of a group; without a name those that are in none."""
        return [job.job_id for job in self._jobs.all() if job.group == jobGroup]

    def getActiveStageIds(self) -> list[int]:
        """The stages of running jobs."""
        return sorted(stage for job in self._running() for stage, _ in job.stages)

    def getActiveJobsIds(self) -> list[int]:
        """The running jobs."""
        return sorted(job.job_id for job in self._running())

    def getJobInfo(self, jobId: int) -> Optional[SparkJobInfo]:
        """A job, unless it is unknown or long ago."""
        job = self._jobs.find(jobId)
        return SparkJobInfo(jobId, [stage for stage, _ in job.stages], job.status) if job else None

    def getStageInfo(self, stageId: int) -> Optional[SparkStageInfo]:
        """A stage, unless it is unknown or long ago. A running stage's tasks count as active until its job ends."""
        for job in self._jobs.all():
            for stage, tasks in job.stages:
                if stage == stageId:
                    active = tasks if job.status == "RUNNING" else 0
                    done = tasks if job.status == "SUCCEEDED" else 0
                    return SparkStageInfo(stage, 0, job.name, tasks, active, done, 0)
        return None

    def getExecutorInfos(self) -> list[SparkExecutorInfo]:
        """The executors: Spark Connect tells of none but the server itself."""
        running = sum(tasks for job in self._running() for _, tasks in job.stages)
        return [SparkExecutorInfo("driver", 0, 0, running, 0, 0, 0, 0)]

    def _running(self) -> list[Any]:
        return [job for job in self._jobs.all() if job.status == "RUNNING"]
