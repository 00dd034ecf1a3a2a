"""Temporary views and the catalog's calls."""

import pytest
from pyspark.errors import AnalysisException
from results import column, rows, value


def test_temporary_views(spark, people):
    people.createTempView("p")
    assert spark.table("p").count() == 5
    assert value(spark.sql("SELECT count(*) FROM p")) == 5
    with pytest.raises(AnalysisException) as raised:
        people.createTempView("p")
    assert raised.value.getCondition() == "TEMP_TABLE_OR_VIEW_ALREADY_EXISTS"
    people.limit(2).createOrReplaceTempView("p")
    assert spark.table("p").count() == 2
    assert spark.catalog.dropTempView("p")
    assert not spark.catalog.dropTempView("p")


def test_a_view_keeps_its_plan(spark):
    spark.range(3).createOrReplaceTempView("v")
    df = spark.table("v")
    spark.range(9).createOrReplaceTempView("v")
    assert spark.table("v").count() == 9
    assert df.count() in (3, 9)


def test_views_over_views(spark):
    spark.range(10).createOrReplaceTempView("a")
    spark.sql("CREATE TEMPORARY VIEW b AS SELECT id * 2 AS x FROM a WHERE id > 5")
    spark.sql("CREATE OR REPLACE TEMP VIEW c(y) AS SELECT max(x) FROM b")
    assert value(spark.sql("SELECT y FROM c")) == 18


def test_global_temporary_views(connect):
    one, other = connect(), connect()
    one.range(4).createOrReplaceGlobalTempView("shared_view")
    assert other.table("global_temp.shared_view").count() == 4
    assert one.catalog.dropGlobalTempView("shared_view")
    with pytest.raises(AnalysisException):
        other.table("global_temp.shared_view").collect()


def test_view_over_files(spark, bucket):
    (bucket.folder / "a.csv").write_text("x,y\n1,2\n")
    spark.sql(f"CREATE TEMPORARY VIEW f USING csv OPTIONS (path '{bucket.url}/a.csv', header 'true')")
    assert rows(spark.table("f")) == [("1", "2")]


def test_show_and_drop_views(spark, schema):
    spark.sql("CREATE TEMP VIEW v AS SELECT 1 AS a")
    spark.sql("CREATE VIEW stored AS SELECT 2 AS b")
    assert {row.viewName for row in spark.sql("SHOW VIEWS").collect()} == {"v", "stored"}
    assert value(spark.sql("SELECT b FROM stored")) == 2
    spark.sql("DROP VIEW stored")
    spark.sql("DROP VIEW v")
    assert spark.sql("SHOW VIEWS").count() == 0


def test_stored_views_outlive_sessions(connect, schema):
    one, other = connect(), connect()
    one.sql(f"CREATE VIEW {schema}.v (total COMMENT 'sum') AS SELECT sum(id) FROM range(4)")
    assert value(other.sql(f"SELECT total FROM {schema}.v")) == 6
    other.sql(f"ALTER VIEW {schema}.v AS SELECT 9 AS total")
    assert value(one.sql(f"SELECT total FROM {schema}.v")) == 9


def test_catalog_of_schemas(spark, schema):
    assert spark.catalog.currentCatalog() == "spark_catalog"
    assert spark.catalog.currentDatabase() == schema
    assert schema in [database.name for database in spark.catalog.listDatabases()]
    assert spark.catalog.databaseExists(schema)
    assert not spark.catalog.databaseExists("nowhere")
    spark.catalog.setCurrentDatabase("default")
    assert spark.catalog.currentDatabase() == "default"
    assert spark.catalog.getDatabase(schema).name == schema
    assert "spark_catalog" in [catalog.name for catalog in spark.catalog.listCatalogs()]
    with pytest.raises(AnalysisException) as raised:
        spark.catalog.setCurrentDatabase("nowhere")
    assert raised.value.getCondition() == "SCHEMA_NOT_FOUND"


def test_catalog_of_tables(spark, schema):
    spark.range(3).write.saveAsTable("numbers")
    spark.range(3).createOrReplaceTempView("temporary")
    tables = {table.name: table for table in spark.catalog.listTables()}
    assert set(tables) == {"numbers", "temporary"}
    assert (tables["numbers"].tableType, tables["numbers"].isTemporary) == ("MANAGED", False)
    assert (tables["temporary"].tableType, tables["temporary"].isTemporary) == ("TEMPORARY", True)
    assert tables["numbers"].namespace == [schema]
    assert spark.catalog.tableExists("numbers")
    assert spark.catalog.tableExists(f"{schema}.numbers")
    assert not spark.catalog.tableExists("nothing")
    found = spark.catalog.listColumns("numbers")
    assert [(c.name, c.dataType, c.nullable) for c in found] == [("id", "bigint", True)]
    assert spark.catalog.getTable("numbers").tableType == "MANAGED"
    with pytest.raises(AnalysisException) as raised:
        spark.catalog.getTable("nothing")
    assert raised.value.getCondition() == "TABLE_OR_VIEW_NOT_FOUND"


def test_catalog_of_functions(spark):
    names = [function.name for function in spark.catalog.listFunctions()]
    assert {"abs", "concat", "sum", "explode", "row_number"} <= set(names)
    assert spark.catalog.functionExists("upper")
    assert not spark.catalog.functionExists("no_such_function")
    assert spark.catalog.getFunction("upper").name == "upper"
    assert column(spark.sql("SHOW FUNCTIONS LIKE 'array_con*'")) == ["array_contains"]
    assert any("upper" in str(row[0]) for row in spark.sql("DESCRIBE FUNCTION upper").collect())


def test_caching_calls(spark):
    spark.range(3).createOrReplaceTempView("c")
    spark.catalog.cacheTable("c")
    assert spark.table("c").count() == 3
    spark.catalog.uncacheTable("c")
    spark.catalog.clearCache()
    spark.catalog.refreshTable("c")
    spark.sql("CACHE TABLE c")
    spark.sql("UNCACHE TABLE c")


def test_create_table_through_the_catalog(spark, schema, bucket):
    spark.range(2).write.parquet(f"{bucket.url}/t")
    df = spark.catalog.createTable("external", path=f"{bucket.url}/t", source="parquet")
    assert df.count() == 2
    assert spark.catalog.getTable("external").tableType == "EXTERNAL"
