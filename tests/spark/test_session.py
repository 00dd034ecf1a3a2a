"""The session: how it starts, its configuration, how sessions keep apart."""

import pytest
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import SparkSession
from results import rows, value


def test_version(spark):
    assert spark.version == "4.2.0"
    assert value(spark.sql("SELECT version()")).startswith("4.2.0")


def test_builder_options(server):
    session = (
        SparkSession.builder.remote(server.url)
        .appName("orders")
        .config("spark.sql.session.timeZone", "Europe/Berlin")
        .config("spark.my.own", "yes")
        .create()
    )
    try:
        assert session.conf.get("spark.sql.session.timeZone") == "Europe/Berlin"
        assert session.conf.get("spark.my.own") == "yes"
        assert value(session.sql("SELECT current_timezone()")) == "Europe/Berlin"
    finally:
        session.stop()


def test_get_or_create_gives_the_same_session(server):
    builder = SparkSession.builder.remote(server.url)
    first = builder.create()
    try:
        assert builder.getOrCreate() is first
        assert SparkSession.getActiveSession() is first
    finally:
        first.stop()


def test_conf_get_set_unset(spark):
    key = "spark.sql.shuffle.partitions"
    before = spark.conf.get(key)
    spark.conf.set(key, 7)
    assert spark.conf.get(key) == "7"
    spark.conf.unset(key)
    assert spark.conf.get(key) == before


def test_conf_of_unknown_keys(spark):
    with pytest.raises(PySparkException) as raised:
        spark.conf.get("spark.no.such.key")
    assert raised.value.getCondition() == "SQL_CONF_NOT_FOUND"
    assert spark.conf.get("spark.no.such.key", "default") == "default"
    assert spark.conf.get("spark.no.such.key", None) is None


def test_conf_is_modifiable(spark):
    assert spark.conf.isModifiable("spark.sql.ansi.enabled")
    assert not spark.conf.isModifiable("spark.sql.warehouse.dir")
    assert not spark.conf.isModifiable("spark.no.such.key")


def test_static_conf_cannot_be_set(spark):
    with pytest.raises(AnalysisException) as raised:
        spark.conf.set("spark.sql.warehouse.dir", "elsewhere")
    assert raised.value.getCondition() in ("CANNOT_MODIFY_STATIC_CONFIG", "CANNOT_MODIFY_CONFIG")


def test_conf_get_all(spark):
    spark.conf.set("spark.my.own", "yes")
    everything = spark.conf.getAll
    assert everything["spark.my.own"] == "yes"
    assert everything["spark.sql.shuffle.partitions"] == "4"


@pytest.mark.parametrize(
    ("key", "default"),
    [
        ("spark.sql.ansi.enabled", "true"),
        ("spark.sql.caseSensitive", "false"),
        ("spark.sql.adaptive.enabled", "true"),
        ("spark.sql.autoBroadcastJoinThreshold", "10485760b"),
        ("spark.sql.sources.default", "parquet"),
        ("spark.sql.sources.partitionOverwriteMode", "STATIC"),
        ("spark.sql.timestampType", "TIMESTAMP_LTZ"),
        ("spark.sql.execution.arrow.maxRecordsPerBatch", "10000"),
    ],
)
def test_defaults_are_sparks(spark, key, default):
    assert spark.conf.get(key) == default


def test_set_in_sql(spark):
    assert rows(spark.sql("SET spark.sql.shuffle.partitions = 9")) == [("spark.sql.shuffle.partitions", "9")]
    assert spark.conf.get("spark.sql.shuffle.partitions") == "9"
    assert rows(spark.sql("SET spark.sql.shuffle.partitions")) == [("spark.sql.shuffle.partitions", "9")]
    spark.sql("RESET spark.sql.shuffle.partitions")
    assert spark.conf.get("spark.sql.shuffle.partitions") == "4"
    assert ("spark.sql.ansi.enabled" in dict(rows(spark.sql("SET")))) in (True, False)


def test_wrong_values_are_refused(spark):
    with pytest.raises(PySparkException) as raised:
        spark.conf.set("spark.sql.shuffle.partitions", "many")
    assert "spark.sql.shuffle.partitions" in str(raised.value)


def test_time_zone_in_sql(spark):
    spark.sql("SET TIME ZONE 'America/New_York'")
    assert value(spark.sql("SELECT current_timezone()")) == "America/New_York"
    spark.sql("SET TIME ZONE '+02:00'")
    assert value(spark.sql("SELECT cast(timestamp '2026-01-01 00:00:00 UTC' AS string)")) == "2026-01-01 02:00:00"


def test_sessions_keep_apart(connect):
    one, other = connect(), connect()
    one.conf.set("spark.my.own", "one")
    one.range(3).createOrReplaceTempView("mine")
    assert other.conf.get("spark.my.own", "none") == "none"
    assert not other.catalog.tableExists("mine")
    assert one.catalog.tableExists("mine")


def test_a_stopped_session_leaves_others_running(connect, server):
    staying = connect()
    leaving = SparkSession.builder.remote(server.url).create()
    assert leaving.range(1).count() == 1
    leaving.stop()
    assert staying.range(2).count() == 2


def test_clone_keeps_views_and_settings(spark):
    if not hasattr(spark, "cloneSession"):
        pytest.skip("this client cannot clone")
    spark.conf.set("spark.my.own", "yes")
    spark.range(3).createOrReplaceTempView("numbers")
    clone = spark.cloneSession()
    assert clone.conf.get("spark.my.own") == "yes"
    assert clone.table("numbers").count() == 3
    clone.conf.set("spark.my.own", "changed")
    assert spark.conf.get("spark.my.own") == "yes"
    clone.client.release_session()


def test_a_wrong_token_is_refused(server, monkeypatch):
    from pyspark.sql.connect.client import SparkConnectClient

    monkeypatch.delenv("SPARK_CONNECT_AUTHENTICATE_TOKEN")
    with pytest.raises(Exception) as raised:
        SparkConnectClient(server.url).get_configs("spark.app.name")
    assert "UNAUTHENTICATED" in str(raised.value) or "oken" in str(raised.value)


def test_tags_and_application(spark):
    spark.addTag("nightly")
    assert spark.getTags() == {"nightly"}
    spark.removeTag("nightly")
    assert spark.getTags() == set()
    assert spark.session_id
