"""Python table functions over Arrow batches: `arrow_udtf`."""

import pytest
from pyspark.errors import PySparkException, PythonException
from pyspark.sql import functions as F
from pyspark.sql.functions import arrow_udtf


@pytest.fixture(params=["here", "in processes"])
def spark(request, connect, server):
    return connect(server if request.param == "here" else request.getfixturevalue("processes"))


def test_constants_come_as_arrays(spark):
    @arrow_udtf(returnType="n int, squared int")
    class Squares:
        def eval(self, end):
            import pyarrow as pa

            numbers = pa.array(range(end[0].as_py()), pa.int32())
            yield pa.table({"n": numbers, "squared": pa.array([n.as_py() ** 2 for n in numbers], pa.int32())})

    assert Squares(F.lit(3)).collect() == [(0, 0), (1, 1), (2, 4)]
    spark.udtf.register("arrow_squares", Squares)
    assert spark.sql("select sum(squared) from arrow_squares(4)").collect() == [(14,)]
    with pytest.raises(PySparkException, match="arrow_udtf of a row's values"):
        spark.sql("select k, n from values (2), (0), (1) as t(k), lateral arrow_squares(k)").collect()


def test_tables_come_as_batches(spark):
    @arrow_udtf(returnType="k long, rows long, total long")
    class Totals:
        def __init__(self):
            self.key, self.rows, self.total = None, 0, 0

        def eval(self, table):
            import pyarrow.compute as pc

            assert table.schema.names == ["k", "n"]
            self.key = table.column("k")[0].as_py()
            self.rows += table.num_rows
            self.total += pc.sum(table.column("n")).as_py()
            return iter(())

        def terminate(self):
            import pyarrow as pa

            yield pa.table({"k": [self.key], "rows": [self.rows], "total": [self.total]})

    spark.range(30_000).select((F.col("id") % 3).alias("k"), F.col("id").alias("n")).createOrReplaceTempView("batches")
    spark.udtf.register("totals", Totals)
    rows = spark.sql("select * from totals(table(batches) partition by k order by n)").collect()
    assert sorted(rows) == [(k, 10_000, sum(range(k, 30_000, 3))) for k in range(3)]
    whole = Totals(spark.table("batches").asTable().withSinglePartition()).collect()
    assert [(row.rows, row.total) for row in whole] == [(30_000, sum(range(30_000)))]


def test_what_is_no_arrow_is_refused(spark):
    @arrow_udtf(returnType="n int")
    class Tuples:
        def eval(self):
            yield (1,)

    with pytest.raises(PythonException, match="UDTF_ARROW_TYPE_CONVERSION_ERROR"):
        Tuples().collect()
