"""pandas API on Spark over files, queries and frames of Spark: their rows are numbered in the order they come in."""

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from pyspark.sql import functions as F

import pyspark.pandas as ps

from pandas_beside import session  # noqa: F401

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(params=["here", "in processes"])
def spark(request, connect, server):
    return connect(server if request.param == "here" else request.getfixturevalue("processes"))


@pytest.mark.parametrize("kind", ["distributed-sequence", "sequence"])
def test_rows_are_numbered_over_partitions(spark, kind):
    with ps.option_context("compute.default_index_type", kind):
        frame = spark.range(0, 1000, 1, 7).pandas_api()
        assert frame.index.to_numpy().tolist() == list(range(1000)) == frame.id.to_numpy().tolist()
        odd = frame[frame.id % 2 == 1]
        assert odd.index.to_numpy().tolist() == list(range(1, 1000, 2))
        assert frame.iloc[995:].id.to_numpy().tolist() == [995, 996, 997, 998, 999]


def test_after_sorting_filtering_and_aggregating(spark):
    rows = spark.range(0, 500, 1, 5).repartition(3).sort(F.desc("id"))
    assert rows.pandas_api().id.to_numpy().tolist() == list(range(499, -1, -1))
    assert rows.select((F.col("id") + 1).alias("n")).pandas_api().loc[[0, 499]].n.to_numpy().tolist() == [500, 1]
    some = spark.range(0, 100, 1, 4).where("id % 10 = 3").pandas_api()
    assert some.sort_index().id.to_numpy().tolist() == list(range(3, 100, 10))
    sums = spark.range(100).groupBy((F.col("id") % 7).alias("k")).count().pandas_api()
    assert sorted(sums.index.to_numpy().tolist()) == list(range(7))
    both = spark.range(5).union(spark.range(5)).pandas_api()
    assert sorted(both.index.to_numpy().tolist()) == list(range(10))
    nothing = spark.range(0).pandas_api()
    assert nothing.index.to_numpy().tolist() == []


def test_numbers_in_joins_and_twice(spark):
    frame = spark.range(0, 60, 1, 6).pandas_api()
    again = frame.reset_index().reset_index()
    assert again.columns.tolist() == ["level_0", "index", "id"] and (again.level_0 == again.id).all()
    joined = frame.merge(frame.assign(double=frame.id * 2), on="id").sort_values("id")
    assert joined.double.to_numpy().tolist() == list(range(0, 120, 2)) and len(joined.index) == 60


def test_places_do_not_change_with_what_is_asked(spark):
    rows = spark.range(0, 100, 1, 4).withColumn("place", F.monotonically_increasing_id())
    places = {row.id: row.place for row in rows.collect()}
    assert {row.id: row.place for row in rows.where("id % 3 = 0").collect()} == {
        number: place for number, place in places.items() if number % 3 == 0
    }
    chances = spark.range(0, 100, 1, 4).withColumn("chance", F.rand(7))
    all_chances = {row.id: row.chance for row in chances.collect()}
    assert all(all_chances[row.id] == row.chance for row in chances.where("id > 50").collect())


def test_files(spark, tmp_path):
    frame = pd.DataFrame({"n": range(40), "text": [f"t{n}" for n in range(40)]})
    frame.to_csv(tmp_path / "some.csv", index=False)
    assert_frame_equal(ps.read_csv(str(tmp_path / "some.csv")).to_pandas(), frame, check_dtype=False)
    ps.from_pandas(frame).to_parquet(str(tmp_path / "parquet"))
    assert_frame_equal(ps.read_parquet(str(tmp_path / "parquet")).sort_values("n").reset_index(drop=True).to_pandas(), frame)
    ps.from_pandas(frame).to_json(str(tmp_path / "json"))
    read = ps.read_json(str(tmp_path / "json")).sort_values("n")
    assert read.text.to_numpy().tolist() == frame.text.tolist()
    ps.from_pandas(frame).to_csv(str(tmp_path / "csv"))
    assert len(ps.read_csv(str(tmp_path / "csv"), index_col="n")) == 40


def test_spark_frames(spark):
    frame = ps.from_pandas(pd.DataFrame({"a": [1, 2, 3], "b": [4.0, 5.0, 6.0]}))
    assert ps.sql("SELECT a, b * 2 AS d FROM {f} WHERE a > 1", f=frame).d.to_numpy().tolist() == [10.0, 12.0]
    assert [row.asDict() for row in frame.to_spark(index_col="i").sort("i").limit(1).collect()] == [{"i": 0, "a": 1, "b": 4.0}]
    assert frame.spark.apply(lambda f: f.where("a > 2")).a.to_numpy().tolist() == [3]
    assert frame.pandas_on_spark.apply_batch(lambda f: f[["a"]] + 1).sort_values("a").a.to_numpy().tolist() == [2, 3, 4]
    assert frame.pandas_on_spark.transform_batch(lambda f: f * 2).sort_index().b.to_numpy().tolist() == [8.0, 10.0, 12.0]
    for kind in ("sequence", "distributed-sequence", "distributed"):
        numbered = frame.pandas_on_spark.attach_id_column(id_type=kind, column="id")
        assert len(set(numbered.id.to_numpy().tolist())) == 3
    with frame.spark.cache() as cached:
        assert cached.sum().to_numpy().tolist() == [6.0, 15.0]
    assert frame.spark.frame().count() == 3 and frame.spark.schema().names == ["a", "b"]


def test_order_by_what_differs_with_every_look(spark):
    rows = spark.range(0, 200, 1, 5)
    assert [row.id for row in rows.orderBy(F.monotonically_increasing_id()).collect()] == list(range(200))
    last_first = rows.orderBy(F.monotonically_increasing_id().desc()).collect()
    assert [row.id for row in last_first] == list(range(199, -1, -1))
    mixed = [row.id for row in rows.orderBy(F.rand(3)).collect()]
    assert sorted(mixed) == list(range(200)) != mixed
