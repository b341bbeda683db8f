"""Recorded liquidations as an input, totals or single orders.

What was usual decides what counts as a cascade, and nothing else.
"""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from builders.frames import random_candles, small_config
from liqfeature import ConfigError, DataError, HeatmapConfig, MissingColumnError, liquidation_features
from liqfeature.estimate.cascade import CascadeRule
from liqfeature.estimate.prepare import walk_market
from liqfeature.market.liquidations import HEARD, totals_of, usual_liquidations
from liqfeature.market.market import Market

CONFIG = small_config().changed({"cascade.recorded_share": 0.02})
CANDLES = random_candles(CONFIG.warmup + 300, seed=3, volatility=0.002)
INTERVAL = 300_000
CASCADES = ["liq_cascade_above", "liq_cascade_below"]


def recorded(candles: pd.DataFrame, seed: int = 0, every: int = 1, scale: float = 1.0) -> pd.DataFrame:
    """Totals of every `every`-th candle on."""
    date = candles["date"].iloc[::every].reset_index(drop=True)
    amounts = np.random.default_rng(seed).lognormal(0, 1, (2, len(date))) * scale
    return pd.DataFrame({"date": date, "long": amounts[0], "short": amounts[1]})


def spread(totals: pd.DataFrame, factor: float) -> pd.DataFrame:
    """The same rows, n times as far apart."""
    first = totals["date"].iloc[0]
    return totals.assign(date=first + (totals["date"] - first) * factor)


def times_of(candles: pd.DataFrame) -> np.ndarray:
    return candles["date"].dt.as_unit("ms").astype("int64").to_numpy()


def features_with(totals: pd.DataFrame | None, config: HeatmapConfig = CONFIG, **kw: Any) -> pd.DataFrame:
    return liquidation_features(kw.pop("candles", CANDLES), config, liquidations=totals, **kw)


@pytest.mark.parametrize(("every", "delay"), [(1, 0), (1, INTERVAL), (4, 0), (4, INTERVAL)])
def test_the_usual_is_the_mean_of_whole_periods_that_were_known(every: int, delay: int) -> None:
    lookback = 24
    candles = random_candles(160, seed=1, start="2026-01-01")
    totals = recorded(candles, every=every)
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
    plain, told = features_with(None), features_with(recorded(CANDLES))
    pd.testing.assert_frame_equal(told.drop(columns=CASCADES), plain.drop(columns=CASCADES))
    for column in CASCADES:
        assert (told[column] != plain[column]).sum() > 200


def test_without_a_whole_lookback_of_recordings_the_map_s_own_level_stands() -> None:
    gaps = recorded(CANDLES)
    gaps.loc[:: CONFIG.lookback - 1, ["long", "short"]] = np.nan
    pd.testing.assert_frame_equal(features_with(gaps), features_with(None))
    pd.testing.assert_frame_equal(features_with(recorded(CANDLES).iloc[:0]), features_with(None))
    silent = recorded(CANDLES, scale=0.0)  # a level of nothing would always be exceeded
    pd.testing.assert_frame_equal(features_with(silent), features_with(None))


def test_the_more_is_usual_the_less_probable_a_cascade() -> None:
    little, much = (features_with(recorded(CANDLES, scale=scale))[CASCADES] for scale in (1.0, 10.0))
    known = little.notna()
    assert ((much <= little) | ~known).all().all()
    assert (much < little).to_numpy().mean() > 0.5


def test_the_level_is_a_multiple_of_the_usual_over_the_share_that_is_recorded() -> None:
    """Twice the share, twice the recording: the same event. Three times the surge: a third of the share."""
    doubled = CONFIG.changed({"cascade.recorded_share": 2 * CONFIG.cascade.recorded_share})
    tripled = small_config().changed(
        {"cascade.surge": 3 * CONFIG.cascade.surge, "cascade.recorded_share": 0.02}
    )
    want = features_with(recorded(CANDLES))
    pd.testing.assert_frame_equal(features_with(recorded(CANDLES, scale=2.0), doubled), want)
    got = features_with(recorded(CANDLES, scale=1 / 3), tripled)
    pd.testing.assert_frame_equal(got, want, rtol=1e-9)


@pytest.mark.parametrize("horizon", [4, 9])
def test_a_cascade_exceeds_what_so_many_surges_would_force_within_the_horizon(horizon: int) -> None:
    config = small_config(horizon=horizon).changed({"cascade.recorded_share": 0.02})
    totals = recorded(CANDLES)
    scan = walk_market(Market.of(CANDLES, config.join_rule, liquidations=totals), config)
    for side, column in enumerate(("long", "short")):
        mean = totals[column].rolling(config.lookback).mean().shift(1).to_numpy()  # known a candle later
        want = config.cascade.surge * mean * horizon / 0.02
        np.testing.assert_allclose(scan.swept[3, side, config.warmup :], want[config.warmup :], rtol=1e-9)


def test_recordings_of_an_unknown_share_are_refused() -> None:
    """Of an unknown share the same recording stands for anything."""
    message = "recorded_share must be above 0 to use recorded liquidations .*, received 0.0"
    with pytest.raises(ConfigError, match=message):
        features_with(recorded(CANDLES), small_config())
    features_with(recorded(CANDLES).iloc[:0], small_config())
    assert HeatmapConfig.for_exchange("binance").cascade.recorded_share > 0
    assert HeatmapConfig.for_exchange("bybit").cascade.recorded_share == 0
    own = CascadeRule(recorded_share=0.5)
    assert HeatmapConfig.for_exchange("binance", cascade=own).cascade.recorded_share == 0.5


def test_a_row_knows_no_total_of_its_own_candle_or_later() -> None:
    totals = recorded(CANDLES)
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
    totals = recorded(CANDLES, every=every)
    want = features_with(totals)
    for end in range(CONFIG.warmup, len(CANDLES), 29):
        candles = CANDLES.iloc[end - CONFIG.warmup : end]
        recent = totals[totals["date"] >= candles["date"].iloc[0]]
        got = features_with(recent, candles=candles).iloc[-1]
        np.testing.assert_array_equal(got.to_numpy(), want.iloc[end - 1].to_numpy())


# --- single orders ----------------------------------------------------------------------------------------

SILENCE = CONFIG.lookback * INTERVAL // 2


def orders_at(minutes: list[float], notional: float = 1.0) -> pd.DataFrame:
    """Longs and shorts in turn, some minutes after the first candle."""
    date = CANDLES["date"].iloc[0] + pd.to_timedelta(minutes, unit="min")
    side = np.where(np.arange(len(minutes)) % 2 == 0, "long", "short")
    return pd.DataFrame({"date": date, "side": side, "notional": notional})


def random_orders(seed: int = 0, per_candle: float = 0.7) -> pd.DataFrame:
    """Orders at random moments of the candles, now and then none for hours."""
    rng = np.random.default_rng(seed)
    minutes = np.cumsum(
        rng.exponential(5 / per_candle, len(CANDLES)) * rng.choice([1, 40], len(CANDLES), p=[0.99, 0.01])
    )
    minutes = minutes[minutes < 5 * len(CANDLES)]
    orders = orders_at(np.round(minutes, 3).tolist())
    return orders.assign(
        side=rng.choice(["long", "short"], len(orders)), notional=rng.lognormal(0, 1, len(orders))
    )


def naive_totals(orders: pd.DataFrame, period: int, silence: int) -> dict[int, list[float]]:
    """By opening: each period that lies wholly between two orders no farther apart than `silence`."""
    time, found = sorted(times_of(orders)), {}
    for opening in range(time[0] // period * period, time[-1], period):
        around = [t for t in time if opening - silence <= t <= opening + period + silence]
        before, after = [t for t in around if t <= opening], [t for t in around if t >= opening + period]
        chain = [t for t in around if before and after and before[-1] <= t <= after[0]]
        if chain and max(np.diff(chain)) <= silence:
            inside = orders[(times_of(orders) >= opening) & (times_of(orders) < opening + period)]
            found[opening] = [inside["notional"][inside["side"] == side].sum() for side in ("long", "short")]
    return found


@pytest.mark.parametrize("period", [INTERVAL, 12 * INTERVAL])
def test_a_period_of_orders_counts_if_it_lies_between_two_that_are_not_far_apart(period: int) -> None:
    orders = random_orders()
    totals, expected = totals_of(orders, period, silence=SILENCE), naive_totals(orders, period, SILENCE)
    known = ~np.isnan(totals.amount[0])
    opening = totals.begin + period * np.arange(known.size)
    assert opening[known].tolist() == list(expected)
    assert 0.05 < np.mean(~known) < 0.6
    np.testing.assert_allclose(totals.amount[:, known].T, list(expected.values()))


def test_orders_doable_in_the_head() -> None:
    """From 4 to 31 minutes: the periods of 5 to 30, nothing in one of them; that of 30 is not over."""
    totals = totals_of(orders_at([4, 11, 14, 18, 27, 31]), INTERVAL, silence=9 * 60_000)
    assert totals.amount[0].tolist() == pytest.approx([np.nan, 0, 1, 0, 0, 1, np.nan], nan_ok=True)
    assert totals.amount[1].tolist() == pytest.approx([np.nan, 0, 1, 1, 0, 0, np.nan], nan_ok=True)
    minutes = (totals.known[:-1] - times_of(CANDLES)[0]) / 60_000
    assert minutes.tolist() == [11, 11, 18, 27, 27, 31]
    broken = totals_of(orders_at([4, 11, 14, 18, 27, 31]), INTERVAL, silence=8 * 60_000)
    assert np.isnan(broken.amount[0]).tolist() == [True, False, False, True, True, True, True]
    nearly = totals_of(orders_at([0.2, 4.9]), INTERVAL, silence=9 * 60_000)
    assert np.isnan(nearly.amount).all()  # 94 % of a period are not all of it


def test_where_a_recorder_says_when_it_listened_that_counts() -> None:
    orders = orders_at([11, 12])
    start = times_of(CANDLES)[0]
    orders.attrs[HEARD] = [(start, start + 16 * 60_000), (start + 25 * 60_000, start + 40 * 60_000)]
    totals = totals_of(orders, INTERVAL, silence=1)
    assert totals.amount[0].tolist() == pytest.approx([0, 0, 1, np.nan, np.nan, 0, 0, 0], nan_ok=True)
    assert (totals.known == start + INTERVAL * np.arange(1, 9)).all()
    assert totals_of(orders, INTERVAL, silence=1, least_heard=0.2).amount[0, 3] == 0
    orders.attrs[HEARD] = []
    assert totals_of(orders, INTERVAL, silence=1).amount.size == 0


def test_totals_of_shorter_periods_are_summed_and_unknown_where_a_part_is() -> None:
    minute = spread(recorded(CANDLES.iloc[:61]), 0.2)
    minute.loc[7, "long"] = np.nan
    totals = totals_of(minute.drop(index=33), INTERVAL, silence=0)
    parts = minute.drop(index=60).to_dict("list")
    assert totals.begin == times_of(CANDLES)[0]
    want = np.add.reduceat(parts["short"], np.arange(0, 60, 5))
    np.testing.assert_allclose(totals.amount[1], [*want[:6], np.nan, *want[7:], np.nan])
    assert np.flatnonzero(np.isnan(totals.amount[0])).tolist() == [1, 6, 12]


def test_orders_and_their_totals_give_the_same_columns_where_each_period_is_confirmed_as_it_ends() -> None:
    """An order of next to nothing stands at the opening of each candle."""
    orders = random_orders(per_candle=3.0)
    beats = orders_at([5.0 * k for k in range(len(CANDLES) + 1)], notional=1e-9)
    both = pd.concat([orders, beats], ignore_index=True).sample(frac=1, random_state=1)
    known = totals_of(both, INTERVAL, silence=SILENCE).to_frame()
    ours, theirs = features_with(both), features_with(known)
    pd.testing.assert_frame_equal(ours, theirs)
    assert (theirs[CASCADES] != features_with(None)[CASCADES]).to_numpy()[CONFIG.warmup :].mean() > 0.5


@pytest.mark.parametrize("per_candle", [2.0, 0.2])
def test_a_row_knows_no_order_of_its_own_candle_or_later(per_candle: float) -> None:
    orders = random_orders(3, per_candle)
    want = features_with(orders)
    assert (want[CASCADES] != features_with(None)[CASCADES]).any(axis=None)
    for row in range(CONFIG.warmup + 5, len(CANDLES), 37):
        earlier = orders[orders["date"] < CANDLES["date"].iloc[row]]
        pd.testing.assert_frame_equal(features_with(earlier).iloc[: row + 1], want.iloc[: row + 1])


@pytest.mark.parametrize("per_candle", [2.0, 0.2])
def test_a_frame_of_warmup_candles_and_its_orders_give_the_last_row(per_candle: float) -> None:
    orders = random_orders(4, per_candle)
    want = features_with(orders)
    for end in range(CONFIG.warmup, len(CANDLES), 29):
        candles = CANDLES.iloc[end - CONFIG.warmup : end]
        recent = orders[orders["date"] >= candles["date"].iloc[0]]
        got = features_with(recent, candles=candles).iloc[-1]
        np.testing.assert_array_equal(got.to_numpy(), want.iloc[end - 1].to_numpy())


def test_after_the_last_order_the_usual_stands_for_half_a_lookback() -> None:
    time, lookback = times_of(CANDLES), CONFIG.lookback
    minutes = 5.0 * np.arange(100) + 1
    usual = usual_liquidations(orders_at(minutes.tolist()), time, INTERVAL, lookback, delay=INTERVAL)
    last = 98 + lookback // 2  # the period of candle 98 is the last that an order confirms
    assert np.isfinite(usual[0]).nonzero()[0].tolist() == list(range(lookback + 2, last + 2))
    assert np.ptp(usual[:, 100 : last + 2], axis=1).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("totals", "error", "message"),
    [
        (recorded(CANDLES).drop(columns="short"), MissingColumnError, "liquidations lack column 'short'"),
        (
            recorded(CANDLES).assign(long=-1.0),
            DataError,
            "column 'long' must be finite and at least 0, received -1.0",
        ),
        (
            recorded(CANDLES).assign(short=np.inf),
            DataError,
            "column 'short' must be finite and at least 0, received inf",
        ),
        (recorded(CANDLES).iloc[::-1], DataError, "column 'date' must ascend"),
        (
            spread(recorded(CANDLES), 0.4),
            DataError,
            "periods must divide 5 minutes or be a multiple of them, received 2",
        ),
        (
            spread(recorded(CANDLES), 1.6),
            DataError,
            "periods must divide 5 minutes or be a multiple of them, received 8",
        ),
        (
            recorded(CANDLES).assign(date=lambda t: t["date"] + pd.Timedelta("2min")),
            DataError,
            "must hold the opening of periods of 5 minutes, received 20",
        ),
    ],
)
def test_bad_recordings_are_refused(totals: pd.DataFrame, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        features_with(totals)
