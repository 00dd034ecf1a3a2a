"""What is done to the processes and the store: every fault by its name."""

from dataclasses import dataclass

# What a request is, by its method and what its path and query match.
REQUESTS = {
    "list": (("GET",), r"[?&]list-type="),
    "head": (("HEAD",), r"."),
    "read table": (("GET",), r"^/chaos/tables/[^?]+$"),
    "read shuffle": (("GET",), r"^/chaos/shuffle/[^?]+$"),
    "put": (("PUT",), r"^[^?]+(\?(?!partNumber)|$)"),
    "create upload": (("POST",), r"\?uploads"),
    "put part": (("PUT",), r"[?&]partNumber="),
    "complete upload": (("POST",), r"[?&]uploadId="),
    "delete": (("DELETE", "POST"), r"^[^?]+$|\?delete"),
}
EVERY = tuple(REQUESTS)
READS = ("read table", "read shuffle")
WRITES = ("put", "create upload", "put part", "complete upload", "delete")
# Which requests each fault of the store makes sense for: user data carries no checksums, so only the shuffle's bytes are
# turned over; what has no body cannot be cut, and a body of rows cannot be told from an error of the same length.
STORE_FAULTS = {
    "error500": EVERY,
    "error503": EVERY,
    "time-out": EVERY,
    "truncate": (*READS, "list"),
    "flip": ("read shuffle",),
    "error body": (*READS, "list", *WRITES),
    "lost answer": WRITES,
    "sent twice": WRITES,
}
# Faults of processes, with how often each comes beside the others.
PROCESS_FAULTS = {
    "kill at random": 2,
    "kill while it reads": 3,
    "kill after a commit": 3,
    "kill all": 1,
    "kill a Python worker": 4,
    "out of memory": 2,
    "partition": 1,
    "terminate": 1,
    "cancel": 3,
}


@dataclass(frozen=True)
class Kind:
    """A fault and, where it is the store's, the request that it befalls."""

    name: str
    request: str | None = None

    def __str__(self) -> str:
        return f"{self.name}: {self.request}" if self.request else self.name


STORE_KINDS = [Kind(name, request) for name, requests in STORE_FAULTS.items() for request in requests]
PROCESS_KINDS = [Kind(name) for name, weight in PROCESS_FAULTS.items() for _ in range(weight)]


def draw(random, only: str = "") -> Kind:
    """The next fault: one of the store or of the processes."""
    kinds = [kind for kind in (STORE_KINDS if random.random() < 0.55 else PROCESS_KINDS) if only in str(kind)]
    return random.choice(kinds or [kind for kind in STORE_KINDS + PROCESS_KINDS if only in str(kind)])
