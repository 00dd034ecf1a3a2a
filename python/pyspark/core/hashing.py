"""Which partition a key belongs to: the same in every process."""

import os
import sys
import zlib
from typing import Any, Callable


def is_hash_stable() -> bool:
    """Whether `hash` of a text is the same in every process with these settings."""
    return os.environ.get("PYTHONHASHSEED", "random") != "random"


def _text_hash(text: Any) -> int:
    return zlib.crc32(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else bytes(text))


def portable_hash(x: Any) -> int:
    """A hash that every worker computes alike, for None, numbers, texts, and tuples of them."""
    if x is None:
        return 0
    if isinstance(x, tuple):
        mixed = 0x345678
        for item in x:
            mixed ^= portable_hash(item)
            mixed *= 1000003
            mixed &= sys.maxsize
        mixed ^= len(x)
        return -2 if mixed == -1 else mixed
    if isinstance(x, (str, bytes)) and not _STABLE:
        return _text_hash(x)
    if isinstance(x, frozenset) and not _STABLE:
        return sum(portable_hash(item) for item in x) & sys.maxsize
    return hash(x)


_STABLE = is_hash_stable()


class Partitioner:
    """How an RDD of pairs is spread: `numPartitions` of them, found by a function of the key."""

    def __init__(self, numPartitions: int, partitionFunc: Callable[[Any], int]):
        self.numPartitions = numPartitions
        self.partitionFunc = partitionFunc

    def __eq__(self, other: Any) -> bool:
        return (
            isinstance(other, Partitioner)
            and self.numPartitions == other.numPartitions
            and self.partitionFunc == other.partitionFunc
        )

    def __hash__(self) -> int:
        return hash((self.numPartitions, self.partitionFunc))

    def __call__(self, key: Any) -> int:
        return self.partitionFunc(key) % self.numPartitions
