"""Arrays, maps, structs, and the functions that take functions."""

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import functions as F
from results import column, rows, sql, value


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("array(1, 2, 3)[1]", 2),
        ("element_at(array(1, 2, 3), -1)", 3),
        ("get(array(1, 2, 3), 5)", None),
        ("try_element_at(array(1, 2), 5)", None),
        ("size(array(1, 2))", 2),
        ("cardinality(array())", 0),
        ("array_size(array(1))", 1),
        ("array_contains(array(1, 2), 2)", True),
        ("array_contains(array(1, NULL), 2)", None),
        ("array_position(array('a', 'b'), 'b')", 2),
        ("array_distinct(array(1, 2, 1, NULL, NULL))", [1, 2, None]),
        ("array_union(array(1, 2), array(2, 3))", [1, 2, 3]),
        ("array_intersect(array(1, 2), array(2, 3))", [2]),
        ("array_except(array(1, 2), array(2, 3))", [1]),
        ("array_remove(array(1, 2, 1), 1)", [2]),
        ("array_append(array(1), 2)", [1, 2]),
        ("array_prepend(array(1), 2)", [2, 1]),
        ("array_insert(array(1, 3), 2, 2)", [1, 2, 3]),
        ("array_compact(array(1, NULL, 2))", [1, 2]),
        ("array_join(array('a', NULL, 'b'), ',')", "a,b"),
        ("array_join(array('a', NULL, 'b'), ',', '?')", "a,?,b"),
        ("array_max(array(1, NULL, 3))", 3),
        ("array_min(array(2, 1))", 1),
        ("array_repeat('x', 3)", ["x", "x", "x"]),
        ("array_sort(array(3, NULL, 1))", [1, 3, None]),
        ("sort_array(array(3, NULL, 1))", [None, 1, 3]),
        ("sort_array(array(3, 1), false)", [3, 1]),
        ("arrays_overlap(array(1, 2), array(2, 3))", True),
        ("arrays_overlap(array(1, NULL), array(2))", None),
        ("arrays_zip(array(1, 2), array('a'))", [(1, "a"), (2, None)]),
        ("flatten(array(array(1), array(2, 3)))", [1, 2, 3]),
        ("reverse(array(1, 2))", [2, 1]),
        ("concat(array(1), array(2))", [1, 2]),
        ("sequence(1, 5, 2)", [1, 3, 5]),
        ("sequence(3, 1)", [3, 2, 1]),
        ("slice(array(1, 2, 3, 4), 2, 2)", [2, 3]),
        ("slice(array(1, 2, 3, 4), -2, 2)", [3, 4]),
        ("shuffle(array(1))", [1]),
        ("map('a', 1, 'b', 2)['b']", 2),
        ("map('a', 1)['x']", None),
        ("element_at(map('a', 1), 'x')", None),
        ("map_keys(map('a', 1))", ["a"]),
        ("map_values(map('a', 1))", [1]),
        ("map_entries(map('a', 1))", [("a", 1)]),
        ("map_from_entries(array(struct('a', 1)))", {"a": 1}),
        ("map_from_arrays(array('a', 'b'), array(1, 2))", {"a": 1, "b": 2}),
        ("map_concat(map('a', 1), map('b', 2))", {"a": 1, "b": 2}),
        ("map_contains_key(map('a', 1), 'a')", True),
        ("str_to_map('a:1,b:2')", {"a": "1", "b": "2"}),
        ("named_struct('a', 1, 'b', 'x')", (1, "x")),
        ("named_struct('a', 1).a", 1),
        ("struct(1, 'x')", (1, "x")),
        ("size(NULL)", None),
    ],
)
def test_functions(spark, expression, expected):
    assert sql(spark, expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("transform(array(1, 2), x -> x * 10)", [10, 20]),
        ("transform(array(5, 6), (x, i) -> x + i)", [5, 7]),
        ("filter(array(1, 2, 3), x -> x % 2 = 1)", [1, 3]),
        ("filter(array(4, 5, 6), (x, i) -> i > 0)", [5, 6]),
        ("exists(array(1, 2), x -> x > 1)", True),
        ("forall(array(1, 2), x -> x > 1)", False),
        ("aggregate(array(1, 2, 3), 0, (total, x) -> total + x)", 6),
        ("reduce(array(1, 2, 3), 0, (total, x) -> total + x, total -> total * 10)", 60),
        ("zip_with(array(1, 2), array(10, 20), (x, y) -> x + y)", [11, 22]),
        ("transform_keys(map('a', 1), (k, v) -> upper(k))", {"A": 1}),
        ("transform_values(map('a', 1), (k, v) -> v + 1)", {"a": 2}),
        ("map_filter(map('a', 1, 'b', 2), (k, v) -> v > 1)", {"b": 2}),
        ("map_zip_with(map('a', 1), map('a', 2), (k, x, y) -> x + y)", {"a": 3}),
        ("array_sort(array('bbb', 'a', 'cc'), (x, y) -> length(x) - length(y))", ["a", "cc", "bbb"]),
        ("transform(array(array(1), array(2, 3)), xs -> aggregate(xs, 0, (t, x) -> t + x))", [1, 5]),
    ],
)
def test_functions_of_functions(spark, expression, expected):
    assert sql(spark, expression) == expected


def test_lambdas_over_columns(spark):
    df = spark.createDataFrame([(10, [1, 2]), (20, []), (30, None)], "base int, xs array<int>")
    assert column(df.select(F.transform("xs", lambda x: x + F.col("base")))) == [[11, 12], [], None]
    assert column(df.select(F.filter("xs", lambda x: x > 1))) == [[2], [], None]
    assert column(df.select(F.aggregate("xs", F.lit(0), lambda total, x: total + x))) == [3, 0, None]
    assert column(df.select(F.exists("xs", lambda x: x == 2))) == [True, False, None]
    assert column(df.select(F.transform("xs", lambda x, i: x * i))) == [[0, 2], [], None]


def test_python_forms(spark):
    df = spark.createDataFrame([([1, 2], {"a": 1}, ("x", 2))], "xs array<int>, m map<string,int>, s struct<k:string,v:int>")
    assert rows(df.select(df.xs[0], df.m["a"], df.s["k"], df.s.v, F.size("xs"), F.col("xs").getItem(1))) == [(1, 1, "x", 2, 2, 2)]
    assert rows(df.select(F.array("s.v", "m.a"), F.create_map(F.lit("k"), "s.v"))) == [([2, 1], {"k": 2})]
    assert rows(df.select(F.map_entries("m"), F.array_contains("xs", 2), F.element_at("xs", -1))) == [([("a", 1)], True, 2)]


def test_index_out_of_bounds(spark):
    for expression in ("array(1, 2)[2]", "element_at(array(1), 3)"):
        with pytest.raises(PySparkException) as raised:
            sql(spark, expression)
        assert raised.value.getCondition() in ("INVALID_ARRAY_INDEX", "INVALID_ARRAY_INDEX_IN_ELEMENT_AT"), expression
    with pytest.raises(PySparkException) as raised:
        sql(spark, "element_at(array(1), 0)")
    assert raised.value.getCondition() == "INVALID_INDEX_OF_ZERO"


def test_duplicate_keys(spark):
    with pytest.raises(PySparkException) as raised:
        sql(spark, "map('a', 1, 'a', 2)")
    assert raised.value.getCondition() == "DUPLICATED_MAP_KEY"


def test_nested_field_of_an_array(spark):
    df = spark.createDataFrame([([(1, "a"), (2, "b")],)], "xs array<struct<n:int,s:string>>")
    assert value(df.select("xs.s")) == ["a", "b"]


def test_sequence_of_dates(spark):
    assert [str(d) for d in sql(spark, "sequence(date'2026-01-31', date'2026-03-31', interval 1 month)")] == [
        "2026-01-31", "2026-02-28", "2026-03-31",
    ]  # fmt: skip


def test_collect_into_structs(spark, people):
    df = people.groupBy("country").agg(F.sort_array(F.collect_list(F.struct("age", "name"))).alias("who"))
    assert dict(rows(df))["UK"] == [(36, "Ada"), (41, "Alan")]
