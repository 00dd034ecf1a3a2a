"""Cached and checkpointed frames: rows that stay when what they came from is gone, and how often they are computed."""

import re
import shutil
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from pyspark import StorageLevel
from pyspark.errors import AnalysisException
from pyspark.sql import functions as F

from server import Server


@pytest.fixture
def files(spark, bucket):
    """A folder of Parquet files, and how to take it away."""
    spark.range(100).write.parquet(f"{bucket.url}/t")
    return f"{bucket.url}/t", lambda: shutil.rmtree(bucket.folder / "t")


@pytest.fixture(autouse=True)
def empty(spark):
    yield
    spark.catalog.clearCache()


def test_rows_stay_when_their_files_are_gone(spark, files):
    path, remove = files
    df = spark.read.parquet(path).where("id >= 10").cache()
    assert df.count() == 90
    remove()
    assert df.count() == 90
    assert df.where(df.id < 20).agg(F.sum("id")).first()[0] == sum(range(10, 20))
    assert df.join(df.withColumnRenamed("id", "other"), F.col("id") == F.col("other")).count() == 90
    df.unpersist()
    with pytest.raises(AnalysisException, match="PATH_NOT_FOUND"):
        df.count()


def test_persisting_computes_nothing(spark, files):
    path, remove = files
    df = spark.read.parquet(path).cache()
    remove()
    with pytest.raises(Exception):
        df.count()


def test_rows_are_computed_once(spark):
    df = spark.sql("SELECT uuid() AS u FROM range(50)").cache()
    assert df.collect() == df.collect()
    first = df.orderBy("u").limit(5).collect()
    assert df.orderBy("u").limit(5).collect() == first
    assert df.intersect(df).count() == 50


def test_an_equal_query_uses_the_cache(spark, files):
    path, remove = files
    spark.read.parquet(path).select("id").cache().count()
    remove()
    assert spark.read.parquet(path).select("id").agg(F.max("id")).first()[0] == 99
    with pytest.raises(AnalysisException):
        spark.read.parquet(path).select(F.col("id") + 1).count()


def test_the_same_plan_written_otherwise_uses_the_cache(spark, bucket):
    """As Spark, which compares resolved plans: names of columns, views and texts do not matter."""
    spark.range(50).write.parquet(f"{bucket.url}/t")
    spark.read.parquet(f"{bucket.url}/t").createOrReplaceTempView("v")
    df = spark.table("v").where(F.col("id") > 10).cache()
    assert df.count() == 39
    shown = spark.sql("SELECT * FROM v WHERE id > 10")
    read = spark.read.parquet(f"{bucket.url}/t").filter("ID > 10")
    for other in (read, read.select((F.col("id") + 1).alias("n"))):
        plan = other._explain_string()
        assert "InMemoryTableScan" in plan, plan
    assert (shown.count(), read.count()) == (39, 39)
    assert read.storageLevel == StorageLevel.MEMORY_AND_DISK_DESER
    assert "InMemoryTableScan" not in spark.read.parquet(f"{bucket.url}/t").filter("id > 11")._explain_string()


def test_columns_of_frames_within_a_cached_one(spark):
    base = spark.range(10)
    df = base.withColumn("twice", base.id * 2).cache()
    df.count()
    assert df.where(base.id > 7).select(base.id, df.twice).collect() == [(8, 16), (9, 18)]
    assert df.alias("a").join(df.alias("b"), F.col("a.id") == F.col("b.twice")).count() == 5


def test_storage_levels(spark):
    df = spark.range(3)
    assert df.storageLevel == StorageLevel.NONE
    df.persist(StorageLevel.DISK_ONLY)
    assert df.storageLevel == StorageLevel.DISK_ONLY
    assert df.count() == 3
    df.unpersist()
    assert df.storageLevel == StorageLevel.NONE
    assert df.cache().storageLevel == StorageLevel.MEMORY_AND_DISK_DESER


def test_limits_below_a_cache(spark):
    df = spark.range(1000, numPartitions=4).limit(7).cache()
    assert df.count() == 7
    assert len(df.collect()) == 7
    assert spark.range(10, numPartitions=3).limit(0).cache().count() == 0


def test_cached_in_the_catalog(spark, schema):
    spark.range(5).write.saveAsTable("t")
    assert not spark.catalog.isCached("t")
    spark.catalog.cacheTable("t")
    assert spark.catalog.isCached("t") and spark.catalog.isCached(f"{schema}.t")
    assert spark.sql("SELECT count(*) FROM t").first()[0] == 5
    spark.catalog.uncacheTable("t")
    assert not spark.catalog.isCached("t")
    spark.catalog.cacheTable("t", StorageLevel.MEMORY_ONLY)
    spark.catalog.clearCache()
    assert not spark.catalog.isCached("t")
    with pytest.raises(AnalysisException, match="TABLE_OR_VIEW_NOT_FOUND"):
        spark.catalog.cacheTable("nowhere")


def test_cache_table(spark, files):
    path, remove = files
    spark.sql(f"CACHE TABLE eager OPTIONS ('storageLevel' 'DISK_ONLY') AS SELECT * FROM parquet.`{path}`")
    spark.sql(f"CACHE LAZY TABLE lazy AS SELECT id + 1 AS n FROM parquet.`{path}`")
    assert spark.table("eager").storageLevel == StorageLevel.DISK_ONLY
    remove()
    assert spark.sql("SELECT max(id) FROM eager").first()[0] == 99
    spark.sql("UNCACHE TABLE eager")
    with pytest.raises(Exception):
        spark.sql("SELECT max(n) FROM lazy").collect()
    with pytest.raises(AnalysisException):
        spark.sql("SELECT max(id) FROM eager").collect()
    spark.sql("UNCACHE TABLE IF EXISTS nowhere")
    with pytest.raises(AnalysisException, match="TABLE_OR_VIEW_NOT_FOUND"):
        spark.sql("UNCACHE TABLE nowhere")
    spark.sql("CLEAR CACHE")


def test_a_write_renews_what_was_cached(spark, schema, bucket):
    spark.range(5).write.saveAsTable("t")
    spark.table("t").cache()
    wide = spark.table("t").withColumn("x", F.lit(1)).cache()
    assert (spark.table("t").count(), wide.count()) == (5, 5)
    spark.sql("INSERT INTO t VALUES (100)")
    assert (spark.table("t").count(), wide.count()) == (6, 6)
    assert spark.catalog.isCached("t")

    spark.range(3).write.parquet(f"{bucket.url}/p")
    df = spark.read.parquet(f"{bucket.url}/p").cache()
    assert df.count() == 3
    spark.range(4).write.mode("append").parquet(f"{bucket.url}/p")
    assert df.count() == 7


def test_refresh(spark, schema, bucket):
    spark.range(5).write.parquet(f"{bucket.url}/t")
    spark.sql(f"CREATE TABLE t USING parquet LOCATION '{bucket.url}/t'")
    spark.sql("CACHE TABLE t")
    assert spark.table("t").count() == 5
    file = next((bucket.folder / "t").glob("*.parquet"))
    shutil.copy(file, file.with_name("part-copy.parquet"))
    once = spark.table("t").count()
    assert once == 5, "what is cached does not follow the files"
    spark.sql("REFRESH TABLE t")
    assert spark.table("t").count() > once
    assert spark.catalog.isCached("t")


def test_a_view_that_means_something_else_is_not_taken_from_the_cache(spark):
    spark.range(5).createOrReplaceTempView("v")
    df = spark.sql("SELECT count(*) AS n FROM v WHERE id > 1").cache()
    assert df.first().n == 3
    spark.range(50).createOrReplaceTempView("v")
    assert spark.sql("SELECT count(*) AS n FROM v WHERE id > 1").first().n == 48


def test_explain_shows_the_relation(spark, capsys):
    df = spark.range(5).selectExpr("id * 2 AS d").cache()
    df.where("d > 2").explain()
    text = capsys.readouterr().out
    assert "InMemoryTableScan" in text and "InMemoryRelation" in text
    assert "StorageLevel(disk, memory, deserialized, 1 replicas)" in text


@pytest.mark.parametrize("method", ["checkpoint", "localCheckpoint"])
@pytest.mark.parametrize("eager", [True, False])
def test_checkpoints_cut_the_lineage(spark, files, method, eager):
    path, remove = files
    df = spark.read.parquet(path).withColumn("u", F.expr("uuid()"))
    kept = getattr(df, method)(eager)
    if not eager:
        kept.count()
    remove()
    assert kept.count() == 100
    assert kept.orderBy("id").collect() == kept.orderBy("id").collect()


def counted(path):
    """A function whose calls can be counted, and how many there were."""

    @F.udf("long")
    def seen(n):
        with open(path, "ab", buffering=0) as calls:
            calls.write(b".")
        return n

    return seen, lambda: path.stat().st_size if path.exists() else 0


def test_rows_are_computed_when_they_are_needed_first_and_once(spark, tmp_path):
    seen, calls = counted(tmp_path / "calls")
    df = spark.range(100, numPartitions=4).select(seen("id").alias("n")).cache()
    df.explain()
    assert (df.columns, calls()) == (["n"], 0)
    assert [df.count(), df.agg(F.sum("n")).first()[0], len(df.collect())] == [100, 4950, 100]
    assert df.join(df.select(F.col("n").alias("m")), F.col("n") == F.col("m")).count() == 100
    assert calls() == 100
    df.unpersist()
    df.collect()
    assert calls() == 200


def test_a_limit_computes_no_more_partitions_than_it_needs(spark, tmp_path):
    seen, calls = counted(tmp_path / "calls")
    df = spark.range(100, numPartitions=4).select(seen("id").alias("n")).cache()
    assert [row.n for row in df.take(3)] == [0, 1, 2]
    assert calls() == 25
    assert [row.n for row in df.limit(30).collect()] == list(range(30))
    assert calls() == 50
    assert df.count() == 100
    assert calls() == 100


def test_eager_and_lazy(spark, tmp_path):
    seen, calls = counted(tmp_path / "calls")
    spark.range(10).select(seen("id").alias("n")).createOrReplaceTempView("v")
    spark.sql("CACHE LAZY TABLE v")
    assert calls() == 0
    spark.sql("SELECT max(n) FROM v").collect()
    assert calls() == 10
    spark.sql("UNCACHE TABLE v")
    spark.sql("CACHE TABLE v")
    assert calls() == 20
    assert spark.sql("SELECT max(n) FROM v").first()[0] == 9
    assert calls() == 20


def test_in_subqueries_and_under_with(spark, tmp_path):
    seen, calls = counted(tmp_path / "calls")
    spark.range(10).select(seen("id").alias("n")).createOrReplaceTempView("v")
    spark.catalog.cacheTable("v")
    assert spark.sql("SELECT count(*) FROM range(5) WHERE id IN (SELECT n FROM v)").first()[0] == 5
    assert spark.sql("WITH w AS (SELECT 3 AS x) SELECT count(*) FROM v, w WHERE n < x").first()[0] == 3
    assert spark.sql("SELECT (SELECT max(n) FROM v) AS m").first().m == 9
    assert calls() == 10


def test_a_replaced_view_is_cached_no_more(spark):
    spark.range(5).createOrReplaceTempView("v")
    spark.catalog.cacheTable("v")
    spark.range(5).createOrReplaceTempView("v")
    assert spark.catalog.isCached("v"), "it has the same rows"
    spark.range(7).createOrReplaceTempView("v")
    assert not spark.catalog.isCached("v")
    assert spark.table("v").count() == 7
    assert spark.range(5).storageLevel == StorageLevel.NONE


def test_what_becomes_of_a_table_becomes_of_its_rows(spark, schema):
    spark.range(5).write.saveAsTable("t")
    above = spark.table("t").where("id > 1")
    above.cache()
    spark.catalog.cacheTable("t")
    assert above.count() == 3
    spark.sql("ALTER TABLE t RENAME TO u")
    assert spark.catalog.isCached("u")
    spark.sql("ALTER TABLE u ADD COLUMNS (name string)")
    assert not spark.catalog.isCached("u")
    assert spark.table("u").columns == ["id", "name"]
    spark.catalog.cacheTable("u")
    df = spark.table("u").select("id").cache()
    assert df.count() == 5
    spark.sql("UNCACHE TABLE u")
    assert df.storageLevel == StorageLevel.NONE, "what reads it goes with it"
    spark.catalog.cacheTable("u")
    spark.sql("DROP TABLE u")
    spark.range(1).write.saveAsTable("u")
    assert not spark.catalog.isCached("u")
    assert spark.table("u").count() == 1


def test_variables_and_functions_that_change(spark):
    spark.sql("DECLARE OR REPLACE VARIABLE least INT DEFAULT 2")
    query = "SELECT id FROM range(5) WHERE id >= least"
    assert spark.sql(query).cache().count() == 3
    spark.sql("SET VAR least = 4")
    assert spark.sql(query).count() == 1
    spark.sql("CREATE OR REPLACE TEMPORARY FUNCTION f(x BIGINT) RETURNS BIGINT RETURN x + 1")
    query = "SELECT f(id) AS n FROM range(3)"
    assert spark.sql(query).cache().agg(F.max("n")).first()[0] == 3
    spark.sql("CREATE OR REPLACE TEMPORARY FUNCTION f(x BIGINT) RETURNS BIGINT RETURN x + 10")
    assert spark.sql(query).agg(F.max("n")).first()[0] == 12


def test_columns_that_were_projected_away_before_caching(spark):
    base = spark.range(4).withColumn("key", -F.col("id"))
    df = base.select("id").cache()
    assert df.count() == 4
    assert [row.id for row in df.orderBy(base.key).collect()] == [3, 2, 1, 0]


def test_different_frames_do_not_look_the_same(spark):
    left, right = spark.range(5).cache(), spark.range(9).cache()
    assert (left.count(), right.count()) == (5, 9)
    assert not left.sameSemantics(right)
    assert left.sameSemantics(spark.range(5))


def test_an_ordered_frame_stays_ordered(spark):
    df = spark.range(1000, numPartitions=4).orderBy(F.col("id").desc()).cache()
    assert [row.id for row in df.limit(3).collect()] == [999, 998, 997]
    assert [row.id for row in df.collect()] == list(range(999, -1, -1))


@pytest.fixture(scope="module")
def tight(tmp_path_factory):
    """A server whose shuffle and cache get about 10 MB of memory, and the folder where they leave files."""
    place = tmp_path_factory.mktemp("tight")
    # Sockets of Python workers lie there too, and their paths must be short.
    folder = Path(tempfile.mkdtemp(prefix="fs-"))
    conf = {"spark.executor.memory": "64m", "spark.local.dir": str(folder), "spark.master": "local[2]"}
    server = Server(place, conf)
    yield SimpleNamespace(server=server, kept=lambda: sorted(folder.rglob("kept-*.arrow")))
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


def wide(spark, seen, rows=32_000, partitions=8):
    """About 32 MB."""
    frame = spark.range(rows, numPartitions=partitions)
    return frame.select(seen("id").alias("n"), F.expr("repeat(uuid(), 28)").alias("text"))


@pytest.mark.parametrize("level", ["MEMORY_AND_DISK", "DISK_ONLY", "MEMORY_AND_DISK_DESER"])
def test_more_rows_than_memory_are_computed_once(tight, connect, tmp_path, level):
    seen, calls = counted(tmp_path / "calls")
    df = wide(connect(tight.server), seen).persist(getattr(StorageLevel, level))
    for _ in range(2):
        assert df.agg(F.sum("n"), F.sum(F.length("text"))).first() == (sum(range(32_000)), 32_000 * 36 * 28)
    assert calls() == 32_000


def test_rows_that_may_only_be_in_memory_are_computed_again_where_they_found_no_place(tight, connect, tmp_path):
    seen, calls = counted(tmp_path / "calls")
    df = wide(connect(tight.server), seen).persist(StorageLevel.MEMORY_ONLY)
    assert df.agg(F.sum("n")).first()[0] == sum(range(32_000))
    assert calls() == 32_000
    assert df.agg(F.sum("n")).first()[0] == sum(range(32_000))
    assert 32_000 < calls() < 64_000, "some partitions stayed"
    assert calls() % 4_000 == 0, "whole partitions are computed"


def test_rows_used_longest_ago_go_first(tight, connect, tmp_path):
    session = connect(tight.server)
    frames = []
    for name in ("first", "second", "third"):
        seen, calls = counted(tmp_path / name)
        frames.append((wide(session, seen, 4_000, 1).persist(StorageLevel.MEMORY_ONLY), calls))
    for frame, calls in frames:
        assert frame.agg(F.sum("n")).first()[0] == sum(range(4_000))
    assert [calls() for _, calls in frames] == [4_000] * 3
    for frame, _ in reversed(frames):
        frame.agg(F.sum("n")).first()
    assert frames[2][1]() == 4_000, "the last one was there"
    assert frames[0][1]() == 8_000, "the first one had made room"


@pytest.mark.parametrize("harm", ["lost", "damaged"])
def test_only_the_partition_that_is_lost_is_computed_again(tight, connect, tmp_path, harm):
    seen, calls = counted(tmp_path / "calls")
    before = set(tight.kept())
    df = connect(tight.server).range(100, numPartitions=4).select(seen("id").alias("n")).persist(StorageLevel.DISK_ONLY)
    assert df.count() == 100
    files = [path for path in tight.kept() if path not in before]
    assert (len(files), calls()) == (4, 100)
    if harm == "lost":
        files[1].unlink()
    else:
        content = bytearray(files[1].read_bytes())
        content[len(content) // 2] ^= 1
        files[1].write_bytes(content)
    assert [row.n for row in df.collect()] == list(range(100))
    assert calls() == 125
    assert df.count() == 100
    assert calls() == 125


def test_unpersisting_gives_the_place_back(tight, connect, tmp_path):
    before = set(tight.kept())
    df = connect(tight.server).range(1000, numPartitions=2).persist(StorageLevel.DISK_ONLY)
    above = df.where("id > 10").cache()
    assert (df.count(), above.count()) == (1000, 989)
    assert len(set(tight.kept()) - before) == 2
    df.unpersist()
    assert df.storageLevel == StorageLevel.NONE
    assert above.count() == 989
    for _ in range(50):
        if set(tight.kept()) <= before:
            break
        above.count()
    assert set(tight.kept()) <= before


def plan_of(df, capsys):
    """Its physical plan, numbers aside."""
    df.explain()
    return re.sub(r"\d+", "0", capsys.readouterr().out)


def test_an_iteration_costs_the_same_each_time(spark, capsys):
    """PageRank: without a cache that is used, every round computes all rounds before it."""
    nodes = 40
    links = spark.range(nodes * 4).selectExpr(f"id % {nodes} AS source", f"(id * 7 + 3) % {nodes} AS target").cache()
    degrees = links.groupBy("source").agg(F.count("*").alias("degree")).cache()
    ranks = spark.range(nodes).selectExpr("id AS node", "1D AS rank").cache()
    plans = []
    for _ in range(20):
        sent = links.join(degrees, "source").join(ranks, F.col("source") == F.col("node"))
        summed = sent.groupBy("target").agg(F.sum(F.expr("rank / degree")).alias("sum"))
        ranks = summed.selectExpr("target AS node", "0.15D + 0.85D * sum AS rank")
        plans.append(plan_of(ranks, capsys))
        ranks = ranks.cache()
        assert abs(ranks.agg(F.sum("rank")).first()[0] - nodes) < 1e-6
    assert all(plan.count("InMemoryTableScan") == 3 for plan in plans)
    assert len({len(plan.splitlines()) for plan in plans[1:]}) == 1, "each round reads what is cached, and no more"


def test_a_frame_of_two_copies_of_the_last_one_does_not_grow(spark):
    """Each round doubles what is read; checkpoints forget it."""
    df = spark.range(4).selectExpr("id", "1D AS weight")
    for _ in range(20):
        other = df.selectExpr("id AS other", "weight AS w")
        both = df.join(other, df.id == other.other).selectExpr("id", "(weight + w) / 2 AS weight")
        df = both.localCheckpoint()
    assert [tuple(row) for row in df.orderBy("id").collect()] == [(n, 1.0) for n in range(4)]
