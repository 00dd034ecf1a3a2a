"""How records travel in rows: `(pid int, payload binary)`.

    pid      the partition that the row belongs to
    payload  empty             says only that the partition exists
             b"A" + pickle     what a task added to accumulators: a list of (id, value)
             pickle            a list of records

Guarantees: every partition has at least one row, and rows of a partition follow each other, so a task learns from its
rows which partition it computes, whatever the server put around them.
"""

import pickle
from itertools import chain, islice
from typing import Any, Iterable, Iterator

import pyarrow as pa

from pyspark import cloudpickle

Row = tuple[int, bytes]

EMPTY = b""
ACCUMULATED = b"A"
SCHEMA = pa.schema([("pid", pa.int32()), ("payload", pa.binary())])

PAYLOAD_BYTES = 256 * 1024
BATCH_BYTES = 1024 * 1024
BATCH_ROWS = 256
RECORDS_FIRST = 16
RECORDS_MAX = 1 << 17


def dumps(records: Any) -> bytes:
    """Pickles in a task. What the plain pickler cannot find by name goes by value."""
    try:
        return pickle.dumps(records, 5)
    except Exception:
        return cloudpickle.dumps(records, 5)


loads = pickle.loads


def dumps_on_driver(records: Any) -> bytes:
    """Pickles in the user's program, whose own module no worker can import: its classes go by value."""
    return cloudpickle.dumps(records, 5)


def payloads(records: Iterable[Any]) -> Iterator[bytes]:
    """Records as payloads of a size that suits: many records that are small, few that are large."""
    records = iter(records)
    count = RECORDS_FIRST
    while True:
        some = list(islice(records, count))
        if not some:
            return
        payload = dumps(some)
        yield payload
        if len(payload) < PAYLOAD_BYTES:
            count = min(count * 2, RECORDS_MAX)
        elif len(payload) > 4 * PAYLOAD_BYTES and count > 1:
            count //= 2


def records(payloads: Iterable[bytes]) -> Iterator[Any]:
    """The records of payloads, read as they are asked for."""
    return chain.from_iterable(map(loads, payloads))


def accumulated(updates: list[tuple[int, Any]]) -> bytes:
    """What a task added to accumulators."""
    return ACCUMULATED + dumps(updates)


def is_accumulated(payload: bytes) -> bool:
    return payload[:1] == ACCUMULATED


def updates(payload: bytes) -> list[tuple[int, Any]]:
    """What a payload of accumulators says."""
    return loads(payload[1:])


def batches(rows: Iterable[Row]) -> Iterator[pa.RecordBatch]:
    """Rows as Arrow batches of a moderate size."""
    pids: list[int] = []
    blobs: list[bytes] = []
    size = 0
    for pid, payload in rows:
        pids.append(pid)
        blobs.append(payload)
        size += len(payload)
        if size >= BATCH_BYTES or len(pids) >= BATCH_ROWS:
            yield batch(pids, blobs)
            pids, blobs, size = [], [], 0
    if pids:
        yield batch(pids, blobs)


def batch(pids: list[int], blobs: list[bytes]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array(pids, pa.int32()), pa.array(blobs, pa.binary())], schema=SCHEMA)
