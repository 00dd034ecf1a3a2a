"""A proxy before an S3 server that spoils answers on demand, with the counts of what it did."""

import asyncio
import re
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>chaos</Message></Error>"
INTERNAL = b"<Error><Code>InternalError</Code><Message>chaos</Message></Error>"
HANG_S = 40


@dataclass
class Fault:
    """What happens to the next `times` requests whose method and path match."""

    kind: str  # one of faults.STORE_FAULTS, or "watch", which only calls `seen`
    methods: tuple[str, ...]
    path: str
    times: int
    # Called with the port of the client, once the answer is on its way.
    seen: Callable[[int], None] | None = None
    taken: int = 0

    def takes(self, method: str, path: str) -> bool:
        return self.taken < self.times and method in self.methods and re.search(self.path, path) is not None


@dataclass
class Answer:
    """An HTTP message: its first line with the headers, and its body."""

    head: bytes
    body: bytes


@dataclass
class Proxy:
    """Listens on a port of its own in a thread of its own."""

    upstream: int
    port: int = 0
    requests: Counter = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> "Proxy":
        ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self.serve(ready)), daemon=True).start()
        if not ready.wait(10):
            raise RuntimeError("the proxy did not start")
        return self

    async def serve(self, ready: threading.Event) -> None:
        server = await asyncio.start_server(self.connection, "127.0.0.1", 0, limit=1 << 20)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await server.serve_forever()

    def arm(self, fault: Fault) -> None:
        with self.lock:
            self.faults.append(fault)

    def disarm(self, fault: Fault) -> None:
        with self.lock:
            if fault in self.faults:
                self.faults.remove(fault)

    def take(self, method: str, path: str) -> Fault | None:
        self.requests[method] += 1
        with self.lock:
            for fault in self.faults:
                if fault.takes(method, path):
                    fault.taken += 1
                    return fault
        return None

    async def connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream = None
        try:
            upstream = await asyncio.open_connection("127.0.0.1", self.upstream, limit=1 << 20)
            while await self.exchange(reader, writer, *upstream):
                pass
        except (OSError, asyncio.IncompleteReadError):
            pass  # One of the two has gone; so does the other.
        finally:
            for end in (writer, upstream and upstream[1]):
                if end:
                    end.close()

    async def exchange(self, reader, writer, from_store, to_store) -> bool:
        """One request and its answer; whether the connection goes on."""
        request = await message(reader)
        if request is None:
            return False
        method, path, _ = request.head.split(b"\r\n", 1)[0].decode().split(" ", 2)
        fault = self.take(method, path)
        kind = fault.kind if fault else None
        if kind == "time-out":
            await asyncio.sleep(HANG_S)
            return False
        if kind in ("error500", "error503"):
            status, body = ("500 Internal Server Error", INTERNAL) if kind == "error500" else ("503 Slow Down", SLOW_DOWN)
            writer.write(plain(status, b"" if method == "HEAD" else body))
            await writer.drain()
            return True
        for _ in range(2 if kind == "sent twice" else 1):
            to_store.write(request.head + request.body)
            await to_store.drain()
            answer = await message(from_store, bodiless=method == "HEAD")
        if answer is None or kind == "lost answer":
            return False
        writer.write(spoil(kind, answer))
        await writer.drain()
        if fault and fault.seen:
            fault.seen(writer.get_extra_info("peername")[1])
        return kind not in ("truncate", "error body")


def spoil(kind: str | None, answer: Answer) -> bytes:
    """The answer as the client gets it."""
    if kind == "truncate" and len(answer.body) > 1:
        return answer.head + answer.body[: len(answer.body) // 2]
    if kind == "flip" and answer.body:
        body = bytearray(answer.body)
        body[len(body) // 2] ^= 0x10
        return answer.head + bytes(body)
    if kind == "error body":
        return plain("200 OK", INTERNAL)
    return answer.head + answer.body


def plain(status: str, body: bytes) -> bytes:
    return f"HTTP/1.1 {status}\r\ncontent-type: application/xml\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


async def message(reader: asyncio.StreamReader, bodiless: bool = False) -> Answer | None:
    """The next HTTP message, whole; none at the end of the stream."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return None
    fields = head.decode("latin-1").lower()
    length = re.search(r"\r\ncontent-length: *(\d+)", fields)
    if bodiless or re.match(r"http/1.1 (1\d\d|204|304)", fields):
        return Answer(head, b"")
    if length:
        return Answer(head, await reader.readexactly(int(length.group(1))))
    if re.search(r"\r\ntransfer-encoding: *chunked", fields):
        return Answer(head, await chunked(reader))
    return Answer(head, b"")


async def chunked(reader: asyncio.StreamReader) -> bytes:
    """A body in chunks, as it came."""
    parts = []
    while True:
        size = await reader.readuntil(b"\r\n")
        rest = await reader.readexactly(int(size.split(b";")[0], 16) + 2)
        parts += [size, rest]
        if rest == b"\r\n":
            return b"".join(parts)
