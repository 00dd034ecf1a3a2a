"""Profiles of Python functions, as `spark.profile` shows them."""

import pandas as pd
import pytest
from pyspark.sql import functions as F


@pytest.fixture
def profiled(spark):
    spark.profile.clear()
    spark.conf.set("spark.sql.pyspark.udf.profiler", "perf")
    yield spark
    spark.conf.unset("spark.sql.pyspark.udf.profiler")
    spark.profile.clear()


def calls(spark, capsys, function: str) -> int:
    """How often the profiles say that a function was called."""
    capsys.readouterr()
    spark.profile.show(type="perf")
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if line.endswith(f"({function})")]
    return sum(int(row[0]) for row in rows)


def test_where_functions_spend_their_time(profiled, capsys):
    @F.udf("long")
    def plus_one(n):
        return n + 1

    @F.pandas_udf("long")
    def doubled(numbers: pd.Series) -> pd.Series:
        return numbers * 2

    def counted(frame):
        return pd.DataFrame({"n": [len(frame)]})

    ids = profiled.range(0, 100, 1, 2)
    assert ids.select(F.sum(plus_one("id"))).first()[0] == 5050
    assert calls(profiled, capsys, "plus_one") == 100
    assert ids.select(F.sum(doubled("id"))).first()[0] == 9900
    assert calls(profiled, capsys, "doubled") == 2
    assert ids.groupBy(F.col("id") % 7).applyInPandas(counted, "n long").agg(F.sum("n")).first()[0] == 100
    assert calls(profiled, capsys, "counted") == 7

    profiled.conf.unset("spark.sql.pyspark.udf.profiler")
    ids.select(plus_one("id")).collect()
    assert calls(profiled, capsys, "plus_one") == 100, "only while it is wanted"


def test_profiles_of_writes_and_files(profiled, tmp_path, capsys):
    @F.udf("long")
    def seven(n):
        return n * 7

    profiled.range(10).select(seven("id").alias("n")).write.parquet(str(tmp_path / "written"))
    assert calls(profiled, capsys, "seven") == 10
    profiled.profile.dump(str(tmp_path / "profiles"), type="perf")
    assert len(list((tmp_path / "profiles").iterdir())) == 1
