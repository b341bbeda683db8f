"""Recorded liquidations as an input: what was usual decides what counts as a cascade, and nothing else."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from frames import random_candles, small_config

from liqfeature import ConfigError, DataError, HeatmapConfig, MissingColumnError, liquidation_features
from liqfeature.cascade import CascadeRule
from liqfeature.config import with_share
from liqfeature.heatmap import join_candles, walk_candles
from liqfeature.liquidations import usual_liquidations

CONFIG = with_share(small_config(), 0.02)
CANDLES = random_candles(CONFIG.warmup + 300, seed=3, volatility=0.002)
INTERVAL = 300_000
CASCADES = ["liq_cascade_above", "liq_cascade_below"]


def totals_of(candles: pd.DataFrame, seed: int = 0, every: int = 1, scale: float = 1.0) -> pd.DataFrame:
    """Totals of every `every`-th candle on."""
    date = candles["date"].iloc[::every].reset_index(drop=True)
    amounts = np.random.default_rng(seed).lognormal(0, 1, (2, len(date))) * scale
    return pd.DataFrame({"date": date, "long": amounts[0], "short": amounts[1]})


def times_of(candles: pd.DataFrame) -> np.ndarray:
    return candles["date"].dt.as_unit("ms").astype("int64").to_numpy()


def features_with(totals: pd.DataFrame | None, config: HeatmapConfig = CONFIG, **kw: Any) -> pd.DataFrame:
    return liquidation_features(kw.pop("candles", CANDLES), config, liquidations=totals, **kw)


@pytest.mark.parametrize(("every", "delay"), [(1, 0), (1, INTERVAL), (4, 0), (4, INTERVAL)])
def test_the_usual_is_the_mean_of_whole_periods_that_were_known(every: int, delay: int) -> None:
    lookback = 24
    candles = random_candles(160, seed=1, start="2026-01-01")
    totals = totals_of(candles, every=every)
    totals.loc[20, "long"] = np.nan  # the recorder was off
    totals = totals.drop(index=30)
    time = times_of(candles)
    got = usual_liquidations(totals, time, INTERVAL, lookback, delay=delay)
    known_at = times_of(totals) + every * INTERVAL + delay
    for t, opening in enumerate(time):
        known = totals[known_at <= opening + INTERVAL].tail(lookback // every)
        span = lookback * INTERVAL - every * INTERVAL
        newest = (opening + INTERVAL - delay) // (every * INTERVAL) * every * INTERVAL - every * INTERVAL
        whole = len(known) == lookback // every and times_of(known)[0] == newest - span
        for side, column in enumerate(("long", "short")):
            want = known[column].sum(skipna=False) / lookback if whole else np.nan
            assert got[side, t] == pytest.approx(want, rel=1e-12, nan_ok=True), (t, column)
    assert np.isfinite(got).sum() > 100


def test_only_the_cascade_refers_to_what_was_recorded() -> None:
    plain, told = features_with(None), features_with(totals_of(CANDLES))
    pd.testing.assert_frame_equal(told.drop(columns=CASCADES), plain.drop(columns=CASCADES))
    for column in CASCADES:
        assert (told[column] != plain[column]).sum() > 200


def test_without_a_whole_lookback_of_recordings_the_map_s_own_level_stands() -> None:
    gaps = totals_of(CANDLES)
    gaps.loc[:: CONFIG.lookback - 1, ["long", "short"]] = np.nan
    pd.testing.assert_frame_equal(features_with(gaps), features_with(None))
    pd.testing.assert_frame_equal(features_with(totals_of(CANDLES).iloc[:0]), features_with(None))
    silent = totals_of(CANDLES, scale=0.0)  # a level of nothing would always be exceeded
    pd.testing.assert_frame_equal(features_with(silent), features_with(None))


def test_the_more_is_usual_the_less_probable_a_cascade() -> None:
    little, much = (features_with(totals_of(CANDLES, scale=scale))[CASCADES] for scale in (1.0, 10.0))
    known = little.notna()
    assert ((much <= little) | ~known).all().all()
    assert (much < little).to_numpy().mean() > 0.5


def test_the_level_is_a_multiple_of_the_usual_over_the_share_that_is_recorded() -> None:
    """Twice the share, twice the recording: the same event. Three times the surge: a third of the share."""
    cascade = CONFIG.cascade
    doubled = with_share(CONFIG, 2 * cascade.recorded_share)
    tripled = small_config(cascade=_changed(cascade, surge=3 * cascade.surge))
    want = features_with(totals_of(CANDLES))
    pd.testing.assert_frame_equal(features_with(totals_of(CANDLES, scale=2.0), doubled), want)
    got = features_with(totals_of(CANDLES, scale=1 / 3), tripled)
    pd.testing.assert_frame_equal(got, want, rtol=1e-9)


@pytest.mark.parametrize("horizon", [4, 9])
def test_a_cascade_exceeds_what_so_many_surges_would_force_within_the_horizon(horizon: int) -> None:
    config = with_share(small_config(horizon=horizon), 0.02)
    totals = totals_of(CANDLES)
    scan = walk_candles(join_candles(CANDLES, config, None, None, liquidations=totals), config)
    for side, column in enumerate(("long", "short")):
        mean = totals[column].rolling(config.lookback).mean().shift(1).to_numpy()  # known a candle later
        want = config.cascade.surge * mean * horizon / 0.02
        np.testing.assert_allclose(scan.swept[3, side, config.warmup :], want[config.warmup :], rtol=1e-9)


def test_recordings_of_an_unknown_share_are_refused() -> None:
    """Of an unknown share the same recording stands for anything."""
    message = "recorded_share must be above 0 to use recorded liquidations .*, received 0.0"
    with pytest.raises(ConfigError, match=message):
        features_with(totals_of(CANDLES), small_config())
    features_with(totals_of(CANDLES).iloc[:0], small_config())
    assert HeatmapConfig.for_exchange("binance").cascade.recorded_share > 0
    assert HeatmapConfig.for_exchange("bybit").cascade.recorded_share == 0
    own = CascadeRule(recorded_share=0.5)
    assert HeatmapConfig.for_exchange("binance", cascade=own).cascade.recorded_share == 0.5


def _changed(rule: Any, **changes: float) -> Any:
    return type(rule)(**{name: getattr(rule, name) for name in rule.__dataclass_fields__} | changes)


def test_a_row_knows_no_total_of_its_own_candle_or_later() -> None:
    totals = totals_of(CANDLES)
    want = features_with(totals)
    for row in range(CONFIG.warmup + 5, len(CANDLES), 37):
        later = totals.copy()
        later.loc[row:, ["long", "short"]] *= 1000
        pd.testing.assert_frame_equal(features_with(later).iloc[: row + 1], want.iloc[: row + 1])
        assert (features_with(later)[CASCADES].iloc[row + 1] < want[CASCADES].iloc[row + 1]).any()
        cut = features_with(totals.iloc[:row], candles=CANDLES.iloc[: row + 1])
        pd.testing.assert_series_equal(cut.iloc[-1], want.iloc[row])


@pytest.mark.parametrize("every", [1, 6])
def test_a_frame_of_warmup_candles_gives_the_last_row_to_the_last_bit(every: int) -> None:
    totals = totals_of(CANDLES, every=every)
    want = features_with(totals)
    for end in range(CONFIG.warmup, len(CANDLES), 29):
        candles = CANDLES.iloc[end - CONFIG.warmup : end]
        recent = totals[totals["date"] >= candles["date"].iloc[0]]
        got = features_with(recent, candles=candles).iloc[-1]
        np.testing.assert_array_equal(got.to_numpy(), want.iloc[end - 1].to_numpy())


@pytest.mark.parametrize(
    ("totals", "error", "message"),
    [
        (totals_of(CANDLES).drop(columns="short"), MissingColumnError, "liquidations lack column 'short'"),
        (
            totals_of(CANDLES).assign(long=-1.0),
            DataError,
            "column 'long' must be finite and at least 0, received -1.0",
        ),
        (
            totals_of(CANDLES).assign(short=np.inf),
            DataError,
            "column 'short' must be finite and at least 0, received inf",
        ),
        (totals_of(CANDLES).iloc[::-1], DataError, "column 'date' must ascend"),
        (
            totals_of(CANDLES).assign(date=lambda t: t["date"].iloc[0] + (t["date"] - t["date"].iloc[0]) / 5),
            DataError,
            "periods must be of the candles' timeframe or a multiple of it, 5 minutes, received 1",
        ),
        (
            totals_of(CANDLES).assign(date=lambda t: t["date"] + pd.Timedelta("2min")),
            DataError,
            "must hold the opening of periods of 5 minutes, received 20",
        ),
    ],
)
def test_bad_recordings_are_refused(totals: pd.DataFrame, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        features_with(totals)
