"""pandas API on Spark over our server, compared with pandas itself: what needs no index made of row numbers."""

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


WORKS = {
    "columns": lambda lib, df: df[["price", "city"]],
    "filter": lambda lib, df: df[df.price > 2].sort_index(),
    "loc": lambda lib, df: df.loc[[20, 40], ["city", "year"]],
    "query": lambda lib, df: df.query("year == 2021 and city == 'Oslo'"),
    "assign": lambda lib, df: df.assign(double=df.price * 2, next=lambda d: d.year + 1),
    "head": lambda lib, df: df.head(2),
    "tail": lambda lib, df: df.tail(2),
    "sort_values": lambda lib, df: df.sort_values(["city", "year"], ascending=[False, True]),
    "nlargest": lambda lib, df: df.nlargest(2, "price"),
    "describe": lambda lib, df: df[["year", "price"]].describe().loc[["count", "mean", "std", "min", "max"]],
    "sums": lambda lib, df: df[["year", "price"]].sum(),
    "groupby_sum": lambda lib, df: df.groupby("city")[["price", "year"]].sum().sort_index(),
    "groupby_agg": lambda lib, df: df.groupby("city").agg({"price": "mean", "year": "max"}).sort_index(),
    "groupby_named": lambda lib, df: df.groupby("city").agg(low=("price", "min"), n=("year", "count")).sort_index(),
    "groupby_cumsum": lambda lib, df: df.groupby("city").price.cumsum().sort_index(),
    "groupby_transform": lambda lib, df: df.groupby("city").year.transform(lambda s: s - s.min()).sort_index(),
    "groupby_apply": lambda lib, df: df.groupby("city")[["year", "price"]].apply(lambda g: g.head(1)).sort_index(),
    "groupby_size": lambda lib, df: df.groupby("city").size().sort_index(),
    "groupby_rank": lambda lib, df: df.groupby("city").price.rank().sort_index(),
    "value_counts": lambda lib, df: df.city.value_counts().sort_index(),
    "nunique": lambda lib, df: df.city.nunique(),
    "join": lambda lib, df: df[["city"]].join(df[["year"]]).sort_index(),
    "append_columns": lambda lib, df: lib.concat([df.city, df.year], axis=1).sort_index(),
    "rolling": lambda lib, df: df[["price", "year"]].rolling(2).sum(),
    "rolling_min_periods": lambda lib, df: df.price.rolling(3, min_periods=1).mean(),
    "expanding": lambda lib, df: df.year.expanding(2).max(),
    "groupby_rolling": lambda lib, df: df.groupby("city").year.rolling(2).sum().sort_index(),
    "shift": lambda lib, df: df.price.shift(1),
    "diff": lambda lib, df: df.year.diff(),
    "pct_change": lambda lib, df: df.year.pct_change(),
    "cumsum": lambda lib, df: df.year.cumsum(),
    "rank": lambda lib, df: df.price.rank().sort_index(),
    "fillna": lambda lib, df: df.fillna({"gap": 0.0}),
    "ffill": lambda lib, df: df.gap.ffill(),
    "dropna": lambda lib, df: df.dropna(),
    "isna": lambda lib, df: df.isna(),
    "replace": lambda lib, df: df.city.replace({"Oslo": "Bergen"}),
    "map": lambda lib, df: df.city.map({"Oslo": 1, "Rome": 2}),
    "apply_rows": lambda lib, df: df[["year", "price"]].apply(lambda row: row["year"] + 1, axis=1),
    "apply_columns": lambda lib, df: df[["year"]].apply(lambda column: column + 1),
    "applymap": lambda lib, df: df[["year"]].map(lambda value: value * 2) if lib is pd else df[["year"]].applymap(lambda value: value * 2),
    "transform": lambda lib, df: df[["year"]].transform(lambda column: column - 1),
    "where": lambda lib, df: df.price.where(df.price > 2, -1.0),
    "mask": lambda lib, df: df.year.mask(df.year > 2020),
    "clip": lambda lib, df: df.year.clip(2021, 2021),
    "between": lambda lib, df: df.year.between(2020, 2021),
    "isin": lambda lib, df: df[df.city.isin(["Bern", "Rome"])].sort_index(),
    "astype": lambda lib, df: df.year.astype("float64"),
    "str_upper": lambda lib, df: df.city.str.upper(),
    "str_contains": lambda lib, df: df.city.str.contains("o"),
    "str_len": lambda lib, df: df.city.str.len(),
    "str_slice": lambda lib, df: df.city.str.slice(0, 2),
    "dt_year": lambda lib, df: df.day.dt.year,
    "dt_strftime": lambda lib, df: df.day.dt.strftime("%d.%m."),
    "dt_dayofweek": lambda lib, df: df.day.dt.dayofweek,
    "set_index": lambda lib, df: df.set_index("year").sort_index()[["city"]],
    "rename": lambda lib, df: df.rename(columns={"city": "town"}),
    "drop": lambda lib, df: df.drop(columns=["day", "price", "gap"]),
    "drop_duplicates": lambda lib, df: df[["city"]].drop_duplicates().sort_values("city"),
    "duplicated": lambda lib, df: df.city.duplicated().sort_index(),
    "quantile": lambda lib, df: float(df.year.quantile(0.5)),
    "corr": lambda lib, df: round(df.year.corr(df.price), 10),
    "get_dummies": lambda lib, df: lib.get_dummies(df[["city"]], dtype="int64"),
    "to_datetime": lambda lib, df: lib.to_datetime(df.day.dt.strftime("%Y-%m-%d")),
    "index": lambda lib, df: df.index,
    "shape": lambda lib, df: df.shape,
    "idxmax": lambda lib, df: df.price.idxmax(),
    "skew": lambda lib, df: round(float(df.year.skew()), 10),
    "any_all": lambda lib, df: (bool((df.year > 2021).any()), bool((df.year > 2021).all())),
    "abs_round": lambda lib, df: (df.price - 3.14159).abs().round(2),
    "items": lambda lib, df: [name for name, _ in df.items()],
    "stack": lambda lib, df: df[["year"]].head(2).stack(),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", WORKS)
def test_as_in_pandas(name):
    ps.set_option("compute.ops_on_diff_frames", True)
    both(WORKS[name])
