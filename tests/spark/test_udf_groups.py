"""Python functions over groups: applyInPandas, applyInArrow, cogroups, aggregates and windows."""

from typing import Iterator, Tuple

import pandas as pd
import pyarrow as pa
import pytest
from pyspark.errors import AnalysisException, PythonException
from pyspark.sql import Row, Window
from pyspark.sql import functions as F
from pyspark.sql.functions import arrow_udf, pandas_udf


@pytest.fixture
def sales(spark):
    rows = [("a", 1, 1.0), ("a", 2, 2.0), ("b", 3, 3.0), ("b", 4, 5.0), ("b", 5, 10.0), (None, 6, 7.0)]
    return spark.createDataFrame(rows, "k string, id int, v double").repartition(3)


def test_apply_in_pandas(sales):
    def centred(frame):
        return frame.assign(v=frame.v - frame.v.mean())

    rows = sales.groupBy("k").applyInPandas(centred, "k string, id int, v double").sort("id").collect()
    assert rows == [
        Row(k="a", id=1, v=-0.5), Row(k="a", id=2, v=0.5), Row(k="b", id=3, v=-3.0), Row(k="b", id=4, v=-1.0),
        Row(k="b", id=5, v=4.0), Row(k=None, id=6, v=0.0),
    ]


def test_apply_in_pandas_with_keys_and_expressions(sales):
    def count(key, frame):
        return pd.DataFrame({"k": [int(key[0])], "n": [len(frame)], "columns": [",".join(frame.columns)]})

    rows = sales.groupBy(F.col("id") % 2).applyInPandas(count, "k long, n long, columns string").sort("k").collect()
    assert rows == [Row(k=0, n=3, columns="k,id,v"), Row(k=1, n=3, columns="k,id,v")]
    whole = sales.groupBy().applyInPandas(lambda f: pd.DataFrame({"n": [len(f)]}), "n long").collect()
    assert whole == [Row(n=6)]


def test_apply_in_arrow(sales):
    def total(table):
        return pa.table({"k": table["k"].slice(0, 1), "s": [sum(table["v"].to_pylist())]})

    def named(key, table):
        return pa.table({"k": pa.array([key[0].as_py()], pa.string()), "s": [float(table.num_rows)]})

    schema = "k string, s double"
    assert sales.groupBy("k").applyInArrow(total, schema).sort("k").collect() == [(None, 7.0), ("a", 3.0), ("b", 18.0)]
    assert sales.groupBy("k").applyInArrow(named, schema).sort("k").collect() == [(None, 1.0), ("a", 2.0), ("b", 3.0)]


def test_iterators_over_a_group(sales):
    def in_pandas(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        yield pd.DataFrame({"n": [sum(len(frame) for frame in frames)]})

    def in_arrow(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield pa.RecordBatch.from_pydict({"n": [sum(batch.num_rows for batch in batches)]})

    assert sales.groupBy("k").applyInPandas(in_pandas, "n long").sort("n").collect() == [(1,), (2,), (3,)]
    assert sales.groupBy("k").applyInArrow(in_arrow, "n long").sort("n").collect() == [(1,), (2,), (3,)]


def test_many_small_groups(spark):
    df = spark.range(3000).select((F.col("id") % 1000).alias("k"), "id")
    sums = df.groupBy("k").applyInPandas(
        lambda f: pd.DataFrame({"k": f.k.head(1), "n": [len(f)], "s": [f.id.sum()]}), "k long, n long, s long"
    )
    assert sums.agg(F.count("k"), F.sum("n"), F.sum("s")).collect() == [(1000, 3000, 2999 * 1500)]


def test_cogroups(spark):
    left = spark.createDataFrame([(1, "a"), (1, "b"), (2, "c")], "k long, l string")
    right = spark.createDataFrame([(2, 20), (3, 30), (2, 21)], "k long, r int")

    def sizes(key, l, r):
        return pd.DataFrame({"k": [key[0]], "l": [len(l)], "r": [len(r)], "c": [",".join(l.columns) + "|" + ",".join(r.columns)]})

    both = left.groupBy("k").cogroup(right.groupBy("k"))
    rows = both.applyInPandas(sizes, "k long, l long, r long, c string").sort("k").collect()
    assert rows == [(1, 2, 0, "k,l|k,r"), (2, 1, 2, "k,l|k,r"), (3, 0, 1, "k,l|k,r")]

    def arrow_sizes(l, r):
        return pa.table({"l": [l.num_rows], "r": [r.num_rows]})

    assert sorted(both.applyInArrow(arrow_sizes, "l long, r long").collect()) == [(0, 1), (1, 2), (2, 0)]


def test_aggregates(sales):
    @pandas_udf("double")
    def middle(v: pd.Series) -> float:
        return v.median()

    @pandas_udf("double")
    def weighted(v: pd.Series, w: pd.Series) -> float:
        return (v * w).sum() / w.sum()

    rows = sales.groupBy("k").agg(middle("v").alias("m"), weighted("v", w="id").alias("w")).sort("k").collect()
    assert rows == [Row(k=None, m=7.0, w=7.0), Row(k="a", m=1.5, w=pytest.approx(5 / 3)), Row(k="b", m=5.0, w=pytest.approx(79 / 12))]
    assert sales.agg(middle(F.col("v") + 1)).collect() == [(5.0,)]
    assert sales.groupBy("k").agg((middle("v") * 2).alias("m")).filter("m > 5").sort("m").collect() == [("b", 10.0), (None, 14.0)]
    spark = sales.sparkSession
    spark.udf.register("middle", middle)
    sales.createOrReplaceTempView("udf_sales")
    assert spark.sql("select k, middle(v) m from udf_sales where k is not null group by k order by k").collect() == [("a", 1.5), ("b", 5.0)]
    with pytest.raises(AnalysisException, match="INVALID_PANDAS_UDF_PLACEMENT"):
        sales.groupBy("k").agg(middle("v"), F.sum("v")).collect()


def test_arrow_aggregates_and_iterators(sales):
    @arrow_udf("double")
    def largest(v: pa.Array) -> float:
        return max(v.to_pylist())

    @pandas_udf("long")
    def rows_in(parts: Iterator[pd.Series]) -> int:
        return sum(len(part) for part in parts)

    assert sales.groupBy("k").agg(largest("v")).sort("k").collect() == [(None, 7.0), ("a", 2.0), ("b", 10.0)]
    assert sales.groupBy("k").agg(rows_in("v")).sort("k").collect() == [(None, 1), ("a", 2), ("b", 3)]


def test_windows(sales):
    @pandas_udf("double")
    def mean(v: pd.Series) -> float:
        return v.mean()

    whole = Window.partitionBy("k")
    growing = whole.orderBy("id")
    near = growing.rowsBetween(-1, 0)
    rows = sales.filter("k is not null").select(
        "id", mean("v").over(whole).alias("a"), mean("v").over(growing).alias("b"), mean("v").over(near).alias("c"),
        F.sum("v").over(growing).alias("d"),
    )
    assert rows.sort("id").collect() == [
        (1, 1.5, 1.0, 1.0, 1.0), (2, 1.5, 1.5, 1.5, 3.0), (3, 6.0, 3.0, 3.0, 3.0), (4, 6.0, 4.0, 4.0, 8.0),
        (5, 6.0, 6.0, 7.5, 18.0),
    ]


def test_errors(sales):
    def fails(frame):
        raise RuntimeError("not this group")

    with pytest.raises(PythonException, match="RuntimeError: not this group"):
        sales.groupBy("k").applyInPandas(fails, "k string").collect()
    with pytest.raises(PythonException, match="pandas.DataFrame"):
        sales.groupBy("k").applyInPandas(lambda f: 1, "k string").collect()
    with pytest.raises(PythonException, match="do not match"):
        sales.groupBy("k").applyInPandas(lambda f: f, "other string").collect()


def test_aggregates_over_several_groupings(spark, sales):
    @pandas_udf("double")
    def total(v: pd.Series) -> float:
        return float(v.sum())

    @arrow_udf("long")
    def count(v: pa.Array) -> int:
        return len(v)

    sales.createOrReplaceTempView("sales_of_groups")
    for function, builtin in [(total, "sum"), (count, "count")]:
        spark.udf.register("of_group", function)
        for grouping in ["ROLLUP(k, id % 2)", "CUBE(k, id % 2)", "GROUPING SETS ((k), (k), (), (id % 2))", "k, ROLLUP(id % 2, k)"]:
            query = f"SELECT k, grouping_id() AS g, {{}}(v) AS value FROM sales_of_groups GROUP BY {grouping}"
            got, expected = (sorted(map(repr, spark.sql(query.format(name)).collect())) for name in ("of_group", builtin))
            assert got == expected
    rolled = sales.rollup("k").agg(total("v").alias("v")).sort("v").collect()
    assert [tuple(row) for row in rolled] == [("a", 3.0), (None, 7.0), ("b", 18.0), (None, 28.0)]
    assert sales.filter("id < 0").rollup("k").agg(total("v")).collect() == []


def test_a_group_sees_and_gives_what_it_would_alone(spark):
    """Groups are converted many at a time: a null, a type or a name of one changes nothing for another."""
    rows = [(1, 10, True, "a", [1], (1,)), (1, 11, False, "b", [2], (2,)), (2, None, None, None, None, None),
            (2, 12, True, "c", [None, 3], (None,)), (3, 13, False, "d", [4], (3,))]
    df = spark.createDataFrame(rows, "k int, n long, b boolean, s string, l array<int>, t struct<x: int>").coalesce(1)

    def seen(key, frame):
        kinds = ",".join(map(str, frame.dtypes)) + "|" + ",".join(sorted({str(each.dtype) for each in frame.l if each is not None}))
        named = f"{frame.index[0]}-{frame.index[-1]} {type(frame.index).__name__}"
        return pd.DataFrame({"k": [key[0]], "kinds": [kinds], "index": [named]})

    found = df.groupBy("k").applyInPandas(seen, "k int, kinds string, index string").sort("k").collect()
    plain = "int32,int64,bool,object,object,object|int32"
    assert found == [(1, plain, "0-1 RangeIndex"), (2, "int32,float64,object,object,object,object|object", "0-1 RangeIndex"), (3, plain, "0-0 RangeIndex")]


def test_frames_that_differ_from_group_to_group(spark):
    df = spark.range(6).select((F.col("id") % 6).alias("k"), (F.col("id") + 2**53 + 1).alias("n")).coalesce(1)

    def uneven(frame):
        k = int(frame.k.iloc[0])
        frame["n"] += 1  # what a function does to its rows stays its own
        if k == 0:
            return frame
        if k == 1:
            return frame.astype({"n": "float64"}).assign(n=1.0)
        if k == 2:
            return frame[["n", "k"]]
        if k == 3:
            return frame.iloc[:0]
        if k == 4:
            return pd.DataFrame({"k": ["4"], "n": pd.Series([7], dtype="Int64")})
        return pd.DataFrame({"k": pd.Categorical([5]), "n": [None]})

    found = df.groupBy("k").applyInPandas(uneven, "k long, n long").sort("k").collect()
    assert found == [(0, 2**53 + 2), (1, 1), (2, 2**53 + 4), (4, 7), (5, None)]


def test_a_frame_that_a_function_uses_again(spark):
    df = spark.range(50).select(F.col("id").alias("k")).coalesce(1)
    again, parts = pd.DataFrame({"k": [0]}), [0]

    def same_frame(frame):
        again.loc[0, "k"] = int(frame.k.iloc[0])
        return again

    def same_list(frame):
        parts[0] = int(frame.k.iloc[0])
        return pd.DataFrame({"l": [parts]})

    assert sorted(df.groupBy("k").applyInPandas(same_frame, "k long").collect()) == [(k,) for k in range(50)]
    assert sorted(df.groupBy("k").applyInPandas(same_list, "l array<long>").collect()) == [([k],) for k in range(50)]


def test_a_group_whose_result_cannot_be_converted(spark):
    """The others of its batch can: the error is that of the one."""
    df = spark.range(4).select(F.col("id").alias("k")).coalesce(1)

    def odd(frame):
        return pd.DataFrame({"v": ["x" if frame.k.iloc[0] == 2 else "7"]})

    with pytest.raises(PythonException, match="column 'v' with type 'object'") as caught:
        df.groupBy("k").applyInPandas(odd, "v long").collect()
    assert "SQL config" in str(caught.value)
    three = df.filter("k <> 2").groupBy("k").applyInPandas(odd, "v long").collect()
    assert three == [(7,)] * 3

    def fails(frame):
        raise ValueError("no such group")

    with pytest.raises(PythonException, match="no such group") as caught:
        df.groupBy("k").applyInPandas(fails, "v long").collect()
    assert "<worker>" not in str(caught.value) and ", in fails" in str(caught.value)


def test_aggregates_of_many_groups(spark):
    """Values of many groups are converted together, as each would be alone."""
    ids = spark.range(2000).select((F.col("id") % 500).cast("int").alias("k"), "id", F.when(F.col("id") % 3 == 0, F.col("id")).alias("n"))

    @pandas_udf("long")
    def total(v: pd.Series) -> int:
        return v.sum()

    @pandas_udf("string")
    def kind(v: pd.Series) -> str:
        return f"{v.dtype} {v.index[0]} {len(v)}"

    @pandas_udf("double")
    def uneven(v: pd.Series) -> float:
        return [None, int(v.min()), float(v.max())][int(v.min()) % 3]

    found = ids.coalesce(1).groupBy("k").agg(total("id").alias("t"), kind("n").alias("n"), uneven("id").alias("u")).collect()
    whole = {row.k: row for row in found}
    assert len(whole) == len(found) == 500
    for k in range(500):
        assert whole[k].t == sum(range(k, 2000, 500))
        assert whole[k].n == "float64 0 4"
        assert whole[k].u == [None, k, k + 1500][k % 3]


def test_windows_of_many_partitions(spark):
    """Partitions travel together; each row's frame stays its partition's own."""
    ids = spark.range(900).select((F.col("id") % 300).cast("int").alias("k"), "id").coalesce(1)

    @pandas_udf("double")
    def mean(v: pd.Series) -> float:
        return v.mean()

    @pandas_udf("long")
    def least(v: pd.Series) -> int:
        return v.min() if v.index[0] == 0 else -1

    whole, running = Window.partitionBy("k"), Window.partitionBy("k").orderBy("id").rowsBetween(-1, 0)
    seen = ids.select("k", "id", mean("id").over(whole).alias("m"), least("id").over(whole).alias("f"), mean("id").over(running).alias("r"))
    rows = seen.collect()
    assert len(rows) == 900
    for row in rows:
        assert (row.m, row.f) == (row.k + 300.0, row.k)
        assert row.r == (row.id if row.id < 300 else row.id - 150.0)
