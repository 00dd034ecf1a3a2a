"""The shuffle in a bucket: the same rows, and nothing left behind."""

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from server import Server


@pytest.mark.parametrize("place", ["s3://shuffle/some/prefix", "file://{folder}/shuffle"])
def test_rows_pass_through_objects_that_go_with_the_application(tmp_path, place):
    (tmp_path / "shuffle").mkdir()
    conf = {
        "spark.firesteel.shuffle.url": place.format(folder=tmp_path),
        "firesteel.sql.smallQueryThreshold": "0",
        "spark.sql.autoBroadcastJoinThreshold": "-1",
    }
    server = Server(tmp_path / "server", conf)
    folder = server.data / "shuffle" if place.startswith("s3") else tmp_path / "shuffle"
    objects = lambda: [path for path in folder.rglob("*-*-*") if path.is_file()]
    try:
        spark = SparkSession.builder.remote(server.url).create()
        left = spark.range(20000, numPartitions=3).withColumn("key", F.col("id") % 100)
        right = spark.range(100, numPartitions=2).withColumnRenamed("id", "key").withColumn("name", F.concat(F.lit("n"), "key"))
        joined = left.join(right, "key").groupBy("name").agg(F.count("*").alias("n"), F.sum("id").alias("s"))
        rows = joined.orderBy("name").collect()
        assert len(rows) == 100 and all(row.n == 200 for row in rows)
        assert sum(row.s for row in rows) == 20000 * 19999 // 2
        assert [row.name for row in rows] == sorted(row.name for row in rows)
        assert spark.range(50000).orderBy(F.desc("id")).first().id == 49999
        # More rows than wait for a client: the query is not done before they are taken.
        wide = spark.range(40_000, numPartitions=3).withColumn("wide", F.repeat(F.lit("x"), 4000))
        many = wide.repartition(7).toLocalIterator()
        assert next(many).id < 40_000
        seen = objects()
        assert seen and all("/v1/" in str(path) for path in seen)
        assert sum(1 for _ in many) == 39_999
        spark.stop()
    finally:
        server.stop()
    assert objects() == []
