"""Settings that change how queries are read, how large results may be, and what the log says of the others."""

import pytest
from pyspark.errors import AnalysisException
from pyspark.errors.exceptions.connect import SparkException
from server import Server


def test_positions_and_aliases_may_be_off(spark):
    spark.createDataFrame([("b", 1), ("a", 2), ("b", 3)], "k string, v int").createOrReplaceTempView("pairs")
    assert spark.sql("SELECT k, sum(v) s FROM pairs GROUP BY 1 ORDER BY 2").collect() == [("a", 2), ("b", 4)]
    assert spark.sql("SELECT upper(k) AS u, count(*) FROM pairs GROUP BY u ORDER BY u").collect() == [("A", 1), ("B", 2)]

    spark.conf.set("spark.sql.orderByOrdinal", "false")
    assert [row.v for row in spark.sql("SELECT v FROM pairs ORDER BY 1, v DESC").collect()] == [3, 2, 1]
    spark.conf.set("spark.sql.groupByOrdinal", "false")
    with pytest.raises(AnalysisException, match="MISSING_AGGREGATION"):
        spark.sql("SELECT k, sum(v) FROM pairs GROUP BY 1").collect()
    spark.conf.set("spark.sql.groupByAliases", "false")
    with pytest.raises(AnalysisException, match="UNRESOLVED_COLUMN"):
        spark.sql("SELECT upper(k) AS u, count(*) FROM pairs GROUP BY u").collect()


def test_partitions_of_rows_that_come_from_no_file(spark):
    spark.conf.set("spark.sql.leafNodeDefaultParallelism", "7")
    assert spark.range(100).rdd.getNumPartitions() == 7


@pytest.fixture(scope="module")
def small_results(tmp_path_factory):
    conf = {"spark.driver.maxResultSize": "1m", "spark.shufle.partitions": "8", "spark.jars": "a.jar"}
    server = Server(tmp_path_factory.mktemp("small-results"), conf)
    yield server
    server.stop()


def test_a_result_beyond_the_limit_ends_the_query(connect, small_results):
    spark = connect(small_results)
    assert len(spark.range(10_000).collect()) == 10_000
    with pytest.raises(SparkException, match=r"the size of a result.*spark\.driver\.maxResultSize"):
        spark.range(1_000_000).collect()
    # What is not sent does not count.
    assert spark.range(1_000_000).count() == 1_000_000


def test_the_log_names_settings_without_effect(connect, small_results):
    spark = connect(small_results)
    spark.conf.set("spark.sql.adaptive.localShuffleReader.enabled", "false")
    spark.sql("SET spark.sql.crossJoin.enabled = true")
    log = small_results.log.read_text()
    for key in ("spark.shufle.partitions", "spark.jars", "spark.sql.adaptive.localShuffleReader.enabled"):
        assert f"{key} has no effect" in log
    assert "spark.driver.maxResultSize has no effect" not in log
    assert "spark.sql.crossJoin.enabled has no effect" not in log
