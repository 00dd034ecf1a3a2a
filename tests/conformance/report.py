"""docs/conformance.md, from the verdicts."""

import re
from collections import Counter
from pathlib import Path

from golden import VERSION

PAGE = Path(__file__).resolve().parents[2] / "docs/conformance.md"
EXAMPLES = "function-examples"
CAUSES_MAX = 60
HEAD = f"""# Conformance

Written by `make conformance-update`; do not edit it.

The judge is Spark's own: the golden files of its SQL test suite, version {VERSION}, fetched from Maven Central when the
tests run. Each statement goes through the stock PySpark client to the real server. It passes when schema and output
are equal to Spark's as text, or when it fails with Spark's error class, SQLSTATE, message parameters and place in the
text. Files that need functions in Python or Scala, and printed plans of the analyser, are left out. Where Spark runs a
file under several configurations, the first is run here.

```sh
make conformance                      # everything; fails if a statement fails that passed before
make conformance FILE=array.sql       # one file, with what was due and what came
```
"""


def write(files: list, verdicts: dict):
    """Replaces the page."""
    golden = [file for file in files if file.name != EXAMPLES]
    lines = [HEAD, "## By area", "", "| area | passed | failed | passed in % |", "|---|---:|---:|---:|"]
    areas = {}
    for file in golden:
        areas.setdefault(file.area, []).extend(verdicts[file.name])
    for area, each in sorted(areas.items()):
        lines.append(row(area, each))
    lines.append(row("**all**", [verdict for each in areas.values() for verdict in each]))
    if EXAMPLES in verdicts:
        lines.append(row("schemas of Spark's function examples", verdicts[EXAMPLES]))
    lines += ["", "## Main causes of failures", "", "| statements | cause |", "|---:|---|"]
    causes = Counter(v.cause for each in areas.values() for v in each if not v.passed)
    lines += [f"| {count} | {cell(cause)} |" for cause, count in causes.most_common(CAUSES_MAX)]
    lines += ["", "## By file", "", "| file | passed | failed | passed in % |", "|---|---:|---:|---:|"]
    lines += [row(file.name, verdicts[file.name]) for file in sorted(golden, key=lambda file: file.name)]
    PAGE.write_text("\n".join(lines) + "\n")


def row(name: str, verdicts: list) -> str:
    passed = sum(verdict.passed for verdict in verdicts)
    share = 100 * passed / max(1, len(verdicts))
    return f"| {name} | {passed} | {len(verdicts) - passed} | {share:.1f} |"


def cell(text: str) -> str:
    """A cause on one line, without what differs from run to run."""
    return re.sub(r"/tmp/\S+", "(path)", re.sub(r"\s+", " ", text)).replace("|", "\\|")
