"""pandas API on Spark: groups, windows and pivots, compared with pandas itself."""

import pytest
from pandas_beside import both, session  # noqa: F401

import pyspark.pandas as ps

WORKS = {
    "ewm": lambda lib, df: df.price.ewm(com=0.5).mean(),
    "ewm_span": lambda lib, df: df[["price", "year"]].ewm(span=3).mean(),
    "ewm_gap": lambda lib, df: df.gap.ewm(alpha=0.5).mean(),
    "ewm_ignore": lambda lib, df: df.gap.ewm(alpha=0.5, ignore_na=True).mean(),
    "interpolate": lambda lib, df: df.gap.interpolate(),
    "interpolate_limit": lambda lib, df: df.gap.interpolate(limit=1),
    "interpolate_backward": lambda lib, df: df.gap.interpolate(limit=1, limit_direction="backward"),
    "interpolate_frame": lambda lib, df: df[["gap", "price"]].interpolate(),
    "bfill": lambda lib, df: df.gap.bfill(),
    "ffill_limit": lambda lib, df: df.gap.ffill(limit=1),
    "pivot_table": lambda lib, df: df.pivot_table(values="price", index=["city"], columns="year", aggfunc="sum").sort_index(),
    "pivot_table_two": lambda lib, df: df.pivot_table(values="price", index=["city"], columns="year", aggfunc="mean").sort_index(),
    "pivot_fill": lambda lib, df: df.pivot_table(values="price", index=["city"], columns="year", aggfunc="sum", fill_value=0).sort_index(),
    "pivot": lambda lib, df: df.drop_duplicates(["city", "year"])[["city", "year", "price"]].pivot(index="city", columns="year", values="price").sort_index(),
    "groupby_keys": lambda lib, df: df.groupby("city", as_index=False).price.sum().sort_values("city").reset_index(drop=True),
    "groupby_two": lambda lib, df: df.groupby(["city", "year"]).price.sum().sort_index(),
    "groupby_first": lambda lib, df: df.groupby("city")[["year", "price"]].first().sort_index(),
    "groupby_last": lambda lib, df: df.groupby("city")[["year", "price"]].last().sort_index(),
    "groupby_head": lambda lib, df: df.groupby("city").head(1).sort_index(),
    "groupby_tail": lambda lib, df: df.groupby("city").tail(1).sort_index(),
    "groupby_std": lambda lib, df: df.groupby("city").price.std().sort_index(),
    "groupby_var": lambda lib, df: df.groupby("city").price.var().sort_index(),
    "groupby_median": lambda lib, df: df.assign(high=df.price > 3.6).groupby("high").price.median().sort_index(),
    "groupby_prod": lambda lib, df: df.groupby("city").price.prod().sort_index(),
    "groupby_nunique": lambda lib, df: df.groupby("city").year.nunique().sort_index(),
    "groupby_value_counts": lambda lib, df: df.groupby("city").year.value_counts().sort_index(),
    "groupby_idxmax": lambda lib, df: df.groupby("city").price.idxmax().sort_index(),
    "groupby_any": lambda lib, df: (df.assign(late=df.year > 2021).groupby("city").late.any()).sort_index(),
    "groupby_cumcount": lambda lib, df: df.groupby("city").cumcount().sort_index(),
    "groupby_cummax": lambda lib, df: df.groupby("city").price.cummax().sort_index(),
    "groupby_cumprod": lambda lib, df: df.groupby("city").price.cumprod().sort_index(),
    "groupby_diff": lambda lib, df: df.groupby("city").price.diff().sort_index(),
    "groupby_shift": lambda lib, df: df.groupby("city").price.shift(1).sort_index(),
    "groupby_fillna": lambda lib, df: df.groupby("city").gap.ffill().sort_index(),
    "groupby_filter": lambda lib, df: df.groupby("city").filter(lambda g: len(g) > 1).sort_index(),
    "groupby_ewm": lambda lib, df: df.groupby("city").price.ewm(com=0.5).mean().sort_index(),
    "groupby_nlargest": lambda lib, df: df.groupby("city").price.nlargest(1).sort_index(),
    "groupby_skew": lambda lib, df: df.groupby("city").price.skew().sort_index(),
    "groupby_many": lambda lib, df: df.groupby("city").agg({"price": ["min", "max"], "year": ["sum"]}).sort_index(),
    "groupby_get_group": lambda lib, df: df.groupby("city").get_group("Oslo"),
    "groupby_expanding": lambda lib, df: df.groupby("city").price.expanding(2).sum().sort_index(),
    "groupby_describe": lambda lib, df: df.groupby("city")[["price"]].describe().sort_index()[[("price", "count"), ("price", "mean"), ("price", "min")]],
    "rolling_mean": lambda lib, df: df.price.rolling(3).mean(),
    "rolling_max": lambda lib, df: df.price.rolling(2).max(),
    "rolling_std": lambda lib, df: df.price.rolling(3).std(),
    "rolling_quantile": lambda lib, df: df.price.rolling(2).quantile(0.0),
    "rolling_skew": lambda lib, df: df.price.rolling(4).skew(),
    "expanding_sum": lambda lib, df: df.price.expanding(1).sum(),
    "expanding_var": lambda lib, df: df.price.expanding(2).var(),
    "cummin": lambda lib, df: df.price.cummin(),
    "cummax": lambda lib, df: df.price.cummax(),
    "cumprod": lambda lib, df: df.price.cumprod(),
    "cumsum_frame": lambda lib, df: df[["price", "gap"]].cumsum(),
    "shift_frame": lambda lib, df: df[["price", "gap"]].shift(-1),
    "diff_frame": lambda lib, df: df[["price", "gap"]].diff(2),
    "rank_dense": lambda lib, df: df.city.rank(method="dense").sort_index(),
    "rank_frame": lambda lib, df: df[["price", "year"]].rank().sort_index(),
    "aggregate": lambda lib, df: df[["year", "price"]].agg({"year": ["sum"], "price": ["max"]}).sort_index(),
    "resample": lambda lib, df: df.set_index("day")[["price"]].resample("2D").sum().rename_axis(None),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", WORKS)
def test_as_in_pandas(name):
    ps.set_option("compute.ops_on_diff_frames", True)
    both(WORKS[name])
