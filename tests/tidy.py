#!/usr/bin/env python3
"""Checks what no compiler checks: sizes of files and functions, which crate may use which, what code may not say.

Run it from anywhere; it prints what is wrong and fails, or says how much it looked at.
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70

# Tables that grow by the row, excepted from the sizes by name.
TABLES = {
    "crates/model/src/conf.rs",
    "crates/model/src/error_class.rs",
}
TABLE_FUNCTIONS: set[str] = set()

FORBIDDEN = re.compile(r"\.unwrap\(\)|\.expect\(|\bpanic!|\btodo!|\bunimplemented!|\bunreachable!\(\)")
MACHINE_PATH = re.compile(r"""(?<![\w.])/(?:root|home/[a-z]+|work|Users)/[\w.]""")
TEXT_FILES = {".rs", ".py", ".md", ".toml", ".yaml", ".yml", ".sh", ".proto"}
# Folders of ours; whatever else lies in the clone is somebody's data.
FOLDERS = ("crates", "tests", "docs", "manifests", "charts", "crds", "python", "images", ".ci", ".github")


def main() -> int:
    problems = []
    sources = sorted((ROOT / "crates").glob("*/**/*.rs"))
    for path in sources:
        problems += check_source(path)
    problems += check_arrows()
    problems += check_features()
    problems += check_configuration(sources)
    texts = text_files()
    for path in texts:
        problems += check_paths(path)
    for problem in problems:
        print(problem)
    if problems:
        print(f"{len(problems)} problems")
        return 1
    print(f"tidy: {len(sources)} Rust files, {len(texts)} text files")
    return 0


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def check_source(path: Path) -> list[str]:
    name = name_of(path)
    lines = path.read_text().splitlines()
    problems = []
    if len(lines) > FILE_LINES_MAX and name not in TABLES:
        problems.append(f"{name}: {len(lines)} lines, more than {FILE_LINES_MAX}")
    bare = blank_texts(path.read_text()).splitlines()
    for start, end, function in functions(bare):
        length = end - start + 1
        if length > FUNCTION_LINES_MAX and f"{name}::{function}" not in TABLE_FUNCTIONS:
            problems.append(f"{name}:{start + 1}: {function} has {length} lines, more than {FUNCTION_LINES_MAX}")
    if is_test(path):
        return problems
    tests = test_lines(bare)
    for number, line in enumerate(bare):
        found = FORBIDDEN.search(line)
        if found and number not in tests:
            problems.append(f"{name}:{number + 1}: {found.group().strip('.(')} outside tests")
    return problems


def is_test(path: Path) -> bool:
    folders = path.relative_to(ROOT / "crates").parts[1:-1]
    return bool({"tests", "benches", "examples"} & set(folders)) or path.stem in ("tests", "fixtures") or path.stem.endswith("_tests")


def check_configuration(sources: list[Path]) -> list[str]:
    """Each key of the table is read somewhere, or says that nobody reads it."""
    table = ROOT / "crates/model/src/conf.rs"
    code = "\n".join(path.read_text() for path in sources if path != table and not is_test(path))
    words = set(re.findall(r"\w+|\"spark[\w.]+\"", code))
    problems = []
    row = re.compile(r'^    ([A-Z0-9_]+) = "([^"]+)".*, (Engine|Client|Nothing), "', re.MULTILINE)
    for name, key, effect in row.findall(table.read_text()):
        if effect == "Engine" and not {name, f'"{key}"'} & words:
            problems.append(f"{name_of(table)}: {key} is nowhere read, so its effect is Nothing")
    return problems


def blank_texts(code: str) -> str:
    """The code with comments, strings and characters blanked, so that braces can be counted."""
    token = re.compile(
        r"""//[^\n]*|/\*.*?\*/|b?r(?P<hashes>\#*)".*?"(?P=hashes)|b?"(?:\\.|[^"\\])*"|b?'(?:\\(?:u\{[^}]*\}|x..|.)|[^'\\])'""",
        re.DOTALL,
    )
    return token.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), code)


def functions(lines: list[str]):
    """First line, last line and name of every function."""
    start = re.compile(r"^\s*(?:pub(?:\([^)]*\))?\s+)?(?:const\s+|async\s+|unsafe\s+|extern\s+)*fn\s+(\w+)")
    for number, line in enumerate(lines):
        found = start.match(line)
        if found:
            end = block_end(lines, number)
            if end is not None:
                yield number, end, found.group(1)


def block_end(lines: list[str], number: int) -> int | None:
    """The line that closes the first block at or after a line; nothing if a semicolon comes first."""
    depth = 0
    nested = 0
    for at in range(number, len(lines)):
        for character in lines[at]:
            if character in "([":
                nested += 1
            elif character in ")]":
                nested -= 1
            elif character == "{":
                depth += 1
            elif character == "}":
                depth -= 1
                if depth == 0:
                    return at
            elif character == ";" and depth == 0 and nested == 0:
                return None
    return None


def test_lines(lines: list[str]) -> set[int]:
    """Lines of items that exist only in tests."""
    inside: set[int] = set()
    for number, line in enumerate(lines):
        if re.match(r"\s*#\[(cfg\(test\)|(tokio::)?test\b)", line) and number not in inside:
            end = block_end(lines, number + 1)
            inside.update(range(number, (end if end is not None else number + 1) + 1))
        elif re.match(r"\s*#!\[cfg\(test\)\]", line):
            inside.update(range(number, len(lines)))
    return inside


def check_arrows() -> list[str]:
    """The table of crates in ARCHITECTURE.md against the manifests."""
    allowed = arrows()
    problems = []
    crates = {path.parent.name: path for path in (ROOT / "crates").glob("*/Cargo.toml")}
    for crate, path in sorted(crates.items()):
        if crate not in allowed:
            problems.append(f"ARCHITECTURE.md: its table of crates has no line for {crate}")
            continue
        manifest = tomllib.loads(path.read_text())
        used = {name.removeprefix("firesteel-") for name in manifest.get("dependencies", {})}
        used &= set(crates)
        for extra in sorted(used - allowed[crate]):
            problems.append(f"{name_of(path)}: {crate} uses {extra}, against ARCHITECTURE.md's table")
        for missing in sorted(allowed[crate] - used):
            problems.append(f"ARCHITECTURE.md: {crate} does not use {missing}")
    problems += [f"ARCHITECTURE.md: there is no crate {crate}" for crate in sorted(set(allowed) - set(crates))]
    return problems


def arrows() -> dict[str, set[str]]:
    """Rows such as `| sql | Spark SQL text to spec | model, spec |`."""
    allowed = {}
    in_table = False
    for line in (ROOT / "ARCHITECTURE.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| crate"):
            in_table = True
        elif not line.startswith("|"):
            in_table = False
        elif in_table and not set(cells[0]) <= set("-: "):
            allowed[cells[0].strip("`")] = {name.strip("` ") for name in cells[2].split(",") if name.strip("` -")}
    return allowed


def check_features() -> list[str]:
    """What only tests depend on asks for no other features of what programs use: else that is compiled twice."""
    with_tests = features("normal,build,dev")
    return [
        f"Cargo.toml: tests want other features of {package}: {with_tests[package]}, without them {wanted}"
        for package, wanted in features("normal,build").items()
        if with_tests[package] != wanted
    ]


def features(kinds: str) -> dict[str, set[str]]:
    """Of each package of a build, by name and version; one that is built for several uses may have several sets."""
    command = ["cargo", "tree", "--workspace", "--locked", "--edges", kinds, "--prefix", "none", "--format", "{p};{f}"]
    lines = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    found: dict[str, set[str]] = {}
    for line in filter(None, lines):
        package, wanted = line.removesuffix(" (*)").split(";")
        found.setdefault(package, set()).add(wanted)
    return found


def text_files() -> list[Path]:
    inside = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    files = inside + list(ROOT.glob("*"))
    return sorted(path for path in files if path.is_file() and (path.suffix in TEXT_FILES or path.name == "Makefile"))


def check_paths(path: Path) -> list[str]:
    if path == Path(__file__).resolve():
        return []
    lines = enumerate(path.read_text().splitlines(), 1)
    return [f"{name_of(path)}:{number}: a path of one machine" for number, line in lines if MACHINE_PATH.search(line)]


if __name__ == "__main__":
    sys.exit(main())
