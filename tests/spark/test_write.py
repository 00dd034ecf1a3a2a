"""Writing: modes, partitions, numbers of files, failures and two writers at once."""

import subprocess
import threading

import pytest
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import functions as F
from results import bag, column, in_any_order, rows


def parts(folder):
    return [path for path in folder.rglob("part-*") if path.is_file()]


def test_modes(spark, bucket):
    url = f"{bucket.url}/t"
    spark.range(3).write.parquet(url)
    with pytest.raises(AnalysisException) as raised:
        spark.range(3).write.parquet(url)
    assert raised.value.getCondition() == "PATH_ALREADY_EXISTS"
    with pytest.raises(AnalysisException):
        spark.range(3).write.mode("error").parquet(url)
    spark.range(5).write.mode("ignore").parquet(url)
    assert spark.read.parquet(url).count() == 3
    spark.range(5).write.mode("append").parquet(url)
    assert spark.read.parquet(url).count() == 8
    spark.range(1).write.mode("overwrite").parquet(url)
    assert spark.read.parquet(url).count() == 1
    with pytest.raises(PySparkException):
        spark.range(1).write.mode("whatever").parquet(url)


def test_number_of_files(spark, bucket):
    spark.range(100).repartition(5).write.parquet(f"{bucket.url}/five")
    assert len(parts(bucket.folder / "five")) == 5
    spark.range(100).repartition(5).coalesce(1).write.parquet(f"{bucket.url}/one")
    assert len(parts(bucket.folder / "one")) == 1
    spark.range(100).coalesce(1).write.option("maxRecordsPerFile", 30).parquet(f"{bucket.url}/four")
    assert len(parts(bucket.folder / "four")) == 4
    assert spark.read.parquet(f"{bucket.url}/four").count() == 100


def test_nothing_written_keeps_its_schema(spark, bucket):
    spark.range(0).write.parquet(f"{bucket.url}/none")
    df = spark.read.parquet(f"{bucket.url}/none")
    assert df.columns == ["id"]
    assert df.count() == 0


def test_partitions(spark, people, bucket):
    people.write.partitionBy("country").parquet(f"{bucket.url}/t")
    assert sorted(path.name for path in (bucket.folder / "t").iterdir() if path.is_dir()) == ["country=NL", "country=UK", "country=US"]
    df = spark.read.parquet(f"{bucket.url}/t")
    assert df.columns == ["name", "age", "country"]
    assert bag(df.filter("country = 'UK'").select("name")) == [("Ada",), ("Alan",)]
    assert spark.read.parquet(f"{bucket.url}/t/country=UK").columns == ["name", "age"]
    based = spark.read.option("basePath", f"{bucket.url}/t").parquet(f"{bucket.url}/t/country=UK")
    assert based.columns == ["name", "age", "country"]


def test_types_of_partitions(spark, bucket):
    data = [(1, 2026, "2026-01-02", "a b/c"), (2, 2027, "2026-01-03", None)]
    df = spark.createDataFrame(data, "id int, y int, d string, s string")
    df.write.partitionBy("y", "d", "s").parquet(f"{bucket.url}/t")
    found = spark.read.parquet(f"{bucket.url}/t")
    assert [kind for _, kind in found.dtypes] == ["int", "int", "date", "string"]
    assert {row[3] for row in rows(found)} == {"a b/c", None}
    spark.conf.set("spark.sql.sources.partitionColumnTypeInference.enabled", "false")
    assert [kind for _, kind in spark.read.parquet(f"{bucket.url}/t").dtypes] == ["int", "string", "string", "string"]


def test_static_and_dynamic_overwrite(spark, bucket):
    url = f"{bucket.url}/t"
    whole = spark.createDataFrame([(1, "a"), (2, "b")], "id int, k string")
    part = spark.createDataFrame([(9, "b")], "id int, k string")
    whole.write.partitionBy("k").parquet(url)
    part.write.mode("overwrite").option("partitionOverwriteMode", "dynamic").partitionBy("k").parquet(url)
    assert bag(spark.read.parquet(url)) == [(1, "a"), (9, "b")]
    spark.conf.set("spark.sql.sources.partitionOverwriteMode", "dynamic")
    part.withColumn("id", F.lit(10)).write.mode("overwrite").partitionBy("k").parquet(url)
    assert bag(spark.read.parquet(url)) == [(1, "a"), (10, "b")]
    spark.conf.set("spark.sql.sources.partitionOverwriteMode", "static")
    part.write.mode("overwrite").partitionBy("k").parquet(url)
    assert bag(spark.read.parquet(url)) == [(9, "b")]


def test_wrong_columns_of_partitions(spark, bucket):
    with pytest.raises(AnalysisException):
        spark.range(1).write.partitionBy("nothing").parquet(f"{bucket.url}/t")
    with pytest.raises(AnalysisException):
        spark.range(1).write.partitionBy("id").parquet(f"{bucket.url}/t")


def test_names_that_a_file_cannot_hold_twice(spark, bucket):
    df = spark.range(1).select(F.lit(1).alias("a"), F.lit(2).alias("A"))
    with pytest.raises(AnalysisException) as raised:
        df.write.parquet(f"{bucket.url}/t")
    assert raised.value.getCondition() == "COLUMN_ALREADY_EXISTS"


def test_a_failed_write_leaves_nothing(spark, bucket):
    df = spark.range(1000, numPartitions=4).select(F.when(F.col("id") == 900, F.raise_error(F.lit("stop"))).otherwise(F.col("id")).alias("x"))
    with pytest.raises(PySparkException):
        df.write.parquet(f"{bucket.url}/t")
    assert parts(bucket.folder / "t") == []
    assert not (bucket.folder / "t" / "_SUCCESS").exists()


def test_a_failed_overwrite_keeps_what_was_there(spark, bucket):
    url = f"{bucket.url}/t"
    spark.range(7).write.parquet(url)
    df = spark.range(10).select(F.when(F.col("id") == 9, F.raise_error(F.lit("stop"))).otherwise(F.col("id")).alias("id"))
    with pytest.raises(PySparkException):
        df.write.mode("overwrite").parquet(url)
    assert spark.read.parquet(url).count() == 7


def test_two_writers_append(connect, bucket):
    url = f"{bucket.url}/t"
    failures = []

    def append(session, number):
        try:
            session.range(1000).withColumn("w", F.lit(number)).write.mode("append").parquet(url)
        except Exception as error:
            failures.append(error)

    sessions = [connect() for _ in range(2)]
    threads = [threading.Thread(target=append, args=(session, n)) for n, session in enumerate(sessions) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert bag(sessions[0].read.parquet(url).groupBy("w").count()) == [(0, 3000), (1, 3000)]


def test_two_writers_overwrite(connect, bucket):
    """Either may win; what is there afterwards is whole."""
    url = f"{bucket.url}/t"
    failures = []

    def overwrite(session, number):
        try:
            session.range(1000, numPartitions=3).withColumn("w", F.lit(number)).write.mode("overwrite").parquet(url)
        except Exception as error:
            failures.append(error)

    sessions = [connect() for _ in range(2)]
    threads = [threading.Thread(target=overwrite, args=(session, n)) for n, session in enumerate(sessions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert (bucket.folder / "t" / "_SUCCESS").exists()
    counts = bag(sessions[0].read.parquet(url).groupBy("w").count())
    assert {count for _, count in counts} == {1000}


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("mounting a file system is not allowed here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk(spark, small_disk):
    spark.range(10).write.parquet(f"{small_disk}/t")
    large = spark.range(400_000, numPartitions=4).select(F.sha2(F.col("id").cast("string"), 256).alias("text"))
    for mode in ("append", "overwrite"):
        with pytest.raises(PySparkException) as raised:
            large.write.mode(mode).parquet(f"{small_disk}/t")
        assert raised.value.getCondition() != "INTERNAL_ERROR"
        assert len([path for path in small_disk.rglob("*.parquet") if path.is_file()]) == len(parts(small_disk / "t"))
        assert spark.read.parquet(f"{small_disk}/t").count() == 10
        assert not (small_disk / "t" / "_temporary").exists()


def test_one_file_per_partition_and_task(spark, bucket):
    """However the rows come, a task ends one file before it begins the next."""
    df = spark.range(10_000).withColumn("k", F.col("id") % 50).coalesce(1)
    df.write.partitionBy("k").parquet(f"{bucket.url}/t")
    assert len(parts(bucket.folder / "t")) == 50
    sorted_first = spark.range(1000).withColumn("k", F.col("id") % 3).coalesce(1).sortWithinPartitions(F.desc("id"))
    sorted_first.write.partitionBy("k").json(f"{bucket.url}/s")
    assert column(spark.read.json(f"{bucket.url}/s/k=1").select("id"))[:3] == [997, 994, 991]


def test_sorted_files(spark, bucket):
    spark.range(100).sort(F.desc("id")).coalesce(1).write.json(f"{bucket.url}/t")
    assert column(spark.read.json(f"{bucket.url}/t")) == list(range(99, -1, -1))


def test_insert_overwrite_directory(spark, bucket):
    spark.sql(f"INSERT OVERWRITE DIRECTORY '{bucket.url}/t' USING json SELECT 1 AS a, 'x' AS b")
    assert rows(spark.read.json(f"{bucket.url}/t")) == [(1, "x")]


def test_many_partitions(spark, bucket):
    df = spark.range(1000).withColumn("k", F.col("id") % 50)
    df.write.partitionBy("k").parquet(f"{bucket.url}/t")
    found = spark.read.parquet(f"{bucket.url}/t")
    assert found.count() == 1000
    assert found.filter("k = 7").count() == 20
    assert bag(found.groupBy("k").count().groupBy("count").count()) == in_any_order((20, 50))
