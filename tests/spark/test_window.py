"""Window functions, in Python and SQL."""

import pytest
from pyspark.errors import AnalysisException
from pyspark.sql import Window
from pyspark.sql import functions as F
from results import bag, in_any_order, rows


@pytest.fixture
def scores(spark):
    df = spark.createDataFrame(
        [("a", 1, 10), ("a", 2, 10), ("a", 3, 30), ("b", 1, 5), ("b", 2, None)], "team string, day int, points int"
    )
    df.createOrReplaceTempView("scores")
    return df


def by_day(df, *functions):
    return rows(df.select("team", "day", *functions).orderBy("team", "day"))


def test_ranks(scores):
    window = Window.partitionBy("team").orderBy("points")
    ranks = by_day(
        scores, F.row_number().over(Window.partitionBy("team").orderBy("day")), F.rank().over(window),
        F.dense_rank().over(window), F.percent_rank().over(window), F.cume_dist().over(window), F.ntile(2).over(window),
    )  # fmt: skip
    assert [row[:5] for row in ranks] == [
        ("a", 1, 1, 1, 1), ("a", 2, 2, 1, 1), ("a", 3, 3, 3, 2), ("b", 1, 1, 2, 2), ("b", 2, 2, 1, 1),
    ]  # fmt: skip
    assert [row[5] for row in ranks] == [0.0, 0.0, 1.0, 1.0, 0.0]
    assert [row[6] for row in ranks] == [2 / 3, 2 / 3, 1.0, 1.0, 0.5]


def test_lead_and_lag(scores):
    window = Window.partitionBy("team").orderBy("day")
    assert by_day(scores, F.lag("points").over(window), F.lead("points", 1, -1).over(window)) == [
        ("a", 1, None, 10), ("a", 2, 10, 30), ("a", 3, 10, -1), ("b", 1, None, None), ("b", 2, 5, -1),
    ]  # fmt: skip


def test_first_last_nth(scores):
    window = Window.partitionBy("team").orderBy("day").rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    assert by_day(scores, F.first("points").over(window), F.last("points", True).over(window), F.nth_value("points", 2).over(window)) == [
        ("a", 1, 10, 30, 10), ("a", 2, 10, 30, 10), ("a", 3, 10, 30, 10), ("b", 1, 5, 5, None), ("b", 2, 5, 5, None),
    ]  # fmt: skip


def test_running_sums(scores):
    window = Window.partitionBy("team").orderBy("day")
    assert by_day(scores, F.sum("points").over(window), F.count("points").over(window), F.avg("points").over(Window.partitionBy("team"))) == [
        ("a", 1, 10, 1, 50 / 3), ("a", 2, 20, 2, 50 / 3), ("a", 3, 50, 3, 50 / 3), ("b", 1, 5, 1, 5.0), ("b", 2, 5, 1, 5.0),
    ]  # fmt: skip


def test_peers_share_a_range(scores):
    window = Window.partitionBy("team").orderBy("points")
    sums = by_day(scores.filter("team = 'a'"), F.sum("day").over(window))
    assert sums == [("a", 1, 3), ("a", 2, 3), ("a", 3, 6)]


def test_rows_between(scores):
    window = Window.partitionBy("team").orderBy("day").rowsBetween(-1, 0)
    assert [row[2] for row in by_day(scores, F.sum("day").over(window))] == [1, 3, 5, 1, 3]
    window = Window.partitionBy("team").orderBy("day").rowsBetween(1, Window.unboundedFollowing)
    assert [row[2] for row in by_day(scores, F.sum("day").over(window))] == [5, 3, None, 2, None]


def test_range_between(scores):
    window = Window.partitionBy("team").orderBy("points").rangeBetween(-20, 0)
    sums = by_day(scores.filter("points IS NOT NULL"), F.count("*").over(window))
    assert [row[2] for row in sums] == [2, 2, 3, 1]


def test_window_in_sql(spark, scores):
    text = """
        SELECT team, day, sum(points) OVER w AS total, row_number() OVER (PARTITION BY team ORDER BY day DESC) AS n
        FROM scores WINDOW w AS (PARTITION BY team ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
        ORDER BY team, day
    """
    assert rows(spark.sql(text)) == [("a", 1, 10, 3), ("a", 2, 20, 2), ("a", 3, 50, 1), ("b", 1, 5, 2), ("b", 2, 5, 1)]


def test_qualify(spark, scores):
    text = "SELECT team, day FROM scores QUALIFY row_number() OVER (PARTITION BY team ORDER BY day DESC) = 1"
    assert bag(spark.sql(text)) == [("a", 3), ("b", 2)]


def test_range_of_intervals(spark):
    text = """
        SELECT d, count(*) OVER (ORDER BY d RANGE BETWEEN INTERVAL '1' DAY PRECEDING AND CURRENT ROW) AS n
        FROM VALUES (date'2026-01-01'), (date'2026-01-02'), (date'2026-01-05') AS t(d) ORDER BY d
    """
    assert [row[1] for row in rows(spark.sql(text))] == [1, 2, 1]


DATED = """(1, date'2017-08-01', timestamp_seconds(1501545600), 'a'), (2, date'2017-08-02', timestamp_seconds(1502000000), 'a'),
    (3, date'2020-12-31', timestamp_seconds(1609372800), 'a'), (4, date'2017-08-01', timestamp_seconds(1501545600), 'b'),
    (5, date'2017-08-03', timestamp_seconds(1503000000), 'b'), (6, NULL, NULL, 'b')"""


@pytest.mark.parametrize(
    ("order", "frame", "expected"),
    [
        ("d", "CURRENT ROW AND interval '1-1' year to month FOLLOWING", [3, 2, 3, 9, 5, 6]),
        ("d", "1 PRECEDING AND CURRENT ROW", [1, 3, 3, 4, 5, 6]),
        ("d", "INTERVAL 2 DAYS PRECEDING AND INTERVAL 1 DAY FOLLOWING", [3, 3, 3, 4, 9, 6]),
        ("d DESC", "INTERVAL 1 DAY PRECEDING AND CURRENT ROW", [3, 2, 3, 4, 5, 6]),
        ("ts", "CURRENT ROW AND interval 23 days 4 hours FOLLOWING", [3, 2, 3, 9, 5, 6]),
        ("ts", "CURRENT ROW AND interval '1 2:3:4.001' day to second FOLLOWING", [1, 2, 3, 4, 5, 6]),
        ("to_timestamp_ntz(ts)", "CURRENT ROW AND interval '1-1' year to month FOLLOWING", [3, 2, 3, 9, 5, 6]),
        ("ts", "INTERVAL 1 YEAR PRECEDING AND INTERVAL 1 DAY PRECEDING", [None, 1, None, None, 4, 6]),
        ("cast(n AS decimal(10,2))", "1.5 PRECEDING AND 0.5 FOLLOWING", [1, 3, 5, 4, 9, 11]),
        ("cast(n AS double)", "1 PRECEDING AND 1 FOLLOWING", [3, 6, 5, 9, 15, 11]),
        ("cast(n AS tinyint)", "1 PRECEDING AND CURRENT ROW", [1, 3, 5, 4, 9, 11]),
    ],
)  # fmt: skip
def test_ranges(spark, order, frame, expected):
    text = f"SELECT n, sum(n) OVER (PARTITION BY k ORDER BY {order} RANGE BETWEEN {frame}) AS s FROM VALUES {DATED} AS t(n, d, ts, k) ORDER BY n"
    assert [row[1] for row in rows(spark.sql(text))] == expected


@pytest.mark.parametrize(
    ("over", "condition"),
    [
        ("ORDER BY d RANGE BETWEEN CURRENT ROW AND interval '1 2:3:4.001' day to second FOLLOWING", "RANGE_FRAME_INVALID_TYPE"),
        ("ORDER BY ts RANGE BETWEEN CURRENT ROW AND 1 FOLLOWING", "RANGE_FRAME_INVALID_TYPE"),
        ("ORDER BY d, n RANGE BETWEEN CURRENT ROW AND 1 FOLLOWING", "RANGE_FRAME_MULTI_ORDER"),
        ("PARTITION BY k RANGE BETWEEN CURRENT ROW AND 1 FOLLOWING", "RANGE_FRAME_WITHOUT_ORDER"),
        ("ORDER BY d RANGE DATE '2024-01-01' FOLLOWING", "SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE"),
        ("ORDER BY n RANGE BETWEEN 1 FOLLOWING AND 1 PRECEDING", "SPECIFIED_WINDOW_FRAME_WRONG_COMPARISON"),
    ],
)
def test_ranges_that_make_no_sense(spark, over, condition):
    with pytest.raises(AnalysisException) as raised:
        spark.sql(f"SELECT count(n) OVER ({over}) FROM VALUES {DATED} AS t(n, d, ts, k)").collect()
    assert raised.value.getCondition() == f"DATATYPE_MISMATCH.{condition}"


def test_aggregate_inside_a_window(spark, scores):
    text = "SELECT team, sum(points), rank() OVER (ORDER BY sum(points) DESC) FROM scores GROUP BY team"
    assert bag(spark.sql(text)) == in_any_order(("a", 50, 1), ("b", 5, 2))


def test_ignore_nulls(spark, scores):
    text = "SELECT team, day, lag(points) IGNORE NULLS OVER (PARTITION BY team ORDER BY day) FROM scores ORDER BY team, day"
    assert [row[2] for row in rows(spark.sql(text))] == [None, 10, 10, None, 5]


def test_ranking_needs_an_order(scores):
    with pytest.raises(AnalysisException) as raised:
        scores.select(F.rank().over(Window.partitionBy("team"))).collect()
    assert raised.value.getCondition() == "_LEGACY_ERROR_TEMP_1037"


def test_windows_of_time(spark):
    df = spark.sql("SELECT timestamp'2026-01-01 10:07:00' AS t UNION ALL SELECT timestamp'2026-01-01 10:12:00'")
    counted = df.groupBy(F.window("t", "10 minutes")).count().orderBy("window")
    found = [(str(w[0]), str(w[1]), n) for w, n in rows(counted)]
    assert found == [
        ("2026-01-01 10:00:00", "2026-01-01 10:10:00", 1), ("2026-01-01 10:10:00", "2026-01-01 10:20:00", 1),
    ]  # fmt: skip
    sliding = df.groupBy(F.window("t", "10 minutes", "5 minutes")).count()
    assert sliding.count() == 3


def test_collect_over_a_window(scores):
    window = Window.partitionBy("team").orderBy("day")
    assert [row[2] for row in by_day(scores, F.collect_list("day").over(window))] == [[1], [1, 2], [1, 2, 3], [1], [1, 2]]


def test_groups_over_a_join_of_numbered_rows(spark, schema):
    # The rows of the build side are sorted for their numbers; those of the join are not sorted any more.
    spark.range(2000).selectExpr("id % 40 AS g", "id AS d").write.saveAsTable("days")
    spark.sql("""CREATE OR REPLACE TEMPORARY VIEW numbered AS SELECT g, d, row_number() OVER (PARTITION BY g ORDER BY d) AS n
        FROM (SELECT g, d, count(*) FROM days GROUP BY g, d)""")
    spark.conf.set("spark.sql.autoBroadcastJoinThreshold", "-1")
    rows = spark.sql("""SELECT count(*), max(before), sum(before) FROM (SELECT a.g, a.d, count(*) AS before
        FROM numbered a JOIN numbered b ON a.g = b.g AND a.n >= b.n GROUP BY a.g, a.d)""").collect()
    assert rows == [(2000, 50, 40 * 50 * 51 // 2)]
