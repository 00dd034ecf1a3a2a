"""docs/rdd.md says what is there, and all of it."""

import re
from pathlib import Path

import pytest
from pyspark import RDD, SparkContext

PAGE = Path(__file__).resolve().parents[2] / "docs" / "rdd.md"
KINDS = {"pyspark.RDD": RDD, "pyspark.SparkContext": SparkContext}
# What is there beyond PySpark's public methods.
OWN = {"SparkContext": {"PACKAGE_EXTENSIONS", "appName", "master", "pythonVer", "sparkHome"}, "RDD": set()}


def listed(title):
    section = PAGE.read_text().split(f"## {title}\n")[1].split("\n## ")[0]
    return {name: (state, note) for name, state, note in re.findall(r"^\| (\w+) \| (yes|partial|no) \| ?(.*?) ?\|$", section, re.M)}


@pytest.mark.parametrize("title", KINDS)
def test_every_public_method_is_listed(title):
    kind = KINDS[title]
    there = {name for name in dir(kind) if not name.startswith("_")} - OWN[kind.__name__]
    attributes = {"startTime", "environment"} if kind is SparkContext else set()
    assert set(listed(title)) - attributes == there - attributes


def test_few_are_refused_and_each_says_why():
    rows = {f"{title}.{name}": row for title in KINDS for name, row in listed(title).items()}
    refused = {name for name, (state, _) in rows.items() if state == "no"}
    assert len(refused) < 5
    assert all(note for state, note in rows.values() if state != "yes")


def test_refusals_name_the_method(sc):
    for name, (state, note) in listed("pyspark.RDD").items():
        if state == "no":
            with pytest.raises(NotImplementedError, match=f"RDD.{name}"):
                getattr(sc.parallelize([1]), name)()
