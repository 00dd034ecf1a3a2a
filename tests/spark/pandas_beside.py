"""The same work with pandas and with pandas API on Spark."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal, assert_series_equal

import pyspark.pandas as ps


@pytest.fixture(autouse=True)
def session(spark, monkeypatch):
    """The session that pyspark.pandas finds."""
    from pyspark.sql.connect.session import SparkSession

    monkeypatch.setattr(SparkSession, "_default_session", spark)
    monkeypatch.setattr(SparkSession._active_session, "session", spark, raising=False)
    yield


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "city": ["Oslo", "Rome", "Oslo", "Bern", "Rome", "Oslo"],
            "year": [2020, 2020, 2021, 2021, 2022, 2022],
            "price": [1.5, 2.5, 3.5, 4.25, 5.5, 6.5],
            "gap": [1.0, np.nan, 3.0, np.nan, np.nan, 6.0],
            "day": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-06"]),
        },
        index=[10, 20, 30, 40, 50, 60],
    )


def both(work):
    """The same work with pandas and with Spark: equal results."""
    expected, actual = work(pd, frame()), work(ps, ps.from_pandas(frame()))
    actual = actual.to_pandas() if hasattr(actual, "to_pandas") else actual
    if isinstance(expected, pd.DataFrame):
        assert_frame_equal(actual, expected, check_dtype=False, check_freq=False)
    elif isinstance(expected, pd.Series):
        assert_series_equal(actual, expected, check_dtype=False, check_freq=False)
    elif isinstance(expected, pd.Index):
        assert list(actual) == list(expected)
    else:
        assert actual == expected
