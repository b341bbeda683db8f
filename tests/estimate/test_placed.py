"""Maps made elsewhere in the place of the estimate: on its grid, until the next, never before they came."""

import numpy as np
import pandas as pd
import pytest

from builders.frames import CANDLE, random_candles, random_open_interest, small_config
from liqfeature import DataError, MissingColumnError, liquidation_features
from liqfeature.estimate.grid import PriceGrid
from liqfeature.estimate.placed import on_grid, stretches
from liqfeature.estimate.prepare import prepare_scan
from liqfeature.heatmap.snapshot import live_notional
from liqfeature.market.maps import BY_PRICE, KnownMaps
from liqfeature.market.market import Market
from liqfeature.sides import LONG, SHORT, SIDES

CONFIG = small_config()
CANDLES = random_candles(CONFIG.warmup + 250, seed=3, volatility=0.002)
INTEREST = random_open_interest(CANDLES, 4)
TIME = CANDLES["date"].dt.as_unit("ms").astype("int64").to_numpy()


def dated(stamp):
    return pd.to_datetime(np.asarray(stamp), unit="ms", utc=True).as_unit("ms")


def one_map(stamp, levels, available=None):
    """A frame of one map; levels are (side, low, high, notional)."""
    side, low, high, notional = zip(*levels, strict=True)
    came = stamp if available is None else available
    moments = {"date": dated([stamp] * len(side)), "available": dated([came] * len(side))}
    return pd.DataFrame({**moments, "side": side, "low": low, "high": high, "notional": notional})


def own_maps(every=1):
    """The estimate's own map at the close of every n-th candle, bin by bin."""
    scan = prepare_scan(Market.of(CANDLES, CONFIG.join_rule, open_interest=INTEREST), CONFIG)
    edge, tables = scan.reading.edge[SHORT], []
    for t in range(len(CANDLES)):
        scan.run(t, t + 1)
        if t % every == 0:
            live = live_notional(scan)
            levels = [
                (SIDES[s], edge[i], edge[i + 1], live[s, i]) for s, i in zip(*np.nonzero(live), strict=True)
            ]
            tables.append(one_map(TIME[t] + CANDLE, levels or [("long", 1.0, 1.0, 0.0)]))
    return pd.concat(tables, ignore_index=True)


def features(maps, candles=CANDLES):
    return liquidation_features(candles, CONFIG, open_interest=INTEREST, maps=maps)


READ = [
    f"liq_{what}_{where}"
    for what in (
        "distance",
        "near",
        "peak",
        "far",
        "notional",
        "density",
        "total",
        "hit",
        "fuel",
    )
    for where in ("above", "below")
]


def test_the_estimate_s_own_maps_give_its_own_columns():
    given = features(own_maps())
    own = liquidation_features(CANDLES, CONFIG, open_interest=INTEREST)
    pd.testing.assert_frame_equal(given[READ], own[READ], check_exact=False, rtol=1e-9)
    assert own[READ].notna().all(axis=1).mean() > 0.3
    assert (given["liq_quality"] <= own["liq_quality"]).all()


@pytest.mark.parametrize("seed", range(3))
def test_on_the_grid_nothing_is_lost_but_what_is_not_beyond_price(seed):
    rng, grid = np.random.default_rng(seed), PriceGrid(width=0.001)
    low = rng.uniform(90, 110, 200)
    high = low * np.where(rng.random(200) < 0.3, 1.0, 1 + rng.exponential(0.003, 200))
    held, side = rng.exponential(1, 200), rng.integers(0, 3, 200)
    maps = KnownMaps(
        first=np.array([0, 200]),
        side=side,
        low=low,
        high=high,
        notional=held,
        newest=np.zeros(1, int),
        age=np.zeros(1),
    )
    origin = 4400
    close = np.log(100.0) / 0.001 - origin
    found = on_grid(maps, 0, grid, origin=origin, n_bins=400, close=close)
    expected = np.zeros((2, 400))
    for b in range(400):
        lo, hi = ((b + origin + k) * 0.001 for k in (0, 1))
        for i in range(200):
            a, z = np.log(low[i]), np.log(high[i])
            share = float(lo <= a < hi) if z == a else max(min(z, hi) - max(a, lo), 0) / (z - a)
            for s, beyond in ((LONG, b < int(close)), (SHORT, b > int(close))):
                if beyond and side[i] in (s, 2):
                    expected[s, b] += held[i] * share
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_map_stands_until_the_next_and_what_price_touches_is_gone():
    at = CONFIG.warmup + 20
    close = CANDLES["close"].iloc[at]
    levels = [("long", close * 0.9995, close * 0.9995, 5.0), ("long", close * 0.99, close * 0.99, 3.0)]
    levels += [("short", close * 1.01, close * 1.01, 2.0)]
    found = features(one_map(TIME[at] + CANDLE, levels))
    total = found["liq_total_below"]
    assert total.iloc[at - 1 :].head(2).isna().tolist() == [True, False]
    assert total.iloc[at] == pytest.approx(8.0)
    touched = np.flatnonzero(CANDLES["low"].iloc[at + 1 :] < close * 0.999)[0] + at + 1
    assert found["liq_swept_long"].iloc[at : touched + 1].sum() == pytest.approx(0.15 * 5.0)
    assert total.iloc[touched] == pytest.approx(3.0)
    last = at + CONFIG.lookback
    assert total.iloc[last : last + 2].isna().tolist() == [False, True]
    assert found["liq_quality"].iloc[at : last + 1].is_monotonic_decreasing
    assert (found["liq_quality"].iloc[last:] == 0).all()


def test_a_side_that_is_not_told_follows_price():
    at = CONFIG.warmup + 20
    close = CANDLES["close"].iloc[at]
    levels = [(BY_PRICE, close * 0.99, close * 0.99, 3.0), (BY_PRICE, close * 1.01, close * 1.01, 2.0)]
    row = features(one_map(TIME[at] + CANDLE, levels)).iloc[at]
    assert (row["liq_total_below"], row["liq_total_above"]) == pytest.approx((3.0, 2.0))


def late_maps(seed=1):
    """Maps that arrive late, revised, and out of order."""
    rng, tables = np.random.default_rng(seed), []
    for t in range(5, len(CANDLES), 4):
        price = CANDLES["close"].iloc[t] * (1 + rng.normal(0, 0.01, 30))
        levels = [(BY_PRICE, p, p * 1.0005, x) for p, x in zip(price, rng.exponential(1, 30), strict=True)]
        for _ in range(1 + (t % 3 == 0)):
            tables.append(one_map(TIME[t], levels, TIME[t] + int(rng.integers(1, 30 * CANDLE))))
            levels = [(side, low, high, held * rng.uniform(0.5, 2)) for side, low, high, held in levels]
    return pd.concat(tables, ignore_index=True).sample(frac=1, random_state=seed)


def test_in_force_is_the_newest_map_that_had_arrived():
    maps = late_maps()
    known = KnownMaps.of(maps, TIME, CANDLE, lookback=CONFIG.lookback)
    for t in range(len(TIME)):
        came = maps[maps["available"] <= dated([TIME[t] + CANDLE])[0]]
        fresh = came[came["date"] >= dated([TIME[t] + CANDLE - CONFIG.lookback * CANDLE])[0]]
        if came.empty or fresh.empty:
            assert known.newest[t] == -1
            continue
        newest = came[came["date"] == came["date"].max()]
        newest = newest[newest["available"] == newest["available"].max()]
        held = known.notional[known.levels(known.newest[t])]
        assert sorted(held) == sorted(newest["notional"])


def test_a_row_does_not_know_maps_that_arrived_later():
    maps = late_maps()
    whole = features(maps)
    for row in (CONFIG.warmup + 3, CONFIG.warmup + 60, len(CANDLES) - 2):
        known = maps[maps["available"] <= dated([TIME[row] + CANDLE])[0]]
        part = features(known, CANDLES.iloc[: row + 1])
        pd.testing.assert_series_equal(part.iloc[-1], whole.iloc[row], check_exact=True)
        bot = features(known, CANDLES.iloc[row + 1 - CONFIG.warmup : row + 1])
        pd.testing.assert_series_equal(bot.iloc[-1], whole.iloc[row], check_exact=True)


def test_stretches_begin_where_another_map_comes():
    newest = np.array([-1, -1, 0, 0, 2, 2, 2, -1])
    assert list(stretches(newest, 0, 8)) == [(0, 2, True), (2, 4, True), (4, 7, True), (7, 8, True)]
    assert list(stretches(newest, 3, 6)) == [(3, 4, False), (4, 6, True)]


@pytest.mark.parametrize(
    ("change", "error", "reason"),
    [
        ({"side": "up"}, DataError, "column 'side' must hold long, short, by price, received 'up'"),
        ({"low": 0.0}, DataError, "low must be above 0"),
        ({"high": 1.0}, DataError, "high at least low"),
        ({"notional": -1.0}, DataError, "notional"),
        ({"available": 3}, DataError, "'available'"),
        ({"side": None}, DataError, "side"),
    ],
)
def test_what_is_no_map_is_refused(change, error, reason):
    with pytest.raises(error, match=reason):
        features(one_map(TIME[5], [("long", 90.0, 91.0, 1.0)]).assign(**change))


@pytest.mark.parametrize("name", ["date", "available", "side", "low", "high", "notional"])
def test_a_column_that_is_missing_is_named(name):
    with pytest.raises(MissingColumnError, match=f"'{name}'"):
        features(one_map(TIME[5], [("long", 90.0, 91.0, 1.0)]).drop(columns=name))
