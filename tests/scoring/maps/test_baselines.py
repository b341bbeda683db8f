import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from builders.frames import random_candles, random_open_interest
from liqfeature.errors import ConfigError
from liqfeature.estimate.grid import PriceGrid
from liqfeature.market.market import JoinRule, Market
from liqfeature.scoring.maps.base import Ground, Prediction
from liqfeature.scoring.maps.baselines import (
    BASELINES,
    open_interest_book,
    relative_volume,
    turnover_book,
    volume_ladder,
    volume_ladder_consumed,
    volume_spikes,
)
from liqfeature.scoring.maps.distance import distance_only, ladder_profile, path_times_volume
from liqfeature.scoring.maps.kernels.levels import Levels, Rule, Steps, walk
from liqfeature.scoring.maps.levels import LevelMap, walk_levels
from liqfeature.sides import LONG, SHORT

if TYPE_CHECKING:
    from collections.abc import Callable

WIDTH = 0.002
N_WINDOW = 60
PROFILE = np.stack([np.linspace(0.04, 0.0, N_WINDOW), np.linspace(0.0, 0.03, N_WINDOW)])
"""Unlike on the two sides, so that one cannot be taken for the other."""

LADDERS = {name: f for name, f in BASELINES.items() if name != "path x volume"}
EVERY = BASELINES | {"distance only": lambda ground: distance_only(ground, PROFILE)}

KINDS = {
    "calm": {"volatility": 0.001, "jumps": 0.0},
    "jumps": {"volatility": 0.004, "jumps": 0.05},
    "gaps": {"volatility": 0.006, "jumps": 0.02, "idle": 0.2, "gaps": 0.05},
}


def ground_of(candles: pd.DataFrame, rows: pd.DataFrame | None = None, **changes: object) -> Ground:
    aligned = Market.of(candles, JoinRule(lookback=288), open_interest=rows)
    origins = np.arange(len(candles), dtype=np.int64)
    ground = Ground(market=aligned, grid=PriceGrid(width=WIDTH), origins=origins, n_window=N_WINDOW)
    return replace(ground, **changes)


def random_ground(kind: str, n: int = 200, *, holes: float = 0.1) -> Ground:
    seed = list(KINDS).index(kind)
    candles = random_candles(n, seed, **KINDS[kind])
    return ground_of(candles, random_open_interest(candles, seed, holes=holes, lead=-5))


def cut(c: Market, stop: int) -> Market:
    given = {name: getattr(c, name) for name in c.__slots__ if name != "interval"}
    return replace(
        c, **{name: value[..., :stop] for name, value in given.items() if isinstance(value, np.ndarray)}
    )


def flat(
    prices: list[tuple[float, float, float]], volume: list[float], interest: list[float] | None = None
) -> Ground:
    """Candles from (high, low, close), and the open interest known at each close, that of a candle before."""
    high, low, close = zip(*prices, strict=True)
    date = pd.date_range("2026-01-01", periods=len(prices), freq="5min", tz="UTC")
    frame = pd.DataFrame(
        {"date": date, "open": close, "high": high, "low": low, "close": close, "volume": volume}
    )
    ground = ground_of(frame)
    if interest is None:
        return ground
    rows = np.arange(len(prices))
    known = {"open_interest": np.array(interest, dtype=float), "late_first": np.maximum(rows - 1, 0)}
    return replace(ground, market=replace(ground.market, **known, late_stop=rows))


def at(ground: Ground, prediction: Prediction, row: int, side: int) -> dict[int, float]:
    """What stands in the window of an origin: amount by bin."""
    price_bin = math.floor(math.log(ground.market.close[ground.origins[row]]) / WIDTH)
    away = -1 if side == LONG else 1
    window = prediction.window[row, side]
    return {price_bin + away * (1 + int(i)): float(window[i]) for i in np.flatnonzero(window)}


def bin_of(price: float) -> int:
    return math.floor(math.log(price) / WIDTH)


# --- the twins -------------------------------------------------------------------------------------------


class Twin:
    """Levels in a dict, keyed by tier, side and bin; what a baseline does with them is told by its step."""

    def __init__(self, ground: Ground) -> None:
        self.ground, self.c = ground, ground.market
        self.levels: dict[tuple[int, int, int], float] = {}
        self.close = self.c.close.tolist()

    def run(self, step: "Callable[[Twin, int], None]") -> Prediction:
        g, n = self.ground, len(self.close)
        window = np.zeros((g.origins.size, 2, g.n_window))
        self.swept = np.zeros((2, n))
        for t in range(n):
            step(self, t)
            for row in np.flatnonzero(g.origins == t):
                for (_, side, b), amount in self.levels.items():
                    i = bin_of(self.close[t]) - 1 - b if side == LONG else b - 1 - bin_of(self.close[t])
                    if 0 <= i < g.n_window:
                        window[row, side, i] += amount
        return Prediction(swept=self.swept, window=window)

    def before(self, t: int) -> float:
        return self.close[max(t - 1, 0)]

    def crossed(self, t: int, side: int, b: int) -> bool:
        if side == LONG:
            return bin_of(self.c.low[t]) <= b <= bin_of(self.before(t))
        return bin_of(self.before(t)) <= b <= bin_of(self.c.high[t])

    def record(self, t: int) -> None:
        for (_, side, b), amount in self.levels.items():
            self.swept[side, t] += amount * self.crossed(t, side, b)

    def consume(self, t: int) -> None:
        self.record(t)
        self.levels = {k: a for k, a in self.levels.items() if not self.crossed(t, k[1], k[2])}

    def add(self, tier: int, side: int, b: int, amount: float) -> None:
        if amount > 0:
            self.levels[tier, side, b] = self.levels.get((tier, side, b), 0.0) + amount

    def typical(self, t: int) -> float:
        return (self.c.high[t] + self.c.low[t] + 2 * self.c.close[t]) / 4


def step_volume_ladder(twin: Twin, t: int) -> None:
    twin.record(t)
    repeat_turnover(twin, t)


def repeat_turnover(twin: Twin, t: int) -> None:
    for leverage in (10, 25, 50, 100):
        part = twin.c.volume[t] * twin.typical(t) / 4
        for side, price in ((LONG, 1 - 1 / leverage), (SHORT, 1 + 1 / leverage)):
            twin.add(leverage, side, bin_of(twin.typical(t) * price), part)


def step_volume_ladder_consumed(twin: Twin, t: int) -> None:
    twin.consume(t)
    old, close = dict(twin.levels), bin_of(twin.close[t])
    repeat_turnover(twin, t)
    twin.levels = {
        key: amount
        for key, amount in twin.levels.items()
        if key in old or (key[2] < close if key[1] == LONG else key[2] > close)
    }


def step_turnover_book(twin: Twin, t: int) -> None:
    c = twin.c
    half_life = {10: 5.0, 25: 2.0, 50: 1.0, 100: 0.5}
    days = (c.tick[t] - c.tick[max(t - 1, 0)]) * c.interval / 86_400_000
    lowest = min(bin_of(c.low[t]), bin_of(twin.before(t)))
    highest = max(bin_of(c.high[t]), bin_of(twin.before(t)))
    twin.levels = {k: a * 2 ** (-days / half_life[k[0]]) for k, a in twin.levels.items()}
    twin.record(t)
    twin.levels = {k: a for k, a in twin.levels.items() if not lowest <= k[2] <= highest}
    known = [x for x in c.open_interest[:t] if not math.isnan(x)]
    growth = 0.0
    if known and not math.isnan(c.open_interest[t]):
        ratio = c.open_interest[t] / known[-1]
        growth = ratio - 1 if ratio <= 2 else 0.0
    notional = c.volume[t] * twin.typical(t) * min(max(1 + 8 * max(growth, 0), 1), 3)
    standing = {10: 0.15, 25: 0.20, 50: 0.30, 100: 0.35}
    seed = {x: standing[x] / half_life[x] for x in standing}
    for x in seed:
        for price, share in ((c.close[t], 0.45), (c.high[t], 0.275), (c.low[t], 0.275)):
            for side, ratio in ((LONG, 1 - 1 / x), (SHORT, 1 + 1 / x)):
                for step, tap in ((-1, 0.25), (0, 0.5), (1, 0.25)):
                    amount = notional / 2 * share * seed[x] / sum(seed.values()) * tap
                    twin.add(x, side, bin_of(price * ratio) + step, amount)


def step_open_interest_book(twin: Twin, t: int) -> None:
    twin.consume(t)
    c = twin.c
    known = [x for x in c.open_interest[:t] if not math.isnan(x)]
    if not known or math.isnan(c.open_interest[t]) or not 0.5 <= c.open_interest[t] / known[-1] <= 2:
        return
    first, last = c.late_first[t], c.late_stop[t] - 1  # the candles in which it changed
    price, before = c.close[max(last, 0)], c.close[max(first - 1, 0)]
    change = (c.open_interest[t] - known[-1]) * price
    if change < 0:
        total = math.fsum(twin.levels.values())
        share = 1 - min(-change / total, 1) if total else 0.0
        twin.levels = {k: a * share for k, a in twin.levels.items() if share}
    side = LONG if price >= before else SHORT
    for x, weight in ((5, 0.15), (10, 0.30), (25, 0.25), (50, 0.20), (100, 0.10)):
        distance = 1 / x - 0.004 / x
        b = bin_of(price * (1 - distance if side == LONG else 1 + distance))
        if b < bin_of(c.close[t]) if side == LONG else b > bin_of(c.close[t]):
            twin.add(x, side, b, change * weight)


def step_relative_volume(twin: Twin, t: int) -> None:
    twin.consume(t)
    recent = twin.c.volume[max(t - 199, 0) : t + 1].tolist()
    mean = math.fsum(recent) / len(recent)
    strength = recent[-1] / mean if mean else 0.0
    for x in (5, 20, 100):
        offset = 1 / x + 0.005 + 0.01 / x
        twin.add(x, LONG, bin_of(twin.c.low[t] * (1 - offset)), strength)
        twin.add(x, SHORT, bin_of(twin.c.high[t] * (1 + offset)), strength)


def step_volume_spikes(twin: Twin, t: int) -> None:
    twin.consume(t)
    c, opening = twin.c, twin.before(t)
    strength = 0
    if t >= 12:
        mean = math.fsum(c.volume[t - 12 : t + 1]) / 13
        strength = sum(c.volume[t] > mean * k for k in (1.7, 2.7, 3.7))
    if strength == 0 and (c.high[t] - opening >= opening / 10 or opening - c.low[t] >= opening / 10):
        strength = 1
    if c.high[t] > opening * (1 + 1 / 333) or c.low[t] < opening * (1 - 1 / 333):
        for x in (25, 50, 100):
            long, short = bin_of(opening * (1 - 1 / x)), bin_of(opening * (1 + 1 / x))
            if long < bin_of(c.low[t]):
                twin.add(x, LONG, long, strength)
            if short > bin_of(c.high[t]):
                twin.add(x, SHORT, short, strength)


STEPS = {
    "volume ladder": step_volume_ladder,
    "volume ladder, consumed": step_volume_ladder_consumed,
    "turnover book": step_turnover_book,
    "open-interest book": step_open_interest_book,
    "relative volume": step_relative_volume,
    "volume spikes": step_volume_spikes,
}


def test_every_ladder_has_a_twin() -> None:
    assert set(STEPS) == set(LADDERS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", STEPS)
def test_windows_and_sweeps_are_those_of_a_dict_of_levels(name: str, kind: str) -> None:
    ground = random_ground(kind)
    ground = replace(ground, origins=np.array([0, 1, 13, 13, 60, 120, 198, 199]))
    got, want = LADDERS[name](ground), Twin(ground).run(STEPS[name])
    heard = np.isfinite(got.swept)
    assert got.swept.shape == want.swept.shape
    np.testing.assert_allclose(got.swept[heard], want.swept[heard], rtol=1e-9, atol=1e-9)
    heard = np.isfinite(got.window)
    np.testing.assert_allclose(got.window[heard], want.window[heard], rtol=1e-9, atol=1e-9)
    assert heard[4:].all()
    assert want.window[4:].any()
    assert kind == "calm" or want.swept.any()


@pytest.mark.parametrize("kind", KINDS)
def test_distance_alone_sums_the_profile_bin_by_bin(kind: str) -> None:
    ground = random_ground(kind, 120)
    c, got = ground.market, distance_only(ground, PROFILE)
    for t in range(c.close.size):
        recent = c.volume[max(t - 287, 0) : t + 1]
        daily = math.fsum(recent)
        interest = c.open_interest[t]
        if math.isnan(interest) or not 0.02 <= daily / interest <= 200:
            interest = daily / 4
        price_bin = bin_of(c.close[t])
        swept = [0.0, 0.0]
        for i in range(N_WINDOW):
            for side, b in ((LONG, price_bin - 1 - i), (SHORT, price_bin + 1 + i)):
                notional = interest * PROFILE[side, i] * math.exp((b + 0.5) * WIDTH)
                assert abs(got.window[t, side, i] - notional) <= 1e-9 * notional
                if t + 1 < c.close.size and bin_of(c.low[t + 1]) <= b <= bin_of(c.high[t + 1]):
                    swept[side] += notional
                elif t + 1 < c.close.size:  # leapt over by a gap
                    after = bin_of(c.high[t + 1]) < b if side == LONG else bin_of(c.low[t + 1]) > b
                    swept[side] += notional * after
        if t + 1 < c.close.size:
            np.testing.assert_allclose(got.swept[:, t + 1], swept, rtol=1e-9, atol=1e-12)
    assert not got.swept[:, 0].any()


# --- by hand ---------------------------------------------------------------------------------------------

CALM = (100.0, 100.0, 100.0)


@pytest.mark.parametrize("side", [LONG, SHORT])
def test_turnover_of_a_thousand_stands_in_four_tiers_and_price_takes_them_in_turn(side: int) -> None:
    sign = -1 if side == LONG else 1
    edges = [100 * (1 + sign * (1 / x - 0.0025)) for x in (100, 50, 25, 10)]
    for passed, _ in enumerate(edges):
        reached = 100 * (1 + sign * (1 / (100, 50, 25, 10)[passed] + 0.0025))
        move = (max(reached, 100.0), min(reached, 100.0), 100.0)
        ground = flat([CALM, move], [10.0, 0.0])
        prediction = volume_ladder_consumed(ground)
        assert prediction.swept[side].tolist() == pytest.approx([0, 250 * (passed + 1)])
        assert not prediction.swept[1 - side].any()
        assert sum(at(ground, prediction, 1, side).values()) == pytest.approx(250 * (3 - passed))
        assert at(ground, prediction, 0, side) == pytest.approx(
            {bin_of(100 * (1 + sign / x)): 250 for x in (100, 50, 25, 10)}
        )


def test_a_level_that_is_never_consumed_is_swept_each_time_and_shown_again() -> None:
    fall, calm = (100.0, 98.8, 100.0), CALM
    ground = flat([calm, fall, calm, fall, (97.0, 97.0, 97.0), calm], [10.0, 0, 0, 0, 0, 0])
    kept, gone = volume_ladder(ground), volume_ladder_consumed(ground)
    assert kept.swept[LONG].tolist() == pytest.approx([0, 250, 0, 250, 500, 0])
    assert gone.swept[LONG].tolist() == pytest.approx([0, 250, 0, 0, 250, 0])
    np.testing.assert_array_equal(kept.window[5], kept.window[0])
    assert sum(at(ground, kept, 4, LONG).values()) == pytest.approx(500)  # the others lie above price
    assert sum(at(ground, kept, 4, SHORT).values()) == pytest.approx(750)  # 110 is beyond the window


def test_what_lies_short_of_the_close_is_not_placed_by_the_ladder_that_is_consumed() -> None:
    ground = flat([(103.0, 97.0, 97.0)], [10.0])  # typical 98.5, of which 99 % is 97.5
    longs = at(ground, volume_ladder_consumed(ground), 0, LONG)
    assert set(longs) == {bin_of(98.5 * (1 - 1 / x)) for x in (50, 25, 10)}
    shorts = at(ground, volume_ladder_consumed(ground), 0, SHORT)
    assert set(shorts) == {bin_of(98.5 * (1 + 1 / x)) for x in (100, 50, 25, 10)}


def test_the_path_is_the_relative_move_times_turnover() -> None:
    prediction = path_times_volume(flat([(110, 90, 100), (105, 80, 90), (120, 95, 100)], [1.0, 2.0, 3.0]))
    assert prediction.swept[LONG].tolist() == pytest.approx([0, 0.2 * 2 * 90, 0])
    assert prediction.swept[SHORT].tolist() == pytest.approx([0, 0.05 * 2 * 90, (1 / 3) * 3 * 100])
    assert np.isnan(prediction.window).all()


def test_a_steady_flow_stands_at_its_seed_over_what_fades_in_a_candle() -> None:
    n = 20_000
    ground = replace(flat([CALM] * n, [1.0] * n), origins=np.array([n - 1]))
    standing = at(ground, turnover_book(ground), 0, LONG)
    days = {100: 0.5, 50: 1.0, 25: 2.0, 10: 5.0}
    seed = {x: w / days[x] for x, w in ((100, 0.35), (50, 0.30), (25, 0.20), (10, 0.15))}
    for x, half_life in days.items():
        b = bin_of(100 * (1 - 1 / x))
        held = sum(standing[b + i] for i in (-1, 0, 1))
        assert standing[b] == pytest.approx(held / 2)
        lost = 1 - 2 ** (-1 / (288 * half_life))
        faded = 1 - 2 ** (-n / (288 * half_life))
        assert held == pytest.approx(50 * seed[x] / sum(seed.values()) / lost * faded, rel=1e-9)


def test_a_constant_flow_stands_in_the_shares_that_the_seeds_were_chosen_for() -> None:
    n = 50_000
    ground = replace(flat([CALM] * n, [1.0] * n), origins=np.array([n - 1]))
    standing = at(ground, turnover_book(ground), 0, LONG)
    total = sum(standing.values())
    for x, share in ((100, 0.35), (50, 0.30), (25, 0.20), (10, 0.15)):
        b = bin_of(100 * (1 - 1 / x))
        assert sum(standing[b + i] for i in (-1, 0, 1)) / total == pytest.approx(share, rel=0.002)


def test_the_turnover_book_fades_by_time_and_not_by_candles() -> None:
    candles = random_candles(60, 4)
    candles.loc[20:39, ["open", "high", "low", "close"]] = candles["close"].iloc[19]
    candles.loc[20:39, "volume"] = 0.0
    whole = turnover_book(ground_of(candles))
    gap = turnover_book(ground_of(candles.drop(index=range(20, 40))))
    np.testing.assert_allclose(gap.window[-20:], whole.window[-20:], rtol=1e-9)


def test_the_turnover_book_takes_low_leverage_and_long_half_lives_for_long_candles() -> None:
    candles = random_candles(3, 1).assign(
        date=pd.date_range("2026-01-01", periods=3, freq="4h", tz="UTC"),
        high=100.0,
        low=100.0,
        open=100.0,
        close=100.0,
        volume=[1.0, 0.0, 0.0],
    )
    ground = ground_of(candles, n_window=250)
    prediction = turnover_book(ground)
    first, last = at(ground, prediction, 0, LONG), at(ground, prediction, 2, LONG)
    seed = {3: 0.15 / 60, 5: 0.2 / 30, 10: 0.3 / 14, 25: 0.35 / 5}
    for x, half_life in ((3, 60), (5, 30), (10, 14), (25, 5)):
        b = bin_of(100 * (1 - 1 / x))
        assert first[b] == pytest.approx(50 * seed[x] / sum(seed.values()) / 2)
        assert last[b] / first[b] == pytest.approx(2 ** (-1 / 3 / half_life))


@pytest.mark.parametrize(("timeframe", "leverage"), [("1h", 100), ("2h", 25)])
def test_candles_of_an_hour_are_short_ones(timeframe: str, leverage: int) -> None:
    date = pd.date_range("2026-01-01", periods=2, freq=timeframe, tz="UTC")
    prices = dict.fromkeys(["open", "high", "low", "close"], 100.0)
    ground = ground_of(pd.DataFrame({"date": date, **prices, "volume": 1.0}))
    nearest = max(at(ground, turnover_book(ground), 0, LONG)) - 1  # beside the level
    assert nearest == bin_of(100 * (1 - 1 / leverage))


@pytest.mark.parametrize(("after", "times"), [(1100, 1.8), (1500, 3.0), (900, 1.0), (math.nan, 1.0)])
def test_growing_open_interest_multiplies_the_turnover_up_to_three_times(after: float, times: float) -> None:
    plain = turnover_book(flat([CALM] * 2, [0.0, 1.0]))
    grown = turnover_book(flat([CALM] * 2, [0.0, 1.0], [1000, after]))
    np.testing.assert_allclose(grown.window, times * plain.window)


def test_the_turnover_book_clears_both_sides_over_the_whole_candle() -> None:
    wide = (104.0, 96.0, 96.0)  # seeds longs of 104 at 102.96, over the close
    ground = flat([wide, (103.5, 96.0, 103.5), (103.5, 90.0, 103.5)], [10.0, 0.0, 0.0])
    prediction = turnover_book(ground)
    assert prediction.swept[LONG, 1] == 0  # a rise liquidates no longs
    shorts = at(ground, prediction, 1, SHORT)
    assert min(shorts) > bin_of(103.5)
    longs = at(ground, prediction, 1, LONG)
    assert max(longs) < bin_of(96.0)
    touched = sum(amount for b, amount in longs.items() if b >= bin_of(90.0))
    assert prediction.swept[LONG, 2] == pytest.approx(touched, rel=0.01)  # but for five minutes' fading


def test_a_gain_of_open_interest_opens_and_a_loss_closes_in_proportion() -> None:
    prices = [CALM, (100.0, 99.5, 99.5), CALM, CALM, CALM]
    ground = flat(prices, [1.0] * 5, [1000, 1100, 1200, 1101, 1001])
    prediction = open_interest_book(ground)
    tiers = ((10, 0.30), (25, 0.25), (50, 0.20), (100, 0.10))  # 5x lies beyond the window
    longs = {bin_of(100 * (1 - 0.996 / x)): 10_000 * w for x, w in tiers}
    shorts = {bin_of(99.5 * (1 + 0.996 / x)): 9_950 * w for x, w in tiers}
    assert at(ground, prediction, 1, LONG) == pytest.approx(longs)
    assert at(ground, prediction, 1, SHORT) == {}  # the candle did not fall
    assert at(ground, prediction, 2, LONG) == pytest.approx(longs)
    assert at(ground, prediction, 2, SHORT) == pytest.approx(shorts)
    assert not prediction.swept[:, 1:].any()
    for row, share in ((3, 1 - 9_900 / 19_950), (4, (1 - 9_900 / 19_950) * (1 - 10_000 / 10_050))):
        assert at(ground, prediction, row, LONG) == pytest.approx({b: a * share for b, a in longs.items()})
        assert at(ground, prediction, row, SHORT) == pytest.approx({b: a * share for b, a in shorts.items()})


def test_a_gain_of_open_interest_belongs_to_its_candles_and_crossed_levels_are_not_placed() -> None:
    prices = [CALM, (98.0, 98.0, 98.0), (99.0, 96.0, 99.0), (99.0, 97.5, 97.5), (97.5, 97.5, 97.5)]
    ground = flat(prices, [1.0] * 5, [1000] * 4 + [1010])
    c = replace(ground.market, late_first=np.array([0, 0, 0, 0, 1]), late_stop=np.array([0, 0, 0, 0, 3]))
    ground = replace(ground, market=c)
    prediction = open_interest_book(ground)
    tiers = ((50, 0.20), (25, 0.25), (10, 0.30))  # of 100 to 99, so short; 100x at 99.986
    want = {bin_of(99 * (1 + 0.996 / x)): 990 * w for x, w in (*tiers, (100, 0.10))}
    assert at(ground, prediction, 4, SHORT) == pytest.approx(want)
    assert at(ground, prediction, 4, LONG) == {}
    risen = replace(c, close=np.array([98.0, 98.0, 99.0, 97.5, 97.5]))
    prediction = open_interest_book(replace(ground, market=risen))
    want = {bin_of(99 * (1 - 0.996 / x)): 990 * w for x, w in tiers}  # 98.01 lies over 97.5
    assert at(ground, prediction, 4, LONG) == pytest.approx(want)
    assert at(ground, prediction, 4, SHORT) == {}


def test_losing_more_open_interest_than_the_book_holds_empties_it() -> None:
    ground = flat([CALM] * 4, [1.0] * 4, [1000, 1010, 900, 910])
    totals = open_interest_book(ground).window.sum(axis=(1, 2))
    assert totals[2] == 0
    assert totals[3] == pytest.approx(totals[1])


def test_the_open_interest_book_says_nothing_until_a_change_is_known() -> None:
    nan = math.nan
    for interest, heard in (
        ([nan] * 5, [False] * 5),
        ([nan, 1000, nan, 1010, nan], [False, False, False, True, True]),
    ):
        prediction = open_interest_book(flat([CALM] * 5, [1.0] * 5, interest))
        assert np.isfinite(prediction.window).all(axis=(1, 2)).tolist() == heard
        assert np.isfinite(prediction.swept).all(axis=0).tolist() == heard
    assert prediction.window[3].sum() == pytest.approx(0.85 * 10 * 100)  # 20 % of 5x lies beyond the window


def test_a_change_of_unit_of_open_interest_is_not_trading() -> None:
    ground = flat([CALM] * 5, [1.0] * 5, [1000, 1100, 1_100_000, 1100, 1100])
    prediction = open_interest_book(ground)
    np.testing.assert_array_equal(prediction.window[4], prediction.window[1])
    assert prediction.window[1].any()


def test_a_bar_of_twice_its_usual_volume_counts_twice() -> None:
    ground = flat([(101.0, 99.0, 100.0)] * 4, [1.0, 1.0, 0.0, 2.0])
    prediction = relative_volume(ground)
    offset = 0.01 + 0.005 + 0.0001
    assert at(ground, prediction, 0, LONG)[bin_of(99 * (1 - offset))] == pytest.approx(1)
    assert at(ground, prediction, 3, LONG)[bin_of(99 * (1 - offset))] == pytest.approx(1 + 1 + 0 + 2)
    assert at(ground, prediction, 3, SHORT)[bin_of(101 * (1 + offset))] == pytest.approx(1 + 1 + 0 + 2)
    alike = relative_volume(ground, length=1)
    assert at(ground, alike, 3, LONG)[bin_of(99 * (1 - offset))] == pytest.approx(3)


@pytest.mark.parametrize(("volume", "strength"), [(1.5, 0), (2.0, 1), (4.0, 2), (6.0, 3)])
def test_spikes_of_volume_have_three_strengths(volume: float, strength: int) -> None:
    prices = [CALM] * 12 + [(100.0, 99.6, 99.8)]
    ground = flat(prices, [1.0] * 12 + [volume])
    prediction = volume_spikes(ground)
    assert not prediction.window[:12].any()
    places = {LONG: [99, 98, 96], SHORT: [101, 102, 104]} if strength else {LONG: [], SHORT: []}
    for side, levels in places.items():
        want = {bin_of(price): strength for price in levels}
        assert at(ground, prediction, 12, side) == want


def test_a_spike_needs_thirteen_bars_and_a_bar_that_moves_and_levels_outside_it() -> None:
    early = flat([CALM] * 11 + [(100.0, 99.6, 99.8)], [1.0] * 11 + [9.0])
    assert not volume_spikes(early).window.any()
    still = flat([CALM] * 12 + [(100.2, 99.8, 99.9)], [1.0] * 12 + [9.0])
    assert not volume_spikes(still).window.any()
    inside = flat([CALM] * 12 + [(100.0, 98.5, 99.8)], [1.0] * 12 + [9.0])
    assert set(at(inside, volume_spikes(inside), 12, LONG)) == {bin_of(98), bin_of(96)}
    leap = flat([CALM, (100.0, 89.9, 100.0)], [1.0, 0.0])
    assert at(leap, volume_spikes(leap), 1, SHORT) == {bin_of(p): 1 for p in (101, 102, 104)}
    assert at(leap, volume_spikes(leap), 1, LONG) == {}


def test_open_interest_at_one_distance_is_swept_when_price_covers_it() -> None:
    profile = np.zeros((2, N_WINDOW))
    profile[LONG, 4], profile[SHORT, 9] = 0.3, 0.2
    close = math.exp((2302 + 0.5) * WIDTH)
    steps = [(0, 0), (4, -4), (5, -5), (9, -9), (10, -10), (200, -200)]
    for up, down in steps:
        move = (close * math.exp(up * WIDTH), close * math.exp(down * WIDTH), close)
        ground = flat([(close, close, close), move], [40.0, 0.0], [1000, 1_000])
        swept = distance_only(ground, profile).swept
        assert swept[:, 0].tolist() == [0, 0]
        assert swept[LONG, 1] == pytest.approx((down <= -5) * 300 * close * math.exp(-5 * WIDTH))
        assert swept[SHORT, 1] == pytest.approx((up >= 10) * 200 * close * math.exp(10 * WIDTH))


def test_a_quarter_of_a_days_volume_stands_in_for_open_interest() -> None:
    n = 400
    volumes = np.arange(n, dtype=float)
    ground = flat([CALM] * n, volumes.tolist())
    window = distance_only(ground, PROFILE).window
    usual = volumes[-288:].sum() / 4
    assert window[-1, LONG, 0] == pytest.approx(usual * PROFILE[LONG, 0] * 100, rel=2 * WIDTH)
    real = replace(ground, market=replace(ground.market, open_interest=np.full(n, 5e4)))
    wrong = replace(ground, market=replace(ground.market, open_interest=np.full(n, 5e9)))
    np.testing.assert_allclose(distance_only(real, PROFILE).window[-1], window[-1] * 5e4 / usual)
    np.testing.assert_array_equal(distance_only(wrong, PROFILE).window, window)


def test_the_profile_of_a_fixed_ladder_is_where_its_levels_come_to_lie() -> None:
    grid, rate, leverages, weights = PriceGrid(width=WIDTH), 0.004, (10, 25, 100), (1, 2, 5)
    profile = ladder_profile(leverages, weights, rate, grid, N_WINDOW)
    counted = np.zeros((2, N_WINDOW))
    n = 20_000
    for x, weight in zip(leverages, weights, strict=True):
        for f in (np.arange(n) + 0.5) / n:
            close = math.exp((2302 + f) * WIDTH)
            counted[LONG, 2302 - bin_of(close * (1 - (1 / x - rate))) - 1] += weight / 8 / n
            counted[SHORT, bin_of(close * (1 + (1 / x - rate))) - 2302 - 1] += weight / 8 / n
    np.testing.assert_allclose(profile, counted, atol=2 / n)
    assert profile.sum(axis=1) == pytest.approx([1, 1])
    assert ladder_profile((3,), (1,), rate, grid, N_WINDOW).sum() == 0  # beyond the window


@pytest.mark.parametrize(
    ("leverages", "weights", "named"),
    [((250.0,), (1.0,), "leverages"), ((1.0,), (1.0,), "leverages"), ((10.0,), (), "weights"),
     ((10.0,), (0.0,), "weights"), ((10.0, 5.0), (2.0, -1.0), "weights")],
)  # fmt: skip
def test_a_profile_of_impossible_positions_is_refused(
    leverages: tuple[float, ...], weights: tuple[float, ...], named: str
) -> None:
    with pytest.raises(ConfigError, match=f"{named} must be .* received"):
        ladder_profile(leverages, weights, 0.004, PriceGrid(), 10)


def test_a_profile_of_another_window_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"profile must be of shape \(2, 60\), received \(2, 61\)"):
        distance_only(random_ground("calm", 20), np.zeros((2, N_WINDOW + 1)))


# --- invariances -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", EVERY)
def test_later_candles_change_no_earlier_row(name: str, kind: str) -> None:
    whole = random_ground(kind)
    got = EVERY[name](whole)
    for stop in (1, 2, 14, 50, 137, 199):
        part = replace(whole, market=cut(whole.market, stop), origins=whole.origins[:stop])
        early = EVERY[name](part)
        np.testing.assert_allclose(got.swept[:, :stop], early.swept, rtol=1e-12, atol=0)
        np.testing.assert_allclose(got.window[:stop], early.window, rtol=1e-12, atol=0)


@pytest.mark.parametrize("name", sorted(set(EVERY) - {"path x volume"}))
def test_what_a_candle_sweeps_is_known_before_it_closes_but_for_its_range(name: str) -> None:
    whole = random_ground("jumps", holes=0.0)
    c = whole.market
    rng = np.random.default_rng(1)
    got = EVERY[name](whole)
    for row in range(20, 200, 7):
        other = cut(c, row + 1)
        close, volume, interest = other.close.copy(), other.volume.copy(), other.open_interest.copy()
        close[row] = rng.uniform(c.low[row], c.high[row])
        volume[row] *= 5
        interest[row] *= 1.3
        other = replace(other, close=close, counted_volume=volume, open_interest=interest)
        changed = EVERY[name](replace(whole, market=other, origins=whole.origins[: row + 1]))
        np.testing.assert_array_equal(changed.swept[:, row], got.swept[:, row])
        assert not np.array_equal(changed.window[row], got.window[row]) or name == "volume spikes"


@pytest.mark.parametrize("name", EVERY)
def test_prices_in_another_currency_give_the_same_map(name: str) -> None:
    ground = random_ground("gaps")
    rate = math.exp(777 * WIDTH)
    c = ground.market
    prices = ("high", "low", "close", "touched_high", "touched_low")
    other = replace(c, **{name: rate * getattr(c, name) for name in prices})
    got, want = EVERY[name](replace(ground, market=other)), EVERY[name](ground)
    unit = 1.0 if name in ("relative volume", "volume spikes") else rate
    np.testing.assert_allclose(got.swept, want.swept * unit, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(got.window, want.window * unit, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", EVERY)
def test_a_wick_that_the_mark_price_did_not_follow_sweeps_nothing(name: str) -> None:
    """All prices between the last two closes lie in one bin, and the mark price stayed there."""
    ground = random_ground("jumps", holes=0.0)
    c, row = ground.market, 150
    low, high, close = c.low.copy(), c.high.copy(), c.close.copy()
    close[row] = close[row - 1] = math.exp((math.floor(math.log(close[row - 1]) / WIDTH) + 0.5) * WIDTH)
    low[row], high[row] = 0.9 * close[row], 1.1 * close[row]
    low[row - 1], high[row - 1] = min(low[row - 1], close[row]), max(high[row - 1], close[row])
    followed = replace(c, low=low, high=high, close=close, touched_low=low, touched_high=high)
    stayed = replace(followed, touched_low=np.maximum(low, close), touched_high=np.minimum(high, close))
    swept = [EVERY[name](replace(ground, market=market)).swept[:, row] for market in (followed, stayed)]
    assert swept[0].max() > 0
    assert swept[1].max() < 0.05 * swept[0].max()


@pytest.mark.parametrize("left", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("whole_range", [False, True])
def test_the_walk_does_to_shorts_in_a_mirror_what_it_does_to_longs(left: float, whole_range: bool) -> None:
    rng = np.random.default_rng(5)
    n, n_bins = 400, 1000
    close = np.cumsum(rng.normal(0, 4, n))
    close += 500 - (close.max() + close.min()) / 2
    high, low = close + rng.exponential(3, n), close - rng.exponential(3, n)
    distance = np.array([7.3, 21.7])
    steps = Steps(
        tick=np.cumsum(rng.integers(1, 3, n)),
        high=high,
        low=low,
        close=close,
        entry=rng.uniform(low, high, (2, 2, n)),
        share=np.array([0.4, 0.6]),
        amount=rng.exponential(1, (2, n)),
        withdrawn=rng.exponential(1, n) * (rng.random(n) < 0.3),
        bound=np.floor(np.stack([close - 5, close + 5])).astype(np.int64),
    )
    rule = Rule(
        offset=np.stack([-distance, 1.5 * distance]),
        weight=np.array([0.3, 0.7]),
        layer=np.array([0, 1]),
        kept=np.array([0.9, 0.99]),
        spread=np.array([0.25, 0.5, 0.25]),
        left=left,
        whole_range=whole_range,
    )
    mirrored = steps._replace(
        high=n_bins - low,
        low=n_bins - high,
        close=n_bins - close,
        entry=np.ascontiguousarray(n_bins - steps.entry[:, ::-1]),
        amount=np.ascontiguousarray(steps.amount[::-1]),
        bound=np.ascontiguousarray(n_bins - 1 - steps.bound[::-1]),
    )
    one = walked(steps, rule, n_bins)
    other = walked(mirrored, rule._replace(offset=np.ascontiguousarray(-rule.offset[::-1])), n_bins)
    np.testing.assert_allclose(one.swept, other.swept[::-1], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(one.window, other.window[:, ::-1], rtol=1e-9, atol=1e-9)
    assert (one.swept > 0).any(axis=1).all()


def walked(steps: Steps, rule: Rule, n_bins: int) -> Prediction:
    n = steps.tick.size
    levels = Levels(np.zeros((2, 2, n_bins)), np.ones(2), np.array([[n_bins, -1], [n_bins, -1]]))
    prediction = Prediction(swept=np.zeros((2, n)), window=np.zeros((n, 2, 30)))
    walk(steps, rule, levels, np.arange(n), prediction.swept, prediction.window)
    return prediction


def test_a_share_of_a_touched_level_can_be_left() -> None:
    ground = flat([CALM, (100.0, 89.9, 100.0), (100.0, 89.9, 100.0)], [1.0, 0.0, 0.0])
    close = ground.market.close
    level_map = LevelMap(
        amount=np.array([[8.0, 0, 0], [0, 0, 0]]),
        entry=np.stack([close, close])[None],
        share=(1.0,),
        ratio=np.array([[0.9], [1.1]]),
        weight=(1.0,),
        left=0.25,
    )
    prediction = walk_levels(ground, level_map)
    assert prediction.swept[LONG].tolist() == pytest.approx([0, 8, 2])
    assert prediction.window.sum(axis=(1, 2)).tolist() == pytest.approx([8, 2, 0.5])


def test_fading_for_a_thousand_half_lives_leaves_nothing_and_breaks_nothing() -> None:
    ground = flat([CALM] * 400, [1.0] + [0.0] * 399)
    close = ground.market.close
    amount = np.zeros((2, 400))
    amount[:, [0, 399]] = 3.0
    level_map = LevelMap(
        amount=amount,
        entry=np.stack([close, close])[None],
        share=(1.0,),
        ratio=np.array([[0.95], [1.05]]),
        weight=(1.0,),
        half_life=(1 / 288 / 10,),
    )
    totals = walk_levels(ground, level_map).window.sum(axis=(1, 2))
    assert totals[1] == pytest.approx(6 / 2**10)
    assert totals[20] == pytest.approx(6 / 2**200, rel=1e-9)
    assert totals[-1] == pytest.approx(6)


@pytest.mark.parametrize("name", EVERY)
def test_no_candles_give_an_empty_map(name: str) -> None:
    ground = ground_of(random_candles(5, 1).iloc[:0])
    prediction = EVERY[name](ground)
    assert prediction.swept.shape == (2, 0)
    assert prediction.window.shape == (0, 2, N_WINDOW)
