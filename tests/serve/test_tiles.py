"""Tiles hold what the map and the columns hold, and put together they are the map."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from builders.backtests import CANDLES, CONFIG, FEATURES, KNOWN, PAIR
from builders.serving import unpack_tile
from liqfeature import HeatmapConfig, estimate_heatmap, heatmap_history, outlook
from liqfeature.errors import ConfigError
from liqfeature.heatmap.clusters import cluster_ladder
from liqfeature.serve.state import HORIZONS, Pair
from liqfeature.serve.tiles import (
    COLUMNS,
    DOTS,
    MARGIN,
    SHOWN,
    SPANS,
    Spot,
    leverage_classes,
    make_tile,
    recorded_dots,
    tile_number,
)

INTERVAL = 300_000


@pytest.fixture(scope="module")
def pair(datadir):
    from liqfeature.serve.sources import DirectorySource

    return Pair.of(1, DirectorySource(datadir=datadir).load(PAIR))


def tile(pair, level, number, leverage="all"):
    return unpack_tile(
        make_tile(pair.data, pair.features, Spot(level=level, number=number, leverage=leverage))
    )


def numbers(pair, level):
    first, last = pair.state["tiles"][level]
    return range(first, last + 1)


@pytest.mark.parametrize("level", [0, 2])
def test_tiles_side_by_side_are_the_warmed_up_candles_with_their_columns(pair, level):
    headings = [tile(pair, level, number)[0] for number in numbers(pair, level)]
    opened = [date for heading in headings for date in heading["date"]]
    closed = [date for heading in headings for date in heading["last"]]
    dates = (CANDLES["date"].astype("datetime64[ms, UTC]").astype("int64")).to_numpy()
    assert opened[0] == dates[CONFIG.warmup - 1]
    assert closed[-1] == dates[-1]
    assert [last + INTERVAL for last in closed[:-1]] == opened[1:]
    rows = FEATURES.iloc[np.searchsorted(dates, closed)]
    for name in (name for name in SHOWN if name in rows):
        served = np.array([value for heading in headings for value in heading["rows"][name]], dtype=float)
        np.testing.assert_array_equal(served, rows[name].to_numpy(), err_msg=name)
    sigma = outlook(CANDLES, CONFIG).sigma(CONFIG.horizon)[np.searchsorted(dates, closed)]
    np.testing.assert_array_equal([v for heading in headings for v in heading["rows"]["sigma"]], sigma)


def test_cells_of_the_finest_level_are_those_of_the_map_in_single_precision(pair):
    number = numbers(pair, 0)[-1]
    heading, sides = tile(pair, 0, number)
    first, last = Spot(level=0, number=number).range(INTERVAL)
    whole = heatmap_history(
        CANDLES,
        CONFIG,
        first=first,
        last=min(last, CANDLES["date"].iloc[-1]),
        margin=MARGIN,
        row_bins=1,
        open_interest=KNOWN,
    )
    np.testing.assert_array_equal(heading["edge"], whole.edge)
    for served, cells in zip(sides, whole.sides, strict=True):
        np.testing.assert_array_equal(served["time"], cells.time)
        np.testing.assert_array_equal(served["row"], cells.price)
        np.testing.assert_array_equal(served["notional"], cells.notional.astype(np.float32))
        np.testing.assert_array_equal(served["age"], cells.age.astype(np.float32))


def test_a_coarser_level_keeps_the_peak_of_every_column(pair):
    number = numbers(pair, 2)[-1]
    coarse, coarse_sides = tile(pair, 2, number)
    fine_numbers = [n for n in numbers(pair, 0) if n // SPANS[2] == number]
    for side in (0, 1):
        peaks = {}
        for n in fine_numbers:
            fine, sides = tile(pair, 0, n)
            for at, held in zip(sides[side]["time"], sides[side]["notional"], strict=True):
                column = int(np.searchsorted(coarse["date"], fine["date"][at], side="right")) - 1
                peaks[column] = max(peaks.get(column, 0.0), float(held))
        for column, peak in peaks.items():
            of_column = coarse_sides[side]["time"] == column
            assert coarse_sides[side]["notional"][of_column].max() == pytest.approx(peak, rel=1e-6)


def test_classes_of_leverage_divide_the_map_without_rest(pair):
    number = numbers(pair, 0)[-1]
    _, everything = tile(pair, 0, number)
    classes = [name for name in leverage_classes(CONFIG) if name != "all"]
    parts = [tile(pair, 0, number, name)[1] for name in classes]
    assert len(classes) == 3
    for side in (0, 1):
        total = sum(float(part[side]["notional"].sum(dtype=float)) for part in parts)
        assert total == pytest.approx(float(everything[side]["notional"].sum(dtype=float)), rel=1e-3)


@pytest.mark.parametrize(
    ("spot", "rule"),
    [
        ({"level": 0, "number": 0}, "number must be"),
        ({"level": 0, "number": 10**400}, "number must be"),
        ({"level": 0, "number": 1, "leverage": "../x"}, "leverage"),
    ],
)
def test_a_tile_that_is_not_there_is_refused(pair, spot, rule):
    with pytest.raises(ConfigError, match=rule):
        make_tile(pair.data, pair.features, Spot(**spot))


@pytest.mark.parametrize("level", [-1, len(SPANS)])
def test_a_level_that_is_not_there_is_refused(level):
    with pytest.raises(ConfigError, match="level"):
        Spot(level=level, number=0)


def test_a_moment_lies_in_the_tile_of_its_number():
    date = pd.Timestamp("2026-02-03 04:05", tz="UTC")
    for level in range(len(SPANS)):
        first, last = Spot(level=level, number=tile_number(date, level, INTERVAL)).range(INTERVAL)
        assert first <= date <= last
        assert (last - first) / pd.Timedelta("5min") == COLUMNS * SPANS[level] - 1


def test_the_state_is_that_of_the_newest_candle(pair):
    state = pair.state
    config = HeatmapConfig.for_pair(PAIR)
    heat = estimate_heatmap(CANDLES, config, open_interest=KNOWN)
    ladder = cluster_ladder(CANDLES, config, open_interest=KNOWN)
    first = int(np.searchsorted(heat.edge, state["edge"][0]))
    assert state["close"] == CANDLES["close"].iloc[-1]
    assert state["long"] == heat.long[first : first + len(state["long"])].tolist()
    assert state["short"] == heat.short[first : first + len(state["short"])].tolist()
    assert len(state["edge"]) == len(state["long"]) + 1
    assert [rung["near"] for rung in state["above"]] == [rung.near for rung in ladder.above]
    assert [rung["notional"] for rung in state["below"]] == [rung.notional for rung in ladder.below]
    ahead = outlook(CANDLES, config)
    for band in state["fan"]["bands"]:
        for i, horizon in enumerate(HORIZONS):
            up = ahead.quantile("above", band["probability"], horizon)[-1]
            down = ahead.quantile("below", band["probability"], horizon)[-1]
            assert band["above"][i] == pytest.approx(state["close"] * (1 + up))
            assert band["below"][i] == pytest.approx(state["close"] * (1 - down))


def test_dots_are_the_recorded_orders_summed_by_column_row_and_side():
    history = heatmap_history(CANDLES, CONFIG, open_interest=KNOWN, max_times=40, margin=0.02, row_bins=3)
    rng = np.random.default_rng(1)
    n = 900
    low, high = CANDLES["low"].iloc[-400:].min(), CANDLES["high"].iloc[-400:].max()
    orders = pd.DataFrame(
        {
            "date": history.date[0] + pd.to_timedelta(rng.integers(-20, 700, n) * 100, unit="s"),
            "side": rng.choice(["long", "short"], n),
            "price": rng.uniform(0.9 * low, 1.1 * high, n),
            "notional": rng.uniform(1, 1e6, n),
        }
    ).sort_values("date", ignore_index=True)
    expected = Counter()
    ends = [*history.date[1:], history.last[-1] + pd.Timedelta("5min")]
    for order in orders.itertuples():
        for column, (begin, end) in enumerate(zip(history.date, ends, strict=True)):
            if begin <= order.date.floor("ms") < end:
                row = int(np.searchsorted(history.edge, order.price, side="right")) - 1
                if 0 <= row < len(history.price):
                    expected[column, row, int(order.side == "short")] += order.notional
    found = recorded_dots(orders, history)
    assert 0 < len(found) <= DOTS
    largest = sorted(expected.values())[-len(found) :]
    assert sorted(held for *_, held in found) == pytest.approx(largest)
    for column, row, side, held in found:
        assert held == pytest.approx(expected[column, row, side])
