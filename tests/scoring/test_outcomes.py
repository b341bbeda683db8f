"""What came after each origin: how far price went, what was liquidated where, and what rested there."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from builders.frames import CANDLE, START, random_candles
from liqfeature.estimate.grid import PriceGrid
from liqfeature.market.market import JoinRule, Market
from liqfeature.sandbox.simulation.frames import candles as candles_of
from liqfeature.sandbox.simulation.scenario import SCENARIOS
from liqfeature.sandbox.simulation.simulate import simulate
from liqfeature.sandbox.simulation.truth import true_maps
from liqfeature.scoring.maps.base import Ground
from liqfeature.scoring.outcomes import outcomes_of, price_bins, true_windows
from liqfeature.sides import LONG, SHORT

WIDTH = 0.001
PRICE_BIN = 4600
"""Prices of about 100."""


def price(bin_: float) -> float:
    """Middle of a bin, counted from that of the first close."""
    return math.exp((PRICE_BIN + bin_ + 0.5) * WIDTH)


def five_candles(n_window: int = 20) -> Ground:
    """High, low and close in bins from the first close; the map is read at rows 0 and 2."""
    bars = [(2, -2, 0), (5, -1, 3), (4, -7, -6), (1, -9, 0), (30, -3, 1)]
    high, low, close = (np.array([price(b) for b in column]) for column in zip(*bars, strict=True))
    date = pd.Timestamp(START, tz="UTC") + pd.to_timedelta(np.arange(5) * CANDLE, unit="ms")
    frame = pd.DataFrame(
        {"date": date, "open": close, "high": high, "low": low, "close": close, "volume": 1.0}
    )
    candles = Market.of(frame, JoinRule(lookback=12))
    return Ground(market=candles, grid=PriceGrid(width=WIDTH), origins=np.array([0, 2]), n_window=n_window)


def order(minutes: float, side: str, bin_: float, notional: float) -> dict[str, object]:
    """Forced order some minutes after the opening of the first candle."""
    date = pd.Timestamp(START, tz="UTC") + pd.Timedelta(minutes=minutes)
    return {"date": date, "side": side, "price": price(bin_), "notional": notional}


def forced(ground: Ground, *orders: dict[str, object], horizon: int = 2) -> dict[tuple[int, int, int], float]:
    """What is counted, by origin, side and entry of the window."""
    found = outcomes_of(ground, horizon, pd.DataFrame(list(orders))).forced
    assert found is not None
    assert found.shape == (len(ground.origins), 2, ground.n_window)
    return {tuple(map(int, at)): float(found[tuple(at)]) for at in np.argwhere(found)}


def test_how_far_price_went_by_hand() -> None:
    """From bin 0 down to -7 and up to 5 within two candles; from bin -6 down to -9 and up to 30."""
    ground = five_candles()
    assert outcomes_of(ground, 2, None).reached.tolist() == [[7, 5], [3, 20]]  # 36, but the window ends
    assert outcomes_of(ground, 1, None).reached.tolist() == [[1, 5], [3, 7]]
    assert outcomes_of(five_candles(50), 2, None).reached.tolist() == [[7, 5], [3, 36]]
    assert outcomes_of(ground, 2, None).forced is None


def test_price_that_leaves_to_one_side_reaches_nothing_on_the_other() -> None:
    ground = replace(five_candles(), origins=np.array([1]))
    assert outcomes_of(ground, 1, None).reached.tolist() == [[10, 1]]
    ground = replace(five_candles(), origins=np.array([3]))
    assert outcomes_of(ground, 1, None).reached.tolist() == [[3, 20]]
    c = five_candles().market
    above = replace(c, low=np.full(5, price(4)), high=np.full(5, price(8)))
    ground = replace(five_candles(), market=above, origins=np.array([0]))
    assert outcomes_of(ground, 2, None).reached.tolist() == [[0, 8]]


def test_the_day_of_an_origin_is_its_date() -> None:
    candles = Market.of(random_candles(600, 1), JoinRule(lookback=12))
    origins = np.array([0, 287, 288, 575])
    ground = Ground(market=candles, grid=PriceGrid(), origins=origins, n_window=5)
    first = (pd.Timestamp(START) - pd.Timestamp("1970-01-01")).days
    assert outcomes_of(ground, 12, None).day.tolist() == [first, first, first + 1, first + 1]


def test_orders_are_counted_where_they_were_filled_by_hand() -> None:
    """The closes of the origins are bin 0, until minute 15, and bin -6, from minute 15 to 25."""
    found = forced(
        five_candles(),
        order(6, "long", -1, 1.0),
        order(7, "long", -7, 2.0),
        order(8, "short", 5, 4.0),
        order(9, "long", -1, 8.0),
        order(16, "long", -9, 16.0),
        order(17, "short", -5, 32.0),
    )
    assert found == {(0, LONG, 0): 9, (0, LONG, 6): 2, (0, SHORT, 4): 4, (1, LONG, 2): 16, (1, SHORT, 0): 32}


def test_an_order_counts_from_the_close_of_the_origin_until_before_the_end_of_the_horizon() -> None:
    """The origins close after 5 and 15 minutes, and look ten minutes ahead."""
    ms = 1 / 60_000
    ground = five_candles()
    counted = [
        (minutes, sorted({origin for origin, _, _ in forced(ground, order(minutes, "long", -9, 1.0))}))
        for minutes in (0, 5 - ms, 5, 10, 15 - ms, 15, 25 - ms, 25)
    ]
    assert [origins for _, origins in counted] == [[], [], [0], [0], [0], [1], [1], []]


def test_horizons_may_overlap() -> None:
    ground = replace(five_candles(), origins=np.array([0, 1]))
    found = forced(ground, order(16, "long", -9, 1.0), horizon=3)
    assert found == {(0, LONG, 8): 1, (1, LONG, 11): 1}


def test_orders_on_the_other_side_of_price_beyond_the_window_or_in_its_own_bin_are_left_out() -> None:
    assert forced(
        five_candles(),
        order(6, "long", 3, 1.0),
        order(6, "short", -3, 1.0),
        order(6, "long", 0, 1.0),
        order(6, "short", 0, 1.0),
        order(6, "long", -21, 1.0),
        order(6, "short", 21, 1.0),
        order(6, "short", 20, 7.0),
    ) == {(0, SHORT, 19): 7}


def test_no_candle_or_order_beyond_the_horizon_counts() -> None:
    ground = replace(five_candles(), origins=np.array([0]))
    c = ground.market
    other = {name: getattr(c, name).copy() for name in ("high", "low", "close")}
    for values in other.values():
        values[3:] *= 3
    changed = replace(ground, market=replace(c, **other))
    orders = [order(6, "long", -1, 1.0), order(16, "long", -2, 1.0)]
    before = outcomes_of(ground, 2, pd.DataFrame(orders))
    after = outcomes_of(changed, 2, pd.DataFrame(orders[:1]))
    assert before.reached.tolist() == after.reached.tolist()
    np.testing.assert_array_equal(before.forced, after.forced)


def test_bins_of_prices_are_floors_of_their_logarithms() -> None:
    low, high, close = price_bins(five_candles())
    assert (low - PRICE_BIN).tolist() == [-2, -1, -7, -9, -3]
    assert (high - PRICE_BIN).tolist() == [2, 5, 4, 1, 30]
    assert (close - PRICE_BIN).tolist() == [0, 3, -6, 0, 1]


def test_what_really_rests_is_the_sandboxs_map_bin_by_bin() -> None:
    tape = simulate(SCENARIOS["reflexive"], "ETH/USDT:USDT", start=START, days=1, seed=8)
    frame = candles_of(tape, "5m")
    ground = Ground(
        market=Market.of(frame, JoinRule(lookback=12)),
        grid=PriceGrid(),
        origins=np.array([11, 100, 101, 250]),
        n_window=300,
    )
    windows = true_windows(ground, lambda dates: true_maps(tape, dates))
    width = ground.grid.width
    for i, row in enumerate(ground.origins):
        held = next(true_maps(tape, [frame["date"].iloc[row] + pd.Timedelta(minutes=5)], width=width))
        bin_of_price = math.floor(math.log(frame["close"].iloc[row]) / width)
        for side, name, sign in ((LONG, "long", -1), (SHORT, "short", 1)):
            for entry in range(300):
                at = bin_of_price + sign * (entry + 1)
                amount = held[name].get(at, 0.0)
                assert windows[i, side, entry] == pytest.approx(amount * math.exp((at + 0.5) * width))
    assert (windows.sum(axis=2) > 0).all()
