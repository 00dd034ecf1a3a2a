"""input_file_name() and its like: the file that a row is from."""

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import functions as F


@pytest.fixture
def files(spark, bucket):
    path = f"{bucket.url}/files"
    spark.range(10).repartition(2).write.parquet(path)
    return spark.read.parquet(path)


def test_file_of_a_row(files):
    row = files.select(F.input_file_name().alias("name"), F.input_file_block_start().alias("start"),
        F.input_file_block_length().alias("size"), "_metadata.file_path", "_metadata.file_size").first()  # fmt: skip
    assert row.name == row.file_path and row.name.endswith(".parquet")
    assert (row.start, row.size) == (0, row.file_size)


def test_file_above_select_lists_and_filters(spark, files):
    names = {row[0] for row in files.select(F.input_file_name()).collect()}
    assert len(names) == 2
    above = files.select((F.col("id") + 1).alias("n")).filter("n > 0").alias("x").withColumn("name", F.input_file_name())
    assert above.columns == ["n", "name"]
    assert {row.name for row in above.collect()} == names
    files.select("id").createOrReplaceTempView("only_ids")
    counted = spark.sql("SELECT input_file_name() AS name, count(*) AS n FROM only_ids GROUP BY 1").collect()
    assert {row.name for row in counted} == names and sum(row.n for row in counted) == 10
    assert files.select("id").filter(F.input_file_name() == min(names)).count() < 10


def test_rows_of_no_file(spark, files):
    nothing = ("", -1, -1)
    functions = "input_file_name(), input_file_block_start(), input_file_block_length()"
    assert tuple(spark.sql(f"SELECT {functions}").first()) == nothing
    counted = files.groupBy("id").count().select(F.input_file_name(), F.input_file_block_start(), F.input_file_block_length())
    assert tuple(counted.first()) == nothing


def test_several_files(files):
    joined = files.join(files.select(F.col("id").alias("other")), F.expr("id = other"))
    with pytest.raises(PySparkException) as failure:
        joined.select(F.input_file_name()).collect()
    assert failure.value.getCondition() == "MULTI_SOURCES_UNSUPPORTED_FOR_EXPRESSION"
    with pytest.raises(PySparkException) as failure:
        files.union(files).select(F.input_file_name()).collect()
    assert failure.value.getCondition() == "UNSUPPORTED_FEATURE.FIRESTEEL"
