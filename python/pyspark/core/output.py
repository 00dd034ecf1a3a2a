"""Saving RDDs to files."""

from typing import Any, Iterable, Iterator, Optional

import pyarrow as pa

from pyspark.core import hadoop
from pyspark.core import payload as wire
from pyspark.core.lineage import Build, columns

TEXT_ROWS = 8192


class OutputOperations:
    """Actions that write files; mixed into RDD."""

    def saveAsTextFile(self, path: str, compressionCodecClass: Optional[str] = None) -> None:
        """One line per record, into files of a new directory, visible when all are written."""
        frame = self._frame(_texts, "value string")
        writer = frame.write.mode("error")
        codec = hadoop.codec_name(compressionCodecClass)
        (writer.option("compression", codec) if codec else writer).text(path)

    def saveAsPickleFile(self, path: str, batchSize: int = 10) -> None:
        """Pickled records, into files of a new directory, for `SparkContext.pickleFile`."""
        self._frame(_Pickles(batchSize), "payload binary").write.mode("error").parquet(path)

    def saveAsSequenceFile(self, path: str, compressionCodecClass: Optional[str] = None) -> None:
        """Pairs as Hadoop's sequence files."""
        hadoop.save_sequence(self, path, compressionCodecClass)

    def saveAsHadoopFile(
        self,
        path: str,
        outputFormatClass: str,
        keyClass: Optional[str] = None,
        valueClass: Optional[str] = None,
        keyConverter: Optional[str] = None,
        valueConverter: Optional[str] = None,
        conf: Optional[dict[str, str]] = None,
        compressionCodecClass: Optional[str] = None,
    ) -> None:
        """Pairs in a format of Hadoop: text or sequence files."""
        hadoop.refuse_converters("saveAsHadoopFile", keyConverter, valueConverter)
        hadoop.save(self, path, outputFormatClass, compressionCodecClass, keyClass, valueClass)

    def saveAsNewAPIHadoopFile(
        self,
        path: str,
        outputFormatClass: str,
        keyClass: Optional[str] = None,
        valueClass: Optional[str] = None,
        keyConverter: Optional[str] = None,
        valueConverter: Optional[str] = None,
        conf: Optional[dict[str, str]] = None,
    ) -> None:
        """Pairs in a format of Hadoop: text or sequence files."""
        hadoop.refuse_converters("saveAsNewAPIHadoopFile", keyConverter, valueConverter)
        hadoop.save(self, path, outputFormatClass, None, keyClass, valueClass)

    def saveAsHadoopDataset(
        self, conf: dict[str, str], keyConverter: Optional[str] = None, valueConverter: Optional[str] = None
    ) -> None:
        """As `saveAsHadoopFile`, told by Hadoop's settings."""
        hadoop.refuse_converters("saveAsHadoopDataset", keyConverter, valueConverter)
        hadoop.save_as_told(self, conf)

    def saveAsNewAPIHadoopDataset(
        self, conf: dict[str, str], keyConverter: Optional[str] = None, valueConverter: Optional[str] = None
    ) -> None:
        """As `saveAsNewAPIHadoopFile`, told by Hadoop's settings."""
        hadoop.refuse_converters("saveAsNewAPIHadoopDataset", keyConverter, valueConverter)
        hadoop.save_as_told(self, conf)

    def _frame(self, convert: Any, schema: Any) -> Any:
        """A DataFrame of what `convert` makes of the records."""
        return columns(Build(self.ctx), self, convert, schema)


def _texts(values: Iterable[Any]) -> Iterator[pa.RecordBatch]:
    lines: list[str] = []
    for value in values:
        lines.append(value.decode("utf-8") if isinstance(value, bytes) else str(value))
        if len(lines) >= TEXT_ROWS:
            yield pa.RecordBatch.from_arrays([pa.array(lines, pa.string())], names=["value"])
            lines = []
    if lines:
        yield pa.RecordBatch.from_arrays([pa.array(lines, pa.string())], names=["value"])


class _Pickles:
    """Records as pickled lists, each of a size, or of one that suits."""

    def __init__(self, size: int):
        self.size = size

    def __call__(self, values: Iterable[Any]) -> Iterator[pa.RecordBatch]:
        from pyspark.core.exchange import chunks

        pickled = wire.payloads(values) if self.size <= 0 else map(wire.dumps, chunks(values, self.size))
        for some in chunks(pickled, 1024):
            yield pa.RecordBatch.from_arrays([pa.array(some, pa.binary())], names=["payload"])
