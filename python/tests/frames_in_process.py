"""Frames without a server: the calls that RDDs make, over lists in this process.

A frame is a function that computes a list of partitions, a partition a list of Arrow batches. Stages are pickled on their way, as they are on
theirs to a worker.
"""

import pyarrow as pa
import pyarrow.compute as pc
from pyspark import cloudpickle
from pyspark.accumulators import _accumulatorRegistry
from pyspark.core import payload as wire
from pyspark.core.task import function_of
from pyspark.taskcontext import TaskContext


class InProcessFrames:
    def __init__(self):
        self.stages_run = 0

    def indexes(self, indexes):
        return lambda: [[pa.record_batch([pa.array([index], pa.int64())], names=["id"])] for index in indexes]

    def stored(self, rows):
        held = [list(wire.batches(rows))]
        return lambda: held

    def run(self, frame, stage, schema=None):
        pickled = cloudpickle.dumps(function_of(stage))

        def computed():
            self.stages_run += 1
            return [self.task(pickled, index, batches) for index, batches in enumerate(frame())]

        return computed

    def task(self, pickled, index, batches):
        held = dict(_accumulatorRegistry)
        _accumulatorRegistry.clear()
        context = TaskContext(partitionId=index, stageId=0, attemptNumber=0, taskAttemptId=index, cpus=1)
        context._partitionId = index
        context._localProperties = {}
        TaskContext._setTaskContext(context)
        try:
            return list(cloudpickle.loads(pickled)(iter(batches)))
        finally:
            TaskContext._setTaskContext(None)
            _accumulatorRegistry.clear()
            _accumulatorRegistry.update(held)

    def exchanged(self, frame, partitions):
        def computed():
            moved = [[] for _ in range(partitions)]
            for batches in frame():
                for batch in batches:
                    for index in range(batch.num_rows):
                        moved[batch.column(0)[index].as_py()].append(batch.slice(index, 1))
            return moved

        return computed

    def coalesced(self, frame, partitions):
        def computed():
            parts = frame()
            count = min(partitions, len(parts))
            groups = [range(g * len(parts) // count, (g + 1) * len(parts) // count) for g in range(count)]
            return [[batch for index in group for batch in parts[index]] for group in groups]

        return computed

    def union(self, frames):
        return lambda: [batches for frame in frames for batches in frame()]

    def tagged(self, frame, tag):
        def with_tag(batch):
            tags = pa.array([tag] * batch.num_rows, pa.int32())
            return pa.record_batch([batch.column(0), tags, batch.column(1)], names=["pid", "tag", "payload"])

        return lambda: [[with_tag(batch) for batch in batches] for batches in frame()]

    def only(self, frame, wanted):
        return self.filtered(frame, lambda pid, payload: pid in wanted)

    def updates(self, frame):
        return self.filtered(frame, lambda pid, payload: wire.is_accumulated(payload))

    def filtered(self, frame, test):
        def kept(batch):
            mask = [test(*row) for row in zip(batch.column(0).to_pylist(), batch.column(1).to_pylist())]
            return batch.filter(pc.cast(pa.array(mask, pa.bool_()), pa.bool_()))

        return lambda: [[kept(batch) for batch in batches] for batches in frame()]

    def kept(self, frame):
        held = [[batch for batches in frame() for batch in batches]]
        return lambda: held

    def saved(self, frame, path):
        return self.kept(frame)

    def rows(self, frame):
        return list(self.stream(frame))

    def stream(self, frame):
        for batches in frame():
            for batch in batches:
                yield from zip(batch.column(0).to_pylist(), batch.column(1).to_pylist())
