"""RDDs out of files; mixed into SparkContext."""

import posixpath
from typing import Any, Iterable, Iterator, Optional

from pyspark.core import hadoop
from pyspark.core import payload as wire


class FileSources:
    """Files are read by the server, as DataFrames; tasks get their rows."""

    def textFile(self, name: str, minPartitions: Optional[int] = None, use_unicode: bool = True) -> Any:
        """The lines of text files."""
        frame = self._session.read.text(name.split(","))
        return self._of_frame(frame.select("value"), _lines if use_unicode else _line_bytes, name)

    def wholeTextFiles(self, path: str, minPartitions: Optional[int] = None, use_unicode: bool = True) -> Any:
        """Each file as one pair of its path and its text."""
        return self._of_frame(self._whole(path), _named_texts if use_unicode else _named_bytes, path)

    def binaryFiles(self, path: str, minPartitions: Optional[int] = None) -> Any:
        """Each file as one pair of its path and its bytes."""
        return self._of_frame(self._whole(path), _named_bytes, path)

    def binaryRecords(self, path: str, recordLength: int) -> Any:
        """The records of a fixed length that files consist of."""
        if recordLength < 1:
            raise ValueError(f"the length of records must be positive, got {recordLength}")
        return self._of_frame(self._whole(path), _Slices(recordLength), path)

    def pickleFile(self, name: str, minPartitions: Optional[int] = None) -> Any:
        """What `saveAsPickleFile` saved."""
        frame = self._session.read.schema("payload binary").parquet(name)
        return self._of_frame(frame, _pickled, name)

    def sequenceFile(
        self,
        path: str,
        keyClass: Optional[str] = None,
        valueClass: Optional[str] = None,
        keyConverter: Optional[str] = None,
        valueConverter: Optional[str] = None,
        minSplits: Optional[int] = None,
        batchSize: int = 0,
    ) -> Any:
        """The pairs of Hadoop's sequence files."""
        hadoop.refuse_converters("sequenceFile", keyConverter, valueConverter)
        return self._of_frame(self._whole(path), _sequence, path)

    def hadoopFile(
        self,
        path: str,
        inputFormatClass: str,
        keyClass: str,
        valueClass: str,
        keyConverter: Optional[str] = None,
        valueConverter: Optional[str] = None,
        conf: Optional[dict[str, str]] = None,
        batchSize: int = 0,
    ) -> Any:
        """Files in a format of Hadoop: text, key-value text, sequence files."""
        hadoop.refuse_converters("hadoopFile", keyConverter, valueConverter)
        return self._in_format(path, inputFormatClass, conf or {})

    def newAPIHadoopFile(
        self,
        path: str,
        inputFormatClass: str,
        keyClass: str,
        valueClass: str,
        keyConverter: Optional[str] = None,
        valueConverter: Optional[str] = None,
        conf: Optional[dict[str, str]] = None,
        batchSize: int = 0,
    ) -> Any:
        """Files in a format of Hadoop: text, key-value text, sequence files."""
        hadoop.refuse_converters("newAPIHadoopFile", keyConverter, valueConverter)
        return self._in_format(path, inputFormatClass, conf or {})

    def hadoopRDD(
        self,
        inputFormatClass: str,
        keyClass: str,
        valueClass: str,
        keyConverter: Optional[str] = None,
        valueConverter: Optional[str] = None,
        conf: Optional[dict[str, str]] = None,
        batchSize: int = 0,
    ) -> Any:
        """As `hadoopFile`, the path told by Hadoop's settings."""
        hadoop.refuse_converters("hadoopRDD", keyConverter, valueConverter)
        return self._in_format(hadoop.input_path(conf or {}), inputFormatClass, conf or {})

    def newAPIHadoopRDD(
        self,
        inputFormatClass: str,
        keyClass: str,
        valueClass: str,
        keyConverter: Optional[str] = None,
        valueConverter: Optional[str] = None,
        conf: Optional[dict[str, str]] = None,
        batchSize: int = 0,
    ) -> Any:
        """As `newAPIHadoopFile`, the path told by Hadoop's settings."""
        hadoop.refuse_converters("newAPIHadoopRDD", keyConverter, valueConverter)
        return self._in_format(hadoop.input_path(conf or {}), inputFormatClass, conf or {})

    def _in_format(self, path: str, name: str, conf: dict[str, str]) -> Any:
        kind = hadoop.format_of(name)
        if kind == "Text":
            return self._of_frame(self._whole(path), _placed_lines, path)
        if kind == "KeyValueText":
            mark = hadoop.told(conf, "mapreduce.input.keyvaluelinerecordreader.key.value.separator") or "\t"
            return self.textFile(path).map(_Split(mark))
        pairs = self.sequenceFile(path)
        return pairs.map(_texts) if kind == "SequenceFileAsText" else pairs

    def _whole(self, path: str) -> Any:
        """One row per file: its path and its bytes."""
        frame = self._session.read.format("binaryFile").load(path.split(","))
        return frame.select("path", "content")


def _lines(batch: Any) -> list[str]:
    return batch.column(0).to_pylist()


def _line_bytes(batch: Any) -> Iterator[bytes]:
    return (line.encode("utf-8") for line in batch.column(0).to_pylist())


def _files(batch: Any) -> Iterator[tuple[str, bytes]]:
    return zip(batch.column(0).to_pylist(), batch.column(1).to_pylist())


def _named_texts(batch: Any) -> Iterator[tuple[str, str]]:
    return ((path, content.decode("utf-8", "replace")) for path, content in _files(batch))


def _named_bytes(batch: Any) -> Iterator[tuple[str, bytes]]:
    return _files(batch)


class _Slices:
    """Contents in pieces of a length; a rest that is shorter is an error, as it is in Hadoop."""

    def __init__(self, length: int):
        self.length = length

    def __call__(self, batch: Any) -> Iterator[bytes]:
        for path, content in _files(batch):
            if len(content) % self.length:
                raise ValueError(f"{path} has {len(content)} bytes, no multiple of the record length {self.length}")
            for at in range(0, len(content), self.length):
                yield content[at : at + self.length]


def _pickled(batch: Any) -> Iterable[Any]:
    return wire.records(batch.column(0).to_pylist())


def _sequence(batch: Any) -> Iterator[tuple[Any, Any]]:
    for path, content in _files(batch):
        if not posixpath.basename(path).startswith(("_", ".")):
            yield from hadoop.pairs_of(content)


def _placed_lines(batch: Any) -> Iterator[tuple[int, str]]:
    """Lines with where they begin in their file."""
    for _, content in _files(batch):
        at = 0
        for line in content.splitlines(keepends=True):
            yield at, line.rstrip(b"\r\n").decode("utf-8")
            at += len(line)


class _Split:
    """A line as key and value."""

    def __init__(self, mark: str):
        self.mark = mark

    def __call__(self, line: str) -> tuple[str, str]:
        key, _, value = line.partition(self.mark)
        return key, value


def _texts(pair: tuple[Any, Any]) -> tuple[str, str]:
    return str(pair[0]), str(pair[1])


