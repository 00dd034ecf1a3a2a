"""Whether an answer is Spark's, and why not."""

import re
from dataclasses import dataclass

from golden import Statement
from hive_result import utf16
from lane import Answer

SUITE = "org.apache.spark.sql.SQLQueryTestSuite"
OMITTED = "[not included in comparison]"
NOTHING = "struct<>"
# An exception that is not Spark's has no class to compare.
JAVA_EXCEPTION = re.compile(r"java\.[\w.]+(Exception|Error)\n")
# What a Python function raised has no class either; its last line tells what it was.
PYTHON_EXCEPTION = "org.apache.spark.api.python.PythonException\n"
# What golden files blank, in this order.
BLANKED = [
    (r"#\d+", "#x"),
    (r"plan_id=\d+", "plan_id=x"),
    (r"uuid\(Some\(-?\d+\)\)", "uuid(Some(x))"),
    (rf"Location.*{SUITE}/", f"Location {OMITTED}/{{warehouse_dir}}/"),
    (rf"file:[^\s,]*{SUITE}", f"file:{OMITTED}/{{warehouse_dir}}"),
    (r"Created By.*", f"Created By {OMITTED}"),
    (r"Created Time.*", f"Created Time {OMITTED}"),
    (r"Last Access.*", f"Last Access {OMITTED}"),
    (r"Owner[\t ]+(.*)", f"Owner\t{OMITTED}"),
    (r"Partition Statistics\t\d+", f"Partition Statistics\t{OMITTED}"),
    (r"CTERelationDef \d+,", "CTERelationDef xxxx,"),
    (r"CTERelationRef \d+,", "CTERelationRef xxxx,"),
    (r"UnionLoop \d+", "UnionLoop xxxx"),
    (r"UnionLoopRef \d+,", "UnionLoopRef xxxx,"),
    (r"Loop id: \d+", "Loop id: xxxx"),
    (r"@\w*,", "@xxxxxxxx,"),
    (r"\*\(\d+\) ", "*"),
    (rf'"location":.*?{SUITE}/', f'"location": "{OMITTED}/{{warehouse_dir}}/'),
    (r'"created_by":".*?"', f'"created_by {OMITTED}":"None"'),
    (r'"created_time":".*?"', f'"created_time {OMITTED}":"None"'),
    (r"transient_lastDdlTime=\d+", f"transient_lastDdlTime={OMITTED}"),
    (r'"transient_lastDdlTime":"\d+"', f'"transient_lastDdlTime {OMITTED}":"None"'),
    (r'"last_access":".*?"', f'"last_access {OMITTED}":"None"'),
    (r'"owner":".*?"', f'"owner {OMITTED}":"None"'),
    (r'"partition_statistics":"\d+"', f'"partition_statistics {OMITTED}":"None"'),
]
BLANKED = [(re.compile(pattern), text) for pattern, text in BLANKED]


@dataclass
class Verdict:
    """A statement's fate; a failure has a cause, of which there are few."""

    passed: bool
    cause: str = ""
    actual: str = ""


def judge(statement: Statement, answer: Answer) -> Verdict:
    """Compares an answer with what Spark says."""
    expected = statement.error()
    if expected is not None:
        return judge_error(expected, answer)
    if statement.schema == NOTHING and JAVA_EXCEPTION.match(statement.output):
        return Verdict(answer.error is not None, "no error where Java raises one of its own")
    if statement.schema == NOTHING and statement.output.startswith(PYTHON_EXCEPTION):
        raised = answer.error is not None and answer.error["errorClass"] is None
        same = raised and answer.failure == statement.output.split("\n")[-1]
        return Verdict(same, "no exception of Python, or another", answer.failure)
    if answer.rows is None:
        return Verdict(False, cause_of_error(answer), f"{answer.error}\n{answer.failure}")
    actual = output(statement.sql, answer)
    if answer.schema != statement.schema:
        return Verdict(False, "schema differs", f"{answer.schema}\n{actual[0]}")
    if statement.output in actual:
        return Verdict(True)
    cause = "output differs"
    if sorted(statement.output.split("\n")) == sorted(actual[0].split("\n")):
        cause = "rows in another order"
    return Verdict(False, cause, actual[0])


def judge_schema(statement: Statement, answer: Answer) -> Verdict:
    """Compares the schema alone."""
    if answer.error is not None:
        return Verdict(False, cause_of_error(answer), f"{answer.error}\n{answer.failure}")
    return Verdict(answer.schema == statement.schema, "schema differs", answer.schema)


def judge_error(expected: dict, answer: Answer) -> Verdict:
    """Class, SQLSTATE, parameters and the place in the text have to be equal; sentences are our own."""
    name = expected["errorClass"]
    if answer.error is None:
        failure = answer.failure or f"no error where {name} was due"
        return Verdict(False, failure, "\n".join(answer.rows or []))
    if answer.error == expected:
        return Verdict(True)
    actual = f"{answer.error}\n{answer.failure}"
    if answer.error["errorClass"] != name:
        return Verdict(False, f"{short_cause(answer)} instead of {name}", actual)
    for key, what in (("sqlState", "SQLSTATE"), ("messageParameters", "parameters"), ("queryContext", "context")):
        if answer.error.get(key) != expected.get(key):
            return Verdict(False, f"{what} of {name}", actual)
    return Verdict(False, f"error {name}", actual)


def cause_of_error(answer: Answer) -> str:
    return f"error {short_cause(answer)}" if answer.error else answer.failure


def short_cause(answer: Answer) -> str:
    """An error's class, with what it is about where that says more."""
    error = answer.error
    parameters = error.get("messageParameters", {})
    detail = {
        "UNRESOLVED_ROUTINE": "routineName",
        "UNSUPPORTED_FEATURE.FIRESTEEL": "feature",
        "INTERNAL_ERROR": "message",
    }.get(error["errorClass"])
    about = re.sub(r"#\d+", "#x", parameters.get(detail, "").split("\n")[0])[:60] if detail else ""
    return f"{error['errorClass']} {about}".strip()


def output(sql: str, answer: Answer) -> list[str]:
    """The texts that the answer may have in a golden file: as it came, or sorted."""
    rows = answer.rows
    if answer.columns[:3] == ["col_name", "data_type", "comment"]:
        rows = ["\t".join(f"{'' if cell == 'NULL' else cell:<20}" for cell in row.split("\t")) for row in rows]
    elif re.match(r"\s*SHOW\s+(TABLES|VIEWS)\b", sql, re.IGNORECASE) and "information" not in answer.columns:
        rows = [row.split("\t")[1] for row in rows]
    rows = [blank(row) for row in rows]
    ordered = sorted(rows, key=utf16)
    found = [ordered, rows] if not is_sorted(sql) else [rows]
    return [re.sub(r"\s+$", "", "\n".join(each)) for each in found]


def blank(row: str) -> str:
    for pattern, text in BLANKED:
        row = pattern.sub(text, row)
    return row


def is_sorted(sql: str) -> bool:
    """Whether a statement says the order of its rows: ORDER BY or SORT BY outside all parentheses.

    Without it an answer may come in any order. Spark's suite asks the plan; what it finds sorted without such a clause
    (a pipe, a view with ORDER BY) is compared in both orders.
    """
    bare = re.sub(r"--[^\n]*|/\*.*?\*/|'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.)*\"|`[^`]*`", " ", sql, flags=re.DOTALL)
    depth = 0
    top = []
    for character in bare:
        depth += character == "("
        depth -= character == ")"
        top.append(character if depth == 0 else " ")
    return re.search(r"\b(order|sort)\s+by\b", "".join(top), re.IGNORECASE) is not None
