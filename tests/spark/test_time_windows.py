"""Windows of time: tumbling, sliding, sessions. Values are those of Spark's documentation and its tests."""

import pytest
from pyspark.errors import AnalysisException
from pyspark.sql import functions as F
from results import bag, column, in_any_order, rows, types

SESSIONS = """VALUES ('A1', '2021-01-01 00:00:00'), ('A1', '2021-01-01 00:04:30'), ('A1', '2021-01-01 00:10:00'),
    ('A2', '2021-01-01 00:01:00') AS tab(a, b)"""


def times(df) -> list[tuple]:
    """Rows with moments as the time of day."""
    return [tuple(str(cell)[11:] if hasattr(cell, "hour") else cell for cell in row) for row in rows(df)]


def test_tumbling_in_sql(spark):
    text = f"""SELECT a, window.start, window.end, count(*) AS cnt FROM {SESSIONS}
        GROUP BY a, window(b, '5 minutes') ORDER BY a, start"""
    assert times(spark.sql(text)) == [
        ("A1", "00:00:00", "00:05:00", 2), ("A1", "00:10:00", "00:15:00", 1), ("A2", "00:00:00", "00:05:00", 1),
    ]  # fmt: skip


def test_sliding_in_sql(spark):
    text = f"""SELECT a, window.start, window.end, count(*) AS cnt FROM {SESSIONS}
        GROUP BY a, window(b, '10 minutes', '5 minutes') ORDER BY a, start"""
    assert times(spark.sql(text)) == [
        ("A1", "23:55:00", "00:05:00", 2), ("A1", "00:00:00", "00:10:00", 2), ("A1", "00:05:00", "00:15:00", 1),
        ("A1", "00:10:00", "00:20:00", 1), ("A2", "23:55:00", "00:05:00", 1), ("A2", "00:00:00", "00:10:00", 1),
    ]  # fmt: skip


def test_sliding_that_does_not_divide(spark):
    df = spark.sql("SELECT timestamp'2026-01-01 12:05:00' AS t")
    windows = df.select(F.window("t", "12 minutes", "5 minutes")).select("window.start", "window.end").orderBy("start")
    assert times(windows) == [("11:55:00", "12:07:00"), ("12:00:00", "12:12:00"), ("12:05:00", "12:17:00")]
    windows = df.select(F.window("t", "12 minutes", "5 minutes", "2 minutes")).select("window.start", "window.end")
    assert times(windows.orderBy("start")) == [("11:57:00", "12:09:00"), ("12:02:00", "12:14:00")]


def test_start_of_windows(spark):
    df = spark.sql("SELECT timestamp'2026-01-01 12:07:30' AS t UNION ALL SELECT timestamp'2026-01-01 12:12:00'")
    found = df.groupBy(F.window("t", "10 minutes", "10 minutes", "5 minutes")).count().select("window.start", "count")
    assert times(found) == [("12:05:00", 2)]


def test_rows_without_a_time_are_in_no_window(spark):
    df = spark.sql("SELECT * FROM VALUES (timestamp'2026-01-01 12:00:00', 1), (NULL, 2) AS t(t, n)")
    for window in (F.window("t", "10 minutes"), F.window("t", "10 minutes", "5 minutes"), F.session_window("t", "5 minutes")):
        assert set(column(df.groupBy(window).agg(F.sum("n").alias("n")), "n")) == {1}


def test_sessions_in_sql(spark):
    text = f"""SELECT a, session_window.start, session_window.end, count(*) AS cnt FROM {SESSIONS}
        GROUP BY a, session_window(b, '5 minutes') ORDER BY a, start"""
    assert times(spark.sql(text)) == [
        ("A1", "00:00:00", "00:09:30", 2), ("A1", "00:10:00", "00:15:00", 1), ("A2", "00:01:00", "00:06:00", 1),
    ]  # fmt: skip


def test_sessions_whose_gap_is_computed(spark):
    text = """SELECT a, session_window.start, session_window.end, count(*) AS cnt
        FROM VALUES ('A1', '2021-01-01 00:00:00'), ('A1', '2021-01-01 00:04:30'), ('A1', '2021-01-01 00:10:00'),
            ('A2', '2021-01-01 00:01:00'), ('A2', '2021-01-01 00:04:30') AS tab(a, b)
        GROUP BY a, session_window(b, CASE WHEN a = 'A1' THEN interval 5 minutes WHEN a = 'A2' THEN interval 1 minutes
            ELSE interval 10 minutes END)
        ORDER BY a, start"""
    assert times(spark.sql(text)) == [
        ("A1", "00:00:00", "00:09:30", 2), ("A1", "00:10:00", "00:15:00", 1),
        ("A2", "00:01:00", "00:02:00", 1), ("A2", "00:04:30", "00:05:30", 1),
    ]  # fmt: skip


def test_sessions_that_touch_are_one(spark):
    df = spark.sql("SELECT explode(sequence(timestamp'2026-01-01 00:00:00', timestamp'2026-01-01 00:20:00', interval 5 minutes)) AS t")
    found = df.union(df).groupBy(F.session_window("t", "5 minutes")).count()
    assert times(found.select("session_window.start", "session_window.end", "count")) == [("00:00:00", "00:25:00", 10)]


def test_window_time(spark):
    df = spark.createDataFrame([("2016-03-11 09:00:07", 1)], ["date", "val"])
    summed = df.groupBy(F.window(F.col("date").cast("timestamp"), "5 seconds")).agg(F.sum("val").alias("sum"))
    assert types(summed) == ["struct<start:timestamp,end:timestamp>", "bigint"]
    found = summed.select(F.window_time("window").cast("string"), "sum")
    assert rows(found) == [("2016-03-11 09:00:09.999999", 1)]
    again = summed.groupBy(F.window("window", "1 minute")).agg(F.sum("sum").alias("sum")).select("window.start", "sum")
    assert times(again) == [("09:00:00", 1)]


def test_windows_as_columns(spark):
    df = spark.sql("SELECT timestamp'2026-01-01 12:07:00' AS t, 5 AS n")
    assert times(df.withColumn("w", F.window("t", "5 minutes")).select("n", "w.start")) == [(5, "12:05:00")]
    assert len(rows(df.withColumn("w", F.window("t", "6 minutes", "2 minutes")))) == 3
    assert bag(spark.sql("SELECT max(window(t, '5 minutes').end) = timestamp'2026-01-01 12:10:00' FROM VALUES (timestamp'2026-01-01 12:07:00') AS v(t)")) == in_any_order((True,))


@pytest.mark.parametrize(
    ("window", "condition"),
    [
        ("window(t, '5 minutes', '10 minutes')", "DATATYPE_MISMATCH.PARAMETER_CONSTRAINT_VIOLATION"),
        ("window(t, '5 minutes', '5 minutes', '5 minutes')", "DATATYPE_MISMATCH.PARAMETER_CONSTRAINT_VIOLATION"),
        ("window(t, '-5 minutes')", "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE"),
    ],
)
def test_windows_that_make_no_sense(spark, window, condition):
    with pytest.raises(AnalysisException) as raised:
        spark.sql(f"SELECT {window} FROM VALUES (timestamp'2026-01-01 12:07:00') AS v(t)").collect()
    assert raised.value.getCondition() == condition


def test_two_kinds_of_windows(spark):
    with pytest.raises(AnalysisException) as raised:
        spark.sql("SELECT count(*) FROM VALUES (timestamp'2026-01-01') AS v(t) GROUP BY window(t, '1 minute'), window(t, '2 minutes')").collect()
    assert raised.value.getCondition() == "_LEGACY_ERROR_TEMP_1039"
