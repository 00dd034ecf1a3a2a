"""Formats of Hadoop that RDDs read and write without Java: text, key-value text and sequence files."""

import os
import struct
import uuid
import zlib
from typing import Any, Callable, Iterable, Iterator, Optional

from pyspark.core.unsupported import unsupported

WRITABLES = "org.apache.hadoop.io."
MAGIC = b"SEQ\x06"
SYNC_EVERY = 2000

CODECS = {
    "GzipCodec": "gzip",
    "BZip2Codec": "bzip2",
    "DefaultCodec": "deflate",
    "DeflateCodec": "deflate",
    "SnappyCodec": "snappy",
    "Lz4Codec": "lz4",
    "ZStandardCodec": "zstd",
}


def codec_name(codec: Optional[str]) -> Optional[str]:
    """The DataFrame writer's name of a Hadoop codec class."""
    if codec is None:
        return None
    short = codec.rsplit(".", 1)[-1]
    if short not in CODECS:
        raise unsupported(f"the codec {codec}", "text is compressed with gzip, bzip2, deflate, snappy, lz4 or zstd")
    return CODECS[short]


def refuse_converters(what: str, *converters: Optional[str]) -> None:
    """Converters are classes of Java."""
    named = [converter for converter in converters if converter]
    if named:
        raise unsupported(f"{what} with the converter {named[0]}", "converters are Java classes; map the pairs instead")


def format_of(name: str) -> str:
    """Which of the formats a class of Hadoop is."""
    short = name.rsplit(".", 1)[-1]
    for ending in ("InputFormat", "OutputFormat"):
        short = short.removesuffix(ending)
    if short in ("Text", "KeyValueText", "SequenceFile", "SequenceFileAsText"):
        return short
    raise unsupported(f"the Hadoop format {name}", "it is a Java class; text, key-value text and sequence files are read")


def told(conf: dict[str, str], *keys: str) -> Optional[str]:
    """The first of some settings that is there."""
    return next((conf[key] for key in keys if key in conf), None)


def input_path(conf: dict[str, str]) -> str:
    """The input directory that Hadoop's settings name."""
    path = told(conf, "mapreduce.input.fileinputformat.inputdir", "mapred.input.dir")
    if path is None:
        raise ValueError("the configuration has no mapreduce.input.fileinputformat.inputdir")
    return path


def save_as_told(rdd: Any, conf: dict[str, str]) -> None:
    path = told(conf, "mapreduce.output.fileoutputformat.outputdir", "mapred.output.dir")
    if path is None:
        raise ValueError("the configuration has no mapreduce.output.fileoutputformat.outputdir")
    kind = told(conf, "mapreduce.job.outputformat.class", "mapred.output.format.class") or "TextOutputFormat"
    save(rdd, path, kind, told(conf, "mapreduce.output.fileoutputformat.compress.codec"), None, None)


def save(rdd: Any, path: str, kind: str, codec: Optional[str], key: Optional[str], value: Optional[str]) -> None:
    """Writes pairs in a format of Hadoop."""
    if format_of(kind) == "SequenceFile":
        save_sequence(rdd, path, codec, key, value)
    else:
        rdd.map(_tabbed).saveAsTextFile(path, codec)


def _tabbed(pair: Any) -> str:
    return "\t".join(str(part) for part in pair if part is not None)


# Sequence files


class Reader:
    """Bytes read from the front."""

    def __init__(self, content: bytes):
        self.content = content
        self.at = 0

    def is_done(self) -> bool:
        return self.at >= len(self.content)

    def take(self, count: int) -> bytes:
        taken = self.content[self.at : self.at + count]
        if len(taken) < count:
            raise ValueError("the sequence file ends within a record")
        self.at += count
        return taken

    def int32(self) -> int:
        return struct.unpack(">i", self.take(4))[0]

    def vlong(self) -> int:
        first = struct.unpack("b", self.take(1))[0]
        if first >= -112:
            return first
        size = -(first + 120) if first < -120 else -(first + 112)
        number = int.from_bytes(self.take(size), "big")
        return ~number if first < -120 else number

    def text(self) -> str:
        return self.take(self.vlong()).decode("utf-8")


def vlong(number: int) -> bytes:
    """Hadoop's integer of variable length."""
    if -112 <= number <= 127:
        return struct.pack("b", number)
    mark = -112
    if number < 0:
        number, mark = ~number, -120
    held = number.to_bytes((number.bit_length() + 7) // 8 or 1, "big")
    return struct.pack("b", mark - len(held)) + held


def _text(value: str) -> bytes:
    held = value.encode("utf-8")
    return vlong(len(held)) + held


READERS: dict[str, Callable[[Reader], Any]] = {
    "Text": lambda reader: reader.text(),
    "IntWritable": lambda reader: reader.int32(),
    "VIntWritable": lambda reader: reader.vlong(),
    "LongWritable": lambda reader: struct.unpack(">q", reader.take(8))[0],
    "VLongWritable": lambda reader: reader.vlong(),
    "FloatWritable": lambda reader: struct.unpack(">f", reader.take(4))[0],
    "DoubleWritable": lambda reader: struct.unpack(">d", reader.take(8))[0],
    "BooleanWritable": lambda reader: reader.take(1) != b"\0",
    "BytesWritable": lambda reader: reader.take(reader.int32()),
    "NullWritable": lambda reader: None,
}

WRITERS: dict[str, Callable[[Any], bytes]] = {
    "Text": lambda value: _text(str(value)),
    "IntWritable": lambda value: struct.pack(">i", value),
    "LongWritable": lambda value: struct.pack(">q", value),
    "FloatWritable": lambda value: struct.pack(">f", value),
    "DoubleWritable": lambda value: struct.pack(">d", value),
    "BooleanWritable": lambda value: b"\1" if value else b"\0",
    "BytesWritable": lambda value: struct.pack(">i", len(value)) + bytes(value),
    "NullWritable": lambda value: b"",
}


def writable_of(value: Any) -> str:
    """The class that holds a Python value."""
    if value is None:
        return "NullWritable"
    if isinstance(value, bool):
        return "BooleanWritable"
    if isinstance(value, int):
        return "IntWritable" if -(2**31) <= value < 2**31 else "LongWritable"
    if isinstance(value, float):
        return "DoubleWritable"
    if isinstance(value, str):
        return "Text"
    if isinstance(value, (bytes, bytearray)):
        return "BytesWritable"
    raise unsupported(f"a {type(value).__name__} in a sequence file", "None, bool, int, float, str and bytes are")


def _known(table: dict[str, Any], name: str) -> Any:
    short = name.removeprefix(WRITABLES)
    if short not in table:
        raise unsupported(f"the Writable {name}", f"{', '.join(sorted(table))} are known")
    return table[short]


def pairs_of(content: bytes) -> Iterator[tuple[Any, Any]]:
    """The pairs of a sequence file: plain, record-compressed or block-compressed with zlib."""
    reader = Reader(content)
    if reader.take(3) != MAGIC[:3]:
        raise ValueError("not a sequence file")
    reader.take(1)
    read_key, read_value = _known(READERS, reader.text()), _known(READERS, reader.text())
    is_compressed, is_blocked = reader.take(1) != b"\0", reader.take(1) != b"\0"
    if is_compressed:
        codec = reader.text()
        if codec.rsplit(".", 1)[-1] not in ("DefaultCodec", "DeflateCodec"):
            raise unsupported(f"the codec {codec} in a sequence file", "zlib's DefaultCodec is")
    for _ in range(reader.int32()):
        reader.text(), reader.text()
    reader.take(16)
    if is_blocked:
        yield from _blocks(reader, read_key, read_value)
        return
    while not reader.is_done():
        length = reader.int32()
        if length == -1:
            reader.take(16)
            continue
        key_length = reader.int32()
        key, value = reader.take(key_length), reader.take(length - key_length)
        yield read_key(Reader(key)), read_value(Reader(zlib.decompress(value) if is_compressed else value))


def _blocks(reader: Reader, read_key: Callable, read_value: Callable) -> Iterator[tuple[Any, Any]]:
    while not reader.is_done():
        reader.int32()
        reader.take(16)
        count = reader.vlong()
        parts = [Reader(zlib.decompress(reader.take(reader.vlong()))) for _ in range(4)]
        for _ in range(count):
            yield read_key(parts[1]), read_value(parts[3])


def save_sequence(
    rdd: Any, path: str, codec: Optional[str] = None, key: Optional[str] = None, value: Optional[str] = None
) -> None:
    """Writes pairs as sequence files: each task a file of its own, renamed when all are written."""
    if codec is not None and codec.rsplit(".", 1)[-1] not in ("DefaultCodec", "DeflateCodec"):
        raise unsupported(f"the codec {codec} in a sequence file", "zlib's DefaultCodec is")
    folder = path.removeprefix("file://").removeprefix("file:") if path.startswith("file:") else path
    if "://" in folder:
        raise unsupported(f"saveAsSequenceFile to {path}", "tasks write sequence files to mounted file systems only")
    folder = os.path.abspath(folder)
    if os.path.exists(folder):
        raise FileExistsError(f"Output directory {path} already exists")
    names = rdd._mapped(_Sequence(folder, codec is not None, key, value)).collect()
    for name in sorted(names):
        os.rename(f"{folder}/_temporary/{name}", f"{folder}/{name.split('.', 1)[0]}")
    os.makedirs(folder, exist_ok=True)
    if os.path.isdir(f"{folder}/_temporary"):
        for left in os.listdir(f"{folder}/_temporary"):
            os.remove(f"{folder}/_temporary/{left}")
        os.rmdir(f"{folder}/_temporary")
    open(f"{folder}/_SUCCESS", "wb").close()


class _Sequence:
    """Writes a partition to a file whose name no other attempt has, and gives the name."""

    def __init__(self, folder: str, is_compressed: bool, key: Optional[str], value: Optional[str]):
        self.folder = folder
        self.is_compressed = is_compressed
        self.classes = (key, value)

    def __call__(self, index: int, pairs: Iterable[Any]) -> Iterator[str]:
        os.makedirs(f"{self.folder}/_temporary", exist_ok=True)
        name = f"part-{index:05d}.{uuid.uuid4().hex}"
        with open(f"{self.folder}/_temporary/{name}", "wb") as file:
            for piece in self.pieces(pairs):
                file.write(piece)
        yield name

    def pieces(self, pairs: Iterable[Any]) -> Iterator[bytes]:
        sync = uuid.uuid4().bytes
        names: list[str] = []
        since = 0
        for pair in pairs:
            if not names:
                names = [(told or writable_of(part)).removeprefix(WRITABLES) for told, part in zip(self.classes, pair)]
                yield self.header(names, sync)
            key, value = (_known(WRITERS, name)(part) for name, part in zip(names, pair))
            if self.is_compressed:
                value = zlib.compress(value)
            record = struct.pack(">ii", len(key) + len(value), len(key)) + key + value
            since += len(record)
            if since >= SYNC_EVERY:
                record = struct.pack(">i", -1) + sync + record
                since = 0
            yield record
        if not names:
            yield self.header(["NullWritable", "NullWritable"], sync)

    def header(self, names: list[str], sync: bytes) -> bytes:
        classes = b"".join(_text(WRITABLES + name) for name in names)
        flags = b"\1\0" + _text(WRITABLES + "compress.DefaultCodec") if self.is_compressed else b"\0\0"
        return MAGIC + classes + flags + struct.pack(">i", 0) + sync
