"""Stored views when what they read changes, and what DESCRIBE and SHOW say of them."""

import pytest
from pyspark.errors import AnalysisException
from pyspark.sql import Row


@pytest.fixture
def table(spark):
    """Makes a table of two columns anew, with these types and one row."""

    def make(columns, values):
        spark.sql("DROP TABLE IF EXISTS below")
        spark.sql(f"CREATE TABLE below({columns}) USING parquet")
        spark.sql(f"INSERT INTO below VALUES ({values})")

    spark.sql("CREATE SCHEMA view_schemas")
    spark.sql("USE view_schemas")
    yield make
    spark.sql("USE default")
    spark.sql("DROP SCHEMA view_schemas CASCADE")


def condition(spark, sql):
    with pytest.raises(Exception) as raised:
        spark.sql(sql).collect()
    return raised.value.getCondition()


def test_compensation_casts_what_changed(spark, table):
    table("a INT, b INT", "1, 2")
    spark.sql("CREATE VIEW over AS SELECT * FROM below")
    table("b STRING, a STRING, c INT", "'2', '1', 3")
    assert spark.table("over").collect() == [Row(a=1, b=2)]
    table("a STRING, b STRING", "'x', '2'")
    assert condition(spark, "SELECT * FROM over") == "CAST_INVALID_INPUT"
    table("a INT", "1")
    assert condition(spark, "SELECT * FROM over") == "INCOMPATIBLE_VIEW_SCHEMA_CHANGE"


def test_binding_takes_narrower_types_only(spark, table):
    table("a INT, b INT", "1, 2")
    spark.sql("CREATE VIEW over WITH SCHEMA BINDING AS SELECT * FROM below")
    table("a SMALLINT, b INT", "1, 2")
    assert spark.table("over").dtypes == [("a", "int"), ("b", "int")]
    table("a BIGINT, b INT", "1, 2")
    assert condition(spark, "SELECT * FROM over") == "CANNOT_UP_CAST_DATATYPE"


def test_types_and_columns_evolve(spark, table):
    table("a INT, b INT", "1, 2")
    spark.sql("CREATE VIEW types WITH SCHEMA TYPE EVOLUTION AS SELECT * FROM below")
    spark.sql("CREATE VIEW columns WITH SCHEMA EVOLUTION AS SELECT * FROM below")
    spark.sql("CREATE VIEW named(x, y) WITH SCHEMA EVOLUTION AS SELECT * FROM below")
    table("a STRING, b INT, c DATE", "'1', 2, DATE'2026-01-01'")
    assert spark.table("types").dtypes == [("a", "string"), ("b", "int")]
    assert spark.table("columns").dtypes == [("a", "string"), ("b", "int"), ("c", "date")]
    assert spark.table("named").dtypes == [("x", "string"), ("y", "int")]
    described = spark.sql("DESCRIBE columns").collect()
    assert [row.col_name for row in described] == ["a", "b", "c"]
    spark.sql("ALTER VIEW columns WITH SCHEMA BINDING")
    assert "WITH SCHEMA BINDING" in spark.sql("SHOW CREATE TABLE columns").first()[0]


def test_a_view_has_its_own_schema_and_settings(spark, table):
    table("a STRING, b INT", "'x', 2")
    spark.sql("SET spark.sql.ansi.enabled = false")
    spark.sql("CREATE VIEW lenient AS SELECT CAST(a AS INT) AS a FROM below")
    spark.sql("SET spark.sql.ansi.enabled = true")
    spark.sql("USE default")
    assert spark.table("view_schemas.lenient").collect() == [Row(a=None)]


def test_what_is_stored_cannot_use_what_ends_with_the_session(spark, table):
    spark.range(1).createOrReplaceTempView("passing_view")
    with pytest.raises(AnalysisException) as raised:
        spark.sql("CREATE VIEW kept AS SELECT * FROM passing_view")
    assert raised.value.getCondition() == "INVALID_TEMP_OBJ_REFERENCE"
    assert raised.value.getMessageParameters()["tempObjName"] == "`passing_view`"


def test_described_in_detail(spark, table):
    table("a INT, b CHAR(3)", "1, 'x'")
    spark.sql("CREATE VIEW over(n COMMENT 'first', text) AS SELECT * FROM below")
    rows = {row.col_name: row.data_type for row in spark.sql("DESCRIBE EXTENDED over").collect()}
    assert rows["text"] == "char(3)"
    assert rows["View Schema Mode"] == "COMPENSATION"
    assert rows["View Catalog and Namespace"] == "spark_catalog.view_schemas"
    assert rows["View Query Output Columns"] == "[`a`, `b`]"
    spark.sql("ALTER TABLE below SET TBLPROPERTIES ('comment' = 'said', 'password' = 'secret')")
    rows = {row.col_name: row.data_type for row in spark.sql("DESCRIBE EXTENDED below").collect()}
    assert rows["Comment"] == "said"
    assert rows["Table Properties"] == "[password=*********(redacted)]"


def test_having_means_a_grouping_key_before_an_item_of_its_name(spark):
    rows = "VALUES (1, 10), (2, 20) AS t(a, b)"
    assert spark.sql(f"SELECT sum(a) AS b FROM {rows} GROUP BY b HAVING b > 10").collect() == [Row(b=2)]
    assert spark.sql(f"SELECT sum(a) AS c FROM {rows} GROUP BY b HAVING c > 1").collect() == [Row(c=2)]
    assert spark.sql(f"SELECT 7 AS n FROM {rows} GROUP BY ALL").collect() == [Row(n=7)]


def test_files_metadata_of_a_table_without_files(spark, table):
    spark.sql("CREATE TABLE bare(a INT) USING parquet")
    assert spark.sql("SELECT _metadata.file_name FROM bare").collect() == []


def test_strings_beside_parameters_are_one(spark):
    query = "SELECT IDENTIFIER(:prefix '1') FROM VALUES (5) AS t(c1)"
    assert spark.sql(query, args={"prefix": "c"}).collect() == [Row(c1=5)]
