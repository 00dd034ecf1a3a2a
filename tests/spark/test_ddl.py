"""Definitions and questions in SQL: CREATE, ALTER, DROP, SHOW, DESCRIBE."""

import pytest
from pyspark.errors import AnalysisException, ParseException, PySparkException
from results import column, rows, value


def described(df) -> dict:
    return {row.col_name.strip(): row.data_type for row in df.collect() if row.col_name}


def test_schemas(spark):
    spark.sql("CREATE SCHEMA IF NOT EXISTS shop COMMENT 'what we sell'")
    try:
        with pytest.raises(AnalysisException) as raised:
            spark.sql("CREATE SCHEMA shop")
        assert raised.value.getCondition() == "SCHEMA_ALREADY_EXISTS"
        assert "shop" in column(spark.sql("SHOW SCHEMAS"))
        assert column(spark.sql("SHOW DATABASES LIKE 'sho*'")) == ["shop"]
        spark.sql("USE shop")
        assert rows(spark.sql("SELECT current_schema(), current_catalog()")) == [("shop", "spark_catalog")]
        info = dict(rows(spark.sql("DESCRIBE SCHEMA EXTENDED shop")))
        assert info["Comment"] == "what we sell"
        spark.sql("CREATE TABLE t (a INT)")
        with pytest.raises(AnalysisException) as raised:
            spark.sql("DROP SCHEMA shop")
        assert raised.value.getCondition() == "SCHEMA_NOT_EMPTY"
    finally:
        spark.sql("USE default")
        spark.sql("DROP SCHEMA shop CASCADE")
    assert "shop" not in column(spark.sql("SHOW SCHEMAS"))
    spark.sql("DROP SCHEMA IF EXISTS shop")
    with pytest.raises(AnalysisException) as raised:
        spark.sql("DROP SCHEMA shop")
    assert raised.value.getCondition() == "SCHEMA_NOT_FOUND"


@pytest.mark.parametrize("constraint", ["PRIMARY KEY", "UNIQUE", "CHECK (a > 0)", "REFERENCES other (b)", "CONSTRAINT named CHECK (a > 0) NOT ENFORCED"])
def test_constraints_of_columns_are_refused(spark, schema, constraint):
    with pytest.raises(PySparkException, match="UNSUPPORTED_FEATURE"):
        spark.sql(f"CREATE TABLE t (a INT {constraint}) USING parquet")
    assert not spark.catalog.tableExists("t")


def test_show_tables(spark, schema):
    spark.sql("CREATE TABLE orders (a INT)")
    spark.sql("CREATE TABLE customers (a INT)")
    spark.sql("CREATE TEMP VIEW seen AS SELECT 1")
    df = spark.sql("SHOW TABLES")
    assert df.columns == ["namespace", "tableName", "isTemporary"]
    assert sorted(rows(df)) == [("", "seen", True), (schema, "customers", False), (schema, "orders", False)]
    assert column(spark.sql("SHOW TABLES LIKE 'ord*'"), 1) == ["orders"]
    assert column(spark.sql(f"SHOW TABLES IN {schema} 'cust*|ord*'"), 1) == ["customers", "orders"]


def test_create_table(spark, schema):
    spark.sql("CREATE TABLE t (a INT NOT NULL COMMENT 'key', b STRING) USING parquet COMMENT 'a table' TBLPROPERTIES ('p' = 'q')")
    spark.sql("CREATE TABLE IF NOT EXISTS t (z INT)")
    with pytest.raises(AnalysisException) as raised:
        spark.sql("CREATE TABLE t (z INT)")
    assert raised.value.getCondition() == "TABLE_OR_VIEW_ALREADY_EXISTS"
    assert column(spark.sql("SHOW COLUMNS IN t")) == ["a", "b"]
    assert ("p", "q") in rows(spark.sql("SHOW TBLPROPERTIES t"))
    spark.sql("CREATE TABLE u LIKE t")
    assert spark.table("u").columns == ["a", "b"]
    spark.sql("DROP TABLE u")
    spark.sql("DROP TABLE IF EXISTS u")
    with pytest.raises(AnalysisException) as raised:
        spark.sql("DROP TABLE u")
    assert raised.value.getCondition() == "TABLE_OR_VIEW_NOT_FOUND"


def test_describe(spark, schema):
    spark.sql("CREATE TABLE t (a INT COMMENT 'key', b STRING, k DATE) USING parquet PARTITIONED BY (k) COMMENT 'a table'")
    df = spark.sql("DESCRIBE TABLE t")
    assert df.columns == ["col_name", "data_type", "comment"]
    assert rows(df)[:3] == [("a", "int", "key"), ("b", "string", None), ("k", "date", None)]
    assert ("# Partition Information", "", "") in rows(df)
    extended = described(spark.sql("DESCRIBE TABLE EXTENDED t"))
    assert extended["Provider"] == "parquet"
    assert extended["Type"] == "MANAGED"
    assert extended["Comment"] == "a table"
    assert extended["Database"] == schema
    assert dict(rows(spark.sql("DESCRIBE t a")))["data_type"] == "int"


def test_describe_of_views_and_queries(spark):
    spark.range(1).createOrReplaceTempView("v")
    assert rows(spark.sql("DESC v")) == [("id", "bigint", None)]
    assert rows(spark.sql("DESCRIBE QUERY SELECT 1 AS a, 'x' AS b")) == [("a", "int", None), ("b", "string", None)]


def test_show_create_table(spark, schema):
    spark.sql("CREATE TABLE t (a INT, k STRING) USING parquet PARTITIONED BY (k)")
    text = value(spark.sql("SHOW CREATE TABLE t"))
    columns = "a INT,\n  k STRING COLLATE UTF8_BINARY"
    assert text.startswith(f"CREATE TABLE spark_catalog.{schema}.t (\n  {columns})\nUSING parquet\nPARTITIONED BY (k)")


def test_alter_table(spark, schema):
    spark.sql("CREATE TABLE t (a INT) USING parquet")
    spark.sql("INSERT INTO t VALUES (1)")
    spark.sql("ALTER TABLE t ADD COLUMNS (b STRING COMMENT 'new')")
    assert rows(spark.table("t")) == [(1, None)]
    spark.sql("ALTER TABLE t RENAME TO u")
    assert spark.table("u").count() == 1
    spark.sql("ALTER TABLE u SET TBLPROPERTIES ('x' = 'y')")
    assert ("x", "y") in rows(spark.sql("SHOW TBLPROPERTIES u"))
    spark.sql("ALTER TABLE u UNSET TBLPROPERTIES ('x')")
    spark.sql("COMMENT ON TABLE u IS 'renamed'")
    assert described(spark.sql("DESCRIBE EXTENDED u"))["Comment"] == "renamed"


def test_show_catalogs_and_settings(spark):
    assert "spark_catalog" in column(spark.sql("SHOW CATALOGS"))
    assert rows(spark.sql("SHOW CURRENT NAMESPACE")) == [("spark_catalog", "default")]


def test_repair_and_refresh(spark, schema, bucket):
    spark.range(2).write.parquet(f"{bucket.url}/t/k=1")
    spark.sql(f"CREATE TABLE t (id BIGINT, k INT) USING parquet PARTITIONED BY (k) LOCATION '{bucket.url}/t'")
    spark.sql("MSCK REPAIR TABLE t")
    assert spark.table("t").count() == 2
    spark.range(3).write.parquet(f"{bucket.url}/t/k=2")
    spark.sql("MSCK REPAIR TABLE t")
    spark.sql("REFRESH TABLE t")
    assert spark.table("t").count() == 5


def test_what_tables_of_files_cannot_do(spark, schema):
    spark.sql("CREATE TABLE t (a INT) USING parquet")
    for statement in ("DELETE FROM t WHERE a = 1", "UPDATE t SET a = 2", "MERGE INTO t USING t AS s ON t.a = s.a WHEN MATCHED THEN DELETE"):
        with pytest.raises(Exception) as raised:
            spark.sql(statement)
        assert raised.value.getSqlState() in ("0A000", "42000"), statement


def test_table_names_are_checked(spark):
    with pytest.raises(AnalysisException) as raised:
        spark.sql("SELECT * FROM no_such_schema.t").collect()
    assert raised.value.getCondition() == "TABLE_OR_VIEW_NOT_FOUND"
    with pytest.raises(AnalysisException) as raised:
        spark.sql("CREATE TABLE no_such_schema.t (a INT)")
    assert raised.value.getCondition() == "SCHEMA_NOT_FOUND"
    with pytest.raises(ParseException):
        spark.sql("CREATE TABLE t (a)")


def test_duplicate_columns(spark, schema):
    with pytest.raises(AnalysisException) as raised:
        spark.sql("CREATE TABLE t (a INT, A STRING)")
    assert raised.value.getCondition() == "COLUMN_ALREADY_EXISTS"


def test_scripts(spark):
    text = """
        BEGIN
          DECLARE total INT DEFAULT 0;
          WHILE total < 5 DO SET total = total + 2; END WHILE;
          SELECT total;
        END
    """
    assert value(spark.sql(text)) == 6
