"""select, filter, withColumn and their family; names; expressions."""

import pytest
from pyspark.errors import AnalysisException
from pyspark.sql import functions as F
from results import bag, column, in_any_order, rows, types, value


def test_select_in_all_its_forms(people):
    assert people.select("name", "age").columns == ["name", "age"]
    assert people.select(people.name, people["age"]).columns == ["name", "age"]
    assert people.select("*").columns == ["name", "age", "country"]
    assert people.select(F.col("age") + 1).columns == ["(age + 1)"]
    assert people.select(F.col("age").alias("years")).columns == ["years"]
    assert people.select(people.colRegex("`(na|ag).*`")).columns == ["name", "age"]
    assert rows(people.select(F.lit(1), F.lit("x"), F.lit(None)).limit(1)) == [(1, "x", None)]


def test_select_expr(people):
    df = people.selectExpr("upper(name) AS n", "age * 2")
    assert df.columns == ["n", "(age * 2)"]
    assert rows(df)[0] == ("ADA", 72)


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        ("1", "1"),
        ("'x'", "x"),
        ("NULL", "NULL"),
        ("a + b * 2", "(a + (b * 2))"),
        ("-a", "(- a)"),
        ("NOT a = 1", "(NOT (a = 1))"),
        ("a = 1 AND b > 2", "((a = 1) AND (b > 2))"),
        ("a IS NULL", "(a IS NULL)"),
        ("cast(a AS string)", "a"),
        ("a::string", "a"),
        ("count(*)", "count(1)"),
        ("count(a)", "count(a)"),
        ("count(DISTINCT a)", "count(DISTINCT a)"),
        ("sum(a)", "sum(a)"),
        ("a IN (1, 2)", "(a IN (1, 2))"),
        ("a BETWEEN 1 AND 2", "between(a, 1, 2)"),
        ("CASE WHEN a = 1 THEN 'x' ELSE 'y' END", "CASE WHEN (a = 1) THEN x ELSE y END"),
        ("if(a = 1, 2, 3)", "(IF((a = 1), 2, 3))"),
        ("a % 2", "(a % 2)"),
        ("a <=> b", "(a <=> b)"),
        ("substring('abc', 1, 2)", "substring(abc, 1, 2)"),
        ("coalesce(a, b)", "coalesce(a, b)"),
        ("array(1, 2)", "array(1, 2)"),
        ("struct(a, b)", "struct(a, b)"),
        ("date '2026-01-01'", "DATE '2026-01-01'"),
        ("1.5", "1.5"),
        ("'a' || 'b'", "concat(a, b)"),
        ("a LIKE 'x%'", "a LIKE x%"),
    ],
)
def test_names_of_expressions(spark, expression, name):
    df = spark.sql(f"SELECT {expression} FROM VALUES (1, 2) AS t(a, b)")
    assert df.columns == [name]


def test_filter(people):
    assert column(people.filter("age > 40 AND country <> 'NL'")) == ["Grace", "Alan"]
    assert column(people.where((people.age < 40) & ~(people.country == "US"))) == ["Ada"]
    assert column(people.filter(people.name.startswith("A") | people.name.endswith("r"))) == ["Ada", "Alan", "Edsger"]
    assert column(people.filter(people.country.isin("NL", "UK"))) == ["Ada", "Alan", "Edsger"]
    assert column(people.filter(people.age.between(36, 41))) == ["Ada", "Alan"]
    assert column(people.filter(people.name.like("%a%a"))) == ["Barbara"]
    assert column(people.filter(people.name.rlike("^[AE]d"))) == ["Ada", "Edsger"]
    assert column(people.filter(people.name.contains("ra"))) == ["Grace", "Barbara"]
    assert column(people.filter(F.lit(None).cast("boolean"))) == []


def test_with_column(people):
    df = people.withColumn("next", people.age + 1).withColumn("AGE", F.lit(0))
    assert df.columns == ["name", "AGE", "country", "next"]
    assert rows(df)[0] == ("Ada", 0, "UK", 37)
    df = people.withColumns({"a": F.col("age") * 2, "b": F.length("name")})
    assert df.columns == ["name", "age", "country", "a", "b"]
    assert rows(df)[1] == ("Grace", 45, "US", 90, 5)


def test_drop_and_rename(people):
    assert people.drop("age").columns == ["name", "country"]
    assert people.drop("nothing").columns == ["name", "age", "country"]
    assert people.drop(people.age, people.name).columns == ["country"]
    assert people.withColumnRenamed("age", "years").columns == ["name", "years", "country"]
    assert people.withColumnRenamed("nothing", "x").columns == ["name", "age", "country"]
    assert people.withColumnsRenamed({"age": "a", "name": "n"}).columns == ["n", "a", "country"]
    assert people.toDF("x", "y", "z").columns == ["x", "y", "z"]


def test_names_ignore_case(spark, people):
    assert rows(people.select("NAME"))[0] == ("Ada",)
    assert people.select("NAME").columns == ["NAME"]
    spark.conf.set("spark.sql.caseSensitive", "true")
    with pytest.raises(AnalysisException):
        people.select("NAME").collect()


def test_names_with_dots_and_quotes(spark):
    df = spark.createDataFrame([(1, 2)], ["a.b", "c`d"])
    assert rows(df.select("`a.b`", "`c``d`")) == [(1, 2)]
    assert df.withColumnRenamed("a.b", "x").columns == ["x", "c`d"]


def test_alias_of_a_dataframe(people):
    df = people.alias("p")
    assert rows(df.select("p.name").limit(1)) == [("Ada",)]
    assert df.select("p.*").columns == ["name", "age", "country"]


def test_same_name_twice(spark):
    df = spark.range(1).select(F.lit(1).alias("a"), F.lit(2).alias("a"))
    assert df.columns == ["a", "a"]
    assert rows(df) == [(1, 2)]
    with pytest.raises(AnalysisException) as raised:
        df.select("a").collect()
    assert raised.value.getCondition() == "AMBIGUOUS_REFERENCE"


def test_case_when(people):
    df = people.select(F.when(people.age > 60, "old").when(people.age > 40, "middle").otherwise("young").alias("x"))
    assert column(df) == ["young", "middle", "middle", "old", "young"]
    assert column(people.select(F.when(people.age > 60, 1)))[:1] == [None]


def test_nulls_in_comparisons(spark):
    df = spark.sql("SELECT NULL = 1, NULL <=> NULL, NULL AND false, NULL OR true, NOT NULL, 1 IN (2, NULL), 1 NOT IN (2)")
    assert rows(df) == [(None, True, False, True, None, None, True)]


def test_cast(people):
    df = people.select(people.age.cast("string"), people.age.cast("double"), people.age.astype("bigint"))
    assert types(df) == ["string", "double", "bigint"]
    assert rows(df)[0] == ("36", 36.0, 36)


def test_try_cast(spark):
    df = spark.createDataFrame([("12",), ("x",)], "s string")
    assert column(df.select(df.s.try_cast("int"))) == [12, None]


def test_structs(spark):
    df = spark.createDataFrame([((1, ("x", 2.5)),)], "s struct<a:int,b:struct<c:string,d:double>>")
    assert rows(df.select("s.a", "s.b.c", df.s.b.d, df["s"]["a"])) == [(1, "x", 2.5, 1)]
    assert df.select("s.*").columns == ["a", "b"]
    assert rows(df.select(df.s.dropFields("b").alias("s"))) == [((1,),)]
    assert rows(df.select(df.s.withField("a", F.lit(9)).alias("s"))) == [((9, ("x", 2.5)),)]
    assert rows(df.select(F.struct(df.s.a.alias("q"), F.lit(1).alias("r")))) == [((1, 1),)]


def test_transform_and_column_methods(spark, people):
    df = people.transform(lambda frame: frame.filter("age > 50")).select("name")
    assert column(df) == ["Edsger"]
    assert rows(people.limit(1).select(people.age % 5, people.age / 8, -people.age, people.age**2)) == [(1, 4.5, -36, 1296.0)]
    assert rows(spark.range(1).select(F.lit(6).bitwiseAND(3), F.lit(6).bitwiseOR(3), F.lit(6).bitwiseXOR(3))) == [(2, 7, 5)]


def test_expr_and_lit(spark):
    assert value(spark.range(1).select(F.expr("1 + 2 * 3"))) == 7
    assert value(spark.range(1).select(F.lit([1, 2, 3]))) == [1, 2, 3]


def test_sql_with_arguments(spark, people):
    assert value(spark.sql("SELECT :a + :b", args={"a": 1, "b": 2})) == 3
    assert value(spark.sql("SELECT ? || ?", args=["x", "y"])) == "xy"
    assert column(spark.sql("SELECT name FROM {p} WHERE age > {limit}", p=people, limit=60)) == ["Edsger"]
    assert value(spark.sql("SELECT count(*) FROM {t}", t=people)) == 5


def test_lateral_column_alias(spark):
    assert rows(spark.sql("SELECT 1 AS a, a + 1 AS b, b * 2")) == [(1, 2, 4)]


def test_distinct_and_explode(spark):
    df = spark.createDataFrame([(1, ["a", "b"]), (2, []), (3, None)], "id int, xs array<string>")
    assert rows(df.select("id", F.explode("xs"))) == [(1, "a"), (1, "b")]
    assert rows(df.select("id", F.explode_outer("xs"))) == [(1, "a"), (1, "b"), (2, None), (3, None)]
    assert rows(df.select("id", F.posexplode("xs"))) == [(1, 0, "a"), (1, 1, "b")]
    assert df.select(F.posexplode("xs")).columns == ["pos", "col"]
    maps = spark.createDataFrame([({"k": 1},)], "m map<string,int>")
    assert rows(maps.select(F.explode("m"))) == [("k", 1)]
    assert maps.select(F.explode("m")).columns == ["key", "value"]
    nested = spark.sql("SELECT inline(array(struct(1 AS a, 'x' AS b), struct(2 AS a, 'y' AS b)))")
    assert bag(nested) == in_any_order((1, "x"), (2, "y"))
    assert nested.columns == ["a", "b"]


def test_lateral_view(spark):
    text = "SELECT id, x FROM VALUES (1, array('a', 'b')), (2, array()) AS t(id, xs) LATERAL VIEW {} explode(xs) e AS x"
    assert rows(spark.sql(text.format(""))) == [(1, "a"), (1, "b")]
    assert rows(spark.sql(text.format("OUTER"))) == [(1, "a"), (1, "b"), (2, None)]


def test_stack(spark):
    df = spark.sql("SELECT stack(2, 1, 'a', 2, 'b') AS (n, s)")
    assert rows(df) == [(1, "a"), (2, "b")]


def test_monotonically_increasing_id(spark):
    ids = column(spark.range(0, 10, 1, 3).select(F.monotonically_increasing_id()))
    assert len(set(ids)) == 10
    assert ids == sorted(ids)


def test_in_with_items_that_differ_by_row(spark):
    """An item that has a value of its own in each row is no constant, whatever it is over no rows."""
    query = "SELECT id IN (7, nullif(id, nullif(id, id))), id NOT IN (7, if(id = 1, NULL, 5)) FROM range(3)"
    assert rows(spark.sql(query)) == [(True, True), (True, None), (True, True)]
