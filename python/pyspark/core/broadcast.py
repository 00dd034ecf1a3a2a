"""Values sent to every task once."""

import tempfile
import uuid
from collections import OrderedDict
from typing import Any, BinaryIO, Callable, Generic, Optional, TypeVar

from pyspark.core import payload as wire
from pyspark.errors import PySparkRuntimeError

__all__ = ["Broadcast"]

T = TypeVar("T")

# Larger values travel as a file of the session rather than with each stage's function.
INLINE_BYTES = 1024 * 1024
# A worker lives through many tasks; so many values it keeps.
KEPT_IN_WORKER = 32

# PySpark's worker puts broadcasts here that a server sends beside a command; this layer sends none that way.
_broadcastRegistry: dict[int, "Broadcast"] = {}
_kept: "OrderedDict[str, Broadcast]" = OrderedDict()


class Broadcast(Generic[T]):
    """A read-only value made by `SparkContext.broadcast`; `value` gives it, in the driver and in tasks."""

    def __init__(self, sc: Any = None, value: Any = None, path: Optional[str] = None, ship: Optional[Callable] = None):
        self._key = uuid.uuid4().hex
        self._is_destroyed = False
        self._path = path
        self._ship = ship
        self._pickled: Optional[bytes] = None
        self._shipped: Optional[str] = None
        if path is None:
            self._value = value

    @property
    def value(self) -> T:
        """The value."""
        if self._is_destroyed:
            raise PySparkRuntimeError("Attempted to use a broadcast variable after it was destroyed")
        if not hasattr(self, "_value"):
            self._value = self._loaded()
        return self._value

    def _loaded(self) -> T:
        if self._pickled is not None:
            return wire.loads(self._pickled)
        if self._shipped is not None:
            from pyspark.core.files import SparkFiles

            return self.load_from_path(SparkFiles.get(self._shipped))
        if self._path is not None:
            return self.load_from_path(self._path)
        raise PySparkRuntimeError("this broadcast variable has no value")

    def dump(self, value: T, f: BinaryIO) -> None:
        """Writes a pickled value."""
        f.write(wire.dumps_on_driver(value))
        f.close()

    def load_from_path(self, path: str) -> T:
        """Reads a pickled value from a file."""
        with open(path, "rb", 1 << 20) as file:
            return self.load(file)

    def load(self, file: BinaryIO) -> T:
        """Reads a pickled value."""
        return wire.loads(file.read())

    def unpersist(self, blocking: bool = False) -> None:
        """Forgets the copies in workers: they are sent again when a task needs them."""
        self._refuse_destroyed("unpersist")
        self._pickled = None
        self._key = uuid.uuid4().hex

    def destroy(self, blocking: bool = False) -> None:
        """Forgets the value for good."""
        self._refuse_destroyed("destroy")
        self._is_destroyed = True
        self._pickled = None
        if hasattr(self, "_value"):
            del self._value

    def _refuse_destroyed(self, what: str) -> None:
        if self._is_destroyed:
            raise PySparkRuntimeError(f"Attempted to {what} a broadcast variable after it was destroyed")

    def __reduce__(self) -> tuple[Any, ...]:
        self._refuse_destroyed("use")
        if self._shipped is None and self._pickled is None:
            self._pickled = wire.dumps_on_driver(self.value)
            if self._ship is not None and len(self._pickled) > INLINE_BYTES:
                self._shipped = self._ship(self._key, self._pickled)
                self._pickled = None
        return _received, (self._key, self._pickled, self._shipped)


def _received(key: str, pickled: Optional[bytes], shipped: Optional[str]) -> Broadcast:
    """In a worker: the variable, unpickled at first use and kept for later tasks."""
    if key in _kept:
        _kept.move_to_end(key)
        return _kept[key]
    held: Broadcast = Broadcast.__new__(Broadcast)
    held._key, held._pickled, held._shipped = key, pickled, shipped
    held._is_destroyed, held._path, held._ship = False, None, None
    _kept[key] = held
    while len(_kept) > KEPT_IN_WORKER:
        _kept.popitem(last=False)
    return held


def written(pickled: bytes, name: str) -> str:
    """A file of a name with a pickled value, to be sent as an artifact."""
    path = f"{tempfile.mkdtemp(prefix='firesteel-broadcast-')}/{name}"
    with open(path, "wb") as file:
        file.write(pickled)
    return path
