"""The few DataFrame calls that RDDs are made of, over a Spark Connect session."""

from typing import Any, Callable, Iterable, Iterator, Optional

import pyarrow as pa

from pyspark.core import payload as wire
from pyspark.core.task import Stage, function_of
from pyspark.sql.types import BinaryType, IntegerType, StructField, StructType

ROWS = StructType([StructField("pid", IntegerType(), False), StructField("payload", BinaryType(), False)])


class ConnectFrames:
    """Frames of one session. A frame is a DataFrame with the columns `pid` and `payload`, unless said otherwise."""

    def __init__(self, session: Any):
        self.session = session

    def indexes(self, indexes: range) -> Any:
        """One column: each partition holds one of the numbers, in order."""
        return self.session.range(indexes.start, indexes.stop, 1, len(indexes))

    def stored(self, rows: Iterable[wire.Row]) -> Any:
        """Rows of this program's; in one partition."""
        return self.session.createDataFrame(pa.Table.from_batches(wire.batches(rows), schema=wire.SCHEMA))

    def run(self, frame: Any, stage: Stage, schema: Optional[StructType] = None) -> Any:
        """What a stage makes of a frame."""
        return frame.mapInArrow(function_of(stage), schema or ROWS)

    def exchanged(self, frame: Any, partitions: int) -> Any:
        """Each row in the partition that its `pid` says."""
        return frame.repartitionById(partitions, "pid")

    def coalesced(self, frame: Any, partitions: int) -> Any:
        """Neighbouring partitions one after the other: partition p of n is in group g when g*n//partitions <= p."""
        return frame.coalesce(partitions)

    def union(self, frames: list[Any]) -> Any:
        """The partitions of all, in order."""
        united = frames[0]
        for frame in frames[1:]:
            united = united.union(frame)
        return united

    def tagged(self, frame: Any, tag: int) -> Any:
        """With a column `tag` between the two."""
        from pyspark.sql.connect.functions import col, lit

        return frame.select(col("pid"), lit(tag).alias("tag"), col("payload"))

    def only(self, frame: Any, wanted: range) -> Any:
        """The rows of some partitions."""
        from pyspark.sql.connect.functions import col

        return frame.where((col("pid") >= wanted.start) & (col("pid") < wanted.stop))

    def kept(self, frame: Any) -> Any:
        """Computed now, and kept by the server while the program holds the result; in no particular partitions."""
        return frame.localCheckpoint()

    def saved(self, frame: Any, path: str) -> Any:
        """Computed now, and kept in files."""
        frame.write.mode("error").parquet(path)
        return self.session.read.schema(ROWS).parquet(path)

    def updates(self, frame: Any) -> Any:
        """The rows that say what accumulators got."""
        from pyspark.sql.connect.functions import col, lit

        return frame.where(col("payload").startswith(lit(wire.ACCUMULATED)))

    def rows(self, frame: Any) -> list[wire.Row]:
        """All rows."""
        table, _ = frame._to_table()
        return _pairs(table)

    def stream(self, frame: Any) -> Iterator[wire.Row]:
        """All rows, while they arrive."""
        client = self.session.client
        for part in client.to_table_as_iterator(frame._plan.to_proto(client), {}):
            if isinstance(part, pa.Table):
                yield from _pairs(part)


def _pairs(table: pa.Table) -> list[wire.Row]:
    return list(zip(table.column(0).to_pylist(), table.column(1).to_pylist()))


def converter(schema: StructType) -> Callable[[pa.RecordBatch], list[Any]]:
    """In a task: the batches of a DataFrame as Rows."""

    def rows(batch: pa.RecordBatch) -> list[Any]:
        from pyspark.sql.conversion import ArrowTableToRowsConversion

        return ArrowTableToRowsConversion.convert(pa.Table.from_batches([batch]), schema)

    return rows
