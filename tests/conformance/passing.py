"""The list of statements that pass: a line for each golden file, which may only grow."""

from pathlib import Path

LIST = Path(__file__).with_name("passing.txt")
HEAD = "# Statements whose answer is Spark's, by golden file. `make conformance` fails when one of them fails again.\n"


def read() -> dict[str, set[int]]:
    """Numbers of statements by file."""
    found = {}
    if LIST.exists():
        for line in LIST.read_text().splitlines():
            if line and not line.startswith("#"):
                name, _, text = line.partition(": ")
                found[name] = numbers(text)
    return found


def lost(verdicts: dict) -> dict[str, list[int]]:
    """Listed statements that fail."""
    known = read()
    found = {}
    for name, each in sorted(verdicts.items()):
        failing = [number for number, verdict in enumerate(each, 1) if not verdict.passed and number in known.get(name, ())]
        if failing:
            found[name] = failing
    return found


def write(verdicts: dict, keep_others: bool):
    """Replaces the list by what passes now; files that were not run stay as they were, if so asked."""
    kept = read() if keep_others else {}
    for name, each in verdicts.items():
        kept[name] = {number for number, verdict in enumerate(each, 1) if verdict.passed}
    lines = [f"{name}: {ranges(sorted(found))}\n" for name, found in sorted(kept.items()) if found]
    LIST.write_text(HEAD + "".join(lines))


def ranges(found: list[int]) -> str:
    """`1-3,7`."""
    spans = []
    for number in found:
        if spans and spans[-1][1] == number - 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)


def numbers(text: str) -> set[int]:
    """The inverse of `ranges`."""
    found = set()
    for span in text.split(","):
        first, _, last = span.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found
