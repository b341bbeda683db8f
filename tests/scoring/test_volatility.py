"""Rows of stated and realised volatility against naive twins, and scores on a market that keeps its word."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import erf

from builders.frames import Frames, random_candles, small_config
from builders.scans import aligned
from liqfeature import outlook
from liqfeature.estimate.reach import ReachRule
from liqfeature.market.market import JoinRule, Market
from liqfeature.scoring.score_volatility import (
    HAR,
    SIGMA,
    excursion_name,
    har_forecast,
    score_excursions,
    score_risk,
    score_volatility,
    worst_month,
)
from liqfeature.scoring.scorecard import Score
from liqfeature.scoring.volatility_rows import PROBABILITIES, TAIL, USUAL, VolatilityRows, mean_log_range
from liqfeature.types import FloatArray

CONFIG = small_config()
HORIZON = 3
CANDLES = random_candles(1500, seed=5, gaps=0.003)
MARKET = aligned(Frames(CANDLES), CONFIG)
ROWS = VolatilityRows.of(MARKET, CONFIG, HORIZON)


def by_name(scores: list[Score]) -> dict[tuple[str, str, str], float]:
    return {(s.map, s.measure, s.side): s.value for s in scores}


def test_outcomes_are_those_of_the_candles_that_follow_without_a_gap() -> None:
    high, low, close = (CANDLES[name].to_numpy() for name in ("high", "low", "close"))
    expected_ticks = (
        CANDLES["date"].astype("int64").to_numpy() // CANDLES["date"].astype("int64").diff().min()
    )
    whole = 0
    for t in range(len(CANDLES) - HORIZON):
        found = np.array([*ROWS.excursion[:, t], ROWS.ranged[t], ROWS.variance[t], ROWS.moved[t]])
        if expected_ticks[t + HORIZON] - expected_ticks[t] > HORIZON:
            assert np.isnan(found).all()
            continue
        ahead = slice(t + 1, t + 1 + HORIZON)
        steps = np.diff(np.log(close[t : t + 1 + HORIZON]))
        expected = [
            max(np.log(close[t] / low[ahead].min()), 0),
            max(np.log(high[ahead].max() / close[t]), 0),
            np.log(np.log(high[ahead].max() / low[ahead].min())),
            np.sum(steps**2),
            np.sum(steps),
        ]
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-14)
        whole += 1
    assert 1300 < whole < 1500 - HORIZON
    assert np.isnan(ROWS.excursion[:, -HORIZON:]).all()


def test_what_is_stated_is_what_the_outlook_says_as_logarithm_of_price() -> None:
    said = outlook(CANDLES, CONFIG)
    known = np.arange(len(CANDLES)) >= CONFIG.warmup - 1
    np.testing.assert_array_equal(ROWS.sigma[known], said.sigma(HORIZON)[known])
    assert np.isnan(ROWS.sigma[~known]).all()
    for i, probability in enumerate(PROBABILITIES):
        below, above = (said.quantile(where, probability, HORIZON) for where in ("below", "above"))
        np.testing.assert_allclose(ROWS.quantile[i], [-np.log(1 - below), np.log(1 + above)])
    assert (ROWS.shortfall > ROWS.quantile[PROBABILITIES.index(TAIL)])[:, known].all()


def test_the_range_that_sigma_asks_for_is_that_of_simulated_paths() -> None:
    """Mean logarithm of the range of Brownian paths, each of the volatility of a node."""
    rule = ReachRule()
    rng = np.random.default_rng(1)
    steps = rng.normal(0, 1 / np.sqrt(4000), (2000, 4000))
    path = np.concatenate([np.zeros((2000, 1)), np.cumsum(steps, axis=1)], axis=1)
    node = np.array(rule.nodes)[rng.choice(3, 2000, p=rule.node_weights)]
    logs = np.log(node * np.ptp(path, axis=1))
    assert np.mean(logs) == pytest.approx(mean_log_range(rule), abs=0.04)


def test_day_month_and_hour_are_those_of_the_last_moment_of_the_candle() -> None:
    last = CANDLES["date"] + pd.Timedelta("299999ms")
    np.testing.assert_array_equal(ROWS.hour, last.dt.hour)
    np.testing.assert_array_equal(ROWS.month, (last.dt.year - 1970) * 12 + last.dt.month - 1)
    np.testing.assert_array_equal(ROWS.day, (last.dt.floor("1D") - pd.Timestamp(0, tz="UTC")).dt.days)


def test_rows_are_taken_and_joined_as_they_are() -> None:
    parts = [ROWS.taken(slice(0, 400)), ROWS.taken(np.arange(400, len(CANDLES)))]
    joined = VolatilityRows.joined(parts)
    for name in ("day", "sigma", "quantile", "usual", "har", "excursion"):
        np.testing.assert_array_equal(getattr(joined, name), getattr(ROWS, name))


def brownian(n: int, seed: int) -> pd.DataFrame:
    """Candles of one volatility, each made of 200 steps; between them a path goes 0.58 steps farther."""
    rng = np.random.default_rng(seed)
    step = 0.002 / np.sqrt(200)
    path = np.cumsum(rng.normal(0, step, (n, 200)), axis=None).reshape(n, 200)
    opening = np.concatenate([[0.0], path[:-1, -1]])
    whole, between = np.column_stack([opening, path]), 0.5826 * step
    logs = {"open": opening, "high": whole.max(axis=1) + between, "low": whole.min(axis=1) - between}
    prices = {name: 100 * np.exp(log) for name, log in (logs | {"close": path[:, -1]}).items()}
    date = pd.date_range("2026-01-01", periods=n, freq="5min", tz="UTC")
    return pd.DataFrame({"date": date, **prices, "volume": 1.0})


FLAT = small_config(
    reach=ReachRule(
        windows=(2000,),
        weights=(1.0,),
        hours=(1.0,) * 24,
        weekend=1.0,
        scale=1.0,
        nodes=(1.0,),
        node_weights=(1.0,),
        skew=(0.0, 0.0),
    ),
    max_age=2048,
)


@pytest.fixture(scope="module")
def steady() -> VolatilityRows:
    market = Market.of(brownian(12_000, seed=3), JoinRule(lookback=FLAT.lookback))
    return VolatilityRows.of(market, FLAT, 12).taken(slice(3000, None))


def test_in_a_market_of_one_volatility_everything_stated_comes_true(steady: VolatilityRows) -> None:
    assert np.nanmean(steady.variance / steady.sigma**2) == pytest.approx(1, abs=0.04)
    found = by_name(list(score_excursions(steady)))
    for probability in PROBABILITIES:
        for side in ("long", "short", "both"):
            assert found[excursion_name(probability), "coverage", side] == pytest.approx(
                probability, abs=0.04
            )
    assert found[excursion_name(TAIL), "tail", "both"] == pytest.approx(1, abs=0.05)
    quantile = steady.quantile[PROBABILITIES.index(0.8)] / steady.sigma
    np.testing.assert_allclose(erf(quantile / np.sqrt(2)), 0.8, atol=1e-6)


def test_the_worst_month_is_the_one_that_strays_farthest(steady: VolatilityRows) -> None:
    month = np.where(steady.day < np.median(steady.day), 1, 2)
    wild = np.where(month == 2, 2.0, 1.0)
    parts = {"month": month, "excursion": steady.excursion * wild}
    rows = VolatilityRows(**{n: parts.get(n, getattr(steady, n)) for n in VolatilityRows.__slots__})
    found = worst_month(rows, 0.95)
    assert found is not None
    assert found[0] == 2
    went = 2 * steady.excursion[:, month == 2]
    within = (went <= steady.quantile[2][:, month == 2])[~np.isnan(went)]
    assert found[1].value == pytest.approx(np.mean(within))
    few = rows.taken(slice(0, 288 * 5))
    assert worst_month(few, 0.95) is None


def volatile(n: int, seed: int) -> pd.DataFrame:
    """Candles whose volatility wanders, so that there is something to forecast."""
    rng = np.random.default_rng(seed)
    level = np.zeros(n)
    for t in range(1, n):
        level[t] = 0.995 * level[t - 1] + rng.normal(0, 0.07)
    calm = brownian(n, seed)
    sigma = np.exp(level)
    logs = {name: np.log(calm[name] / calm["open"]) * sigma for name in ("high", "low", "close")}
    opening = np.concatenate([[0.0], np.cumsum(logs["close"])[:-1]])
    prices = {name: 100 * np.exp(opening + values) for name, values in logs.items()}
    return calm.assign(open=100 * np.exp(opening), **prices)


def test_forecasts_are_scored_on_the_same_rows_and_the_order_is_that_of_their_errors() -> None:
    market = Market.of(volatile(9000, seed=2), JoinRule(lookback=CONFIG.lookback))
    rows = VolatilityRows.of(market, CONFIG, 12)
    har = har_forecast(rows, horizon=12, first=4000, every=288)
    scored, predicted = rows.taken(slice(4000, None)), har[4000:]
    found = by_name(list(score_volatility(scored, predicted)))
    known = ~np.isnan(scored.log_range + scored.ranged + predicted)

    def r2(forecast: FloatArray) -> float:
        y = scored.ranged[known]
        return float(1 - np.mean((y - forecast[known]) ** 2) / np.var(y))

    assert found[SIGMA, "r2", "both"] == pytest.approx(r2(scored.log_range))
    assert found[HAR, "r2", "both"] == pytest.approx(r2(predicted))
    ratio = (scored.variance / scored.sigma**2)[known]
    assert found[SIGMA, "qlike", "both"] == pytest.approx(np.mean(ratio - np.log(ratio) - 1))
    for name, forecast in zip(USUAL, np.log(scored.usual), strict=True):
        slope, level = np.polyfit(forecast[known], scored.ranged[known], 1)
        assert found[name, "r2", "both"] == pytest.approx(r2(slope * forecast + level))
        ratio = (scored.variance / np.exp(2 * forecast))[known]
        ratio /= np.mean(ratio)
        assert found[name, "qlike", "both"] == pytest.approx(np.mean(ratio - np.log(ratio) - 1))
    assert found[HAR, "r2", "both"] > 0.3


def test_har_learns_from_earlier_rows_alone() -> None:
    changed = CANDLES.copy()
    later = changed.index >= 1200
    changed.loc[later, ["open", "high", "low", "close"]] *= 1.5
    other = VolatilityRows.of(aligned(Frames(changed), CONFIG), CONFIG, HORIZON)
    ours, theirs = (har_forecast(r, horizon=HORIZON, first=1100, every=50) for r in (ROWS, other))
    np.testing.assert_array_equal(ours[:1200], theirs[:1200])


def test_all_of_it_is_scored_after_the_first_rows() -> None:
    market = Market.of(volatile(9000, seed=4), JoinRule(lookback=CONFIG.lookback))
    found = by_name(list(score_risk(market, CONFIG, (2400, 8990))))
    assert {SIGMA, HAR, *USUAL, *map(excursion_name, PROBABILITIES)} == {name for name, _, _ in found}
    rows = VolatilityRows.of(market, CONFIG, CONFIG.horizon).taken(slice(2400, 8991))
    expected = by_name(list(score_excursions(rows)))
    later = 2400 + (8990 - 2400) // 3
    whole = VolatilityRows.of(market, CONFIG, CONFIG.horizon)
    har = har_forecast(whole, horizon=CONFIG.horizon, first=later, every=288)
    expected |= by_name(list(score_volatility(whole.taken(slice(later, 8991)), har[later:8991])))
    assert found == expected
