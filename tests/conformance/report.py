"""docs/conformance.md, from the verdicts."""

import re
from collections import Counter
from pathlib import Path

from golden import VERSION

PAGE = Path(__file__).resolve().parents[2] / "docs/conformance.md"
EXAMPLES = "function-examples"
CAUSES_MAX = 60
HEAD = """# Conformance

Written by `make conformance-update`; do not edit it.

The judge is Spark's own: the golden files of its SQL test suite, version {version}, fetched from Maven Central when the
tests run. Each statement goes through the stock PySpark client to the real server. It passes when schema and output
are equal to Spark's as text, or when it fails with Spark's error class, SQLSTATE, message parameters and place in the
text. Where Spark lets an exception of Java through, which has no class, any error of ours passes; where a Python
function raises one, ours has to say the same in its last line.

What is counted: every statement of every result file, {files} files with {statements} statements. Nothing is left out:
what a file needs and we lack (functions in Java classes, table functions with `analyze`) fails. Seven files hold the
same statements a second time, {older} of them, with what Java before 21 prints for floating point numbers; we print as
Java 21 does. With them the files hold {all} statements: the second sum of the table.

Of the 558 rows in Spark's list of functions, 545 have an example; the others are names of types, such as `bigint`, that
cast.

The files of `udf`, `udaf` and `udtf` call Python functions that Spark's suite registers; here the stock client
registers them. The `udf` of the suite returns its argument's type, which a client cannot say, so each call becomes
that of a function for the type.

What is not run: the second and further configurations of a file that Spark runs under several (`--CONFIG_DIM`); they
have the same answers. Printed plans of Spark's analyser (`analyzer-results`), which are about its own inside.

```sh
make conformance                      # everything; fails if a statement fails that passed before
make conformance-short                # every third file by size, as CI does
make conformance FILE=array.sql       # one file, with what was due and what came
```
"""


def write(files: list, verdicts: dict, older: dict):
    """Replaces the page."""
    golden = [file for file in files if file.name != EXAMPLES]
    counted = {
        "files": len(golden),
        "statements": f"{sum(len(file.statements) for file in golden):,}",
        "older": sum(len(file.older) for file in golden),
        "all": f"{sum(len(file.statements) + len(file.older) for file in golden):,}",
    }
    lines = [HEAD.format(version=VERSION, **counted), "## By area", "", "| area | passed | failed | passed in % |", "|---|---:|---:|---:|"]
    areas = {}
    for file in golden:
        areas.setdefault(file.area, []).extend(verdicts[file.name])
    for area, each in sorted(areas.items()):
        lines.append(row(area, each))
    everything = [verdict for each in areas.values() for verdict in each]
    lines.append(row("**all**", everything))
    lines.append(row("all, with the answers on an older Java", everything + [v for each in older.values() for v in each]))
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
