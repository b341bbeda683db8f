"""Neutral trades: sides, sizes and stops against naive twins, and what must hold of their scores."""

import numpy as np
import pandas as pd
import pytest

from builders.frames import Frames, random_candles, small_config
from builders.scans import aligned
from liqfeature.scoring.neutral_trades import (
    CONSTANT,
    HIT,
    HOLD,
    RANDOM,
    RANGE_STOP,
    SEEDS,
    SIGMA_SIZE,
    STATED,
    TREND,
    SizedTrades,
    Stops,
    neutral_sides,
    sizes,
)
from liqfeature.scoring.score_trades import decile_of, hit_rates, score_sizes, score_stops, score_trades
from liqfeature.scoring.volatility_rows import PROBABILITIES, USUAL, VolatilityRows
from liqfeature.sides import LONG, SHORT

CONFIG = small_config(horizon=3)
CANDLES = random_candles(6000, seed=8)
MARKET = aligned(Frames(CANDLES), CONFIG)
ROWS = VolatilityRows.of(MARKET, CONFIG, 3).taken(np.arange(400, 5990, 3))
SIDES = {name: side[:, 400:5990:3] for name, side in neutral_sides(MARKET).items()}


def test_sides_are_long_with_the_trend_and_random_and_know_the_past_alone() -> None:
    sides = neutral_sides(MARKET)
    assert (sides[HOLD] == 1).all()
    assert sides[RANDOM].shape == (len(SEEDS), 6000)
    assert np.abs(sides[RANDOM].mean(axis=1)).max() < 0.05
    fast, slow = (CANDLES["close"].ewm(halflife=half_life).mean() for half_life in (8.3, 33.0))
    np.testing.assert_array_equal(sides[TREND][0], np.where(fast >= slow, 1, -1))
    earlier = neutral_sides(aligned(Frames(CANDLES.head(3000)), CONFIG))
    np.testing.assert_array_equal(sides[TREND][:, :3000], earlier[TREND])


def test_every_size_has_a_mean_of_one_and_is_one_over_its_forecast() -> None:
    found = sizes(ROWS)
    assert list(found) == [CONSTANT, SIGMA_SIZE, *USUAL]
    for name, size in found.items():
        assert np.mean(size) == pytest.approx(1), name
    for name, forecast in ((SIGMA_SIZE, ROWS.sigma), *zip(USUAL, ROWS.usual, strict=True)):
        assert np.ptp(found[name] * forecast) < 1e-9 * np.mean(forecast)


def test_a_trade_earns_what_price_moved_on_its_side() -> None:
    close = CANDLES["close"].to_numpy()
    for name, side in SIDES.items():
        found = SizedTrades.of(ROWS, side).returns[CONSTANT]
        expected = side * (close[403:5993:3] / close[400:5990:3] - 1)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12, err_msg=name)


def test_stops_are_hit_where_price_comes_and_the_range_is_hit_as_often_in_all() -> None:
    stops = Stops.of(ROWS)
    low, high, close = (CANDLES[name].to_numpy() for name in ("low", "high", "close"))
    stated = ROWS.quantile[PROBABILITIES.index(1 - HIT)]
    np.testing.assert_array_equal(stops.distance[STATED], stated[:, stops.known])
    for i, t in enumerate(np.arange(400, 5990, 3)[stops.known][:300]):
        for name, away in stops.distance.items():
            long = low[t + 1 : t + 4].min() < close[t] * np.exp(-away[LONG, i])
            short = high[t + 1 : t + 4].max() > close[t] * np.exp(away[SHORT, i])
            assert stops.hit[name][:, i].tolist() == [long, short], (name, t)
    rates = [np.mean(stops.hit[name]) for name in (STATED, RANGE_STOP)]
    assert rates[0] == pytest.approx(rates[1], abs=0.002)
    multiple = stops.distance[RANGE_STOP] / stops.rows.usual[USUAL.index(RANGE_STOP)]
    assert np.ptp(multiple) < 1e-9


def test_a_stop_bounds_the_loss_to_the_same_risk_for_all() -> None:
    stops = Stops.of(ROWS)
    for name, side in SIDES.items():
        hit, returns = stops.traded(STATED, side)
        assert hit.shape == returns.shape == (len(side), stops.known.sum())
        away = np.where(side[:, stops.known] > 0, *stops.distance[STATED])
        risk = 1 / np.mean(1 / away)
        assert returns[hit == 1] == pytest.approx(np.full(int(hit.sum()), -risk), rel=0.05), name
        assert returns[hit == 0].min() > -1.05 * risk


def test_deciles_and_hours_are_rated_by_their_own_rows() -> None:
    stops = Stops.of(ROWS)
    deciles = decile_of(stops.rows.sigma)
    assert np.bincount(deciles).tolist() == pytest.approx([stops.rows.sigma.size / 10] * 10, abs=1)
    assert stops.rows.sigma[deciles == 3].max() <= stops.rows.sigma[deciles == 4].min()
    rates = hit_rates(stops.hit[STATED], deciles, stops.rows.day)
    frame = pd.DataFrame({"decile": deciles, "hit": stops.hit[STATED].mean(axis=0)})
    np.testing.assert_allclose([rate.value for rate in rates], frame.groupby("decile")["hit"].mean())
    by_name = {(s.map, s.measure): s.value for s in score_stops(stops)}
    usual = decile_of(stops.rows.usual[USUAL.index("24 h realised")])
    by_usual = [rate.value for rate in hit_rates(stops.hit[STATED], usual, stops.rows.day)]
    assert by_name[f"stop: {STATED}", "decile_least"] == min(by_usual)
    assert by_name[f"stop: {STATED}", "decile_most"] == max(by_usual)


def test_size_by_sigma_cuts_what_wild_hours_lose_and_is_the_measure_itself() -> None:
    rng = np.random.default_rng(3)
    wild = np.repeat(rng.lognormal(0, 0.8, 60), 100)
    calm = CANDLES.copy()
    logs = {name: np.log(calm[name] / calm["open"]) * wild for name in ("high", "low", "close")}
    opening = np.concatenate([[0.0], np.cumsum(logs["close"])[:-1]])
    calm = calm.assign(open=100 * np.exp(opening), **{k: 100 * np.exp(opening + v) for k, v in logs.items()})
    rows = VolatilityRows.of(aligned(Frames(calm), CONFIG), CONFIG, 3).taken(np.arange(400, 5990, 3))
    trades = {name: SizedTrades.of(rows, side) for name, side in SIDES.items()}
    found = {(s.map, s.measure): s for s in score_sizes(trades)}
    for name in SIDES:
        cut = found[f"{name}, size: {CONSTANT}", "cut_95"]
        assert cut.high < 1, name
        ours, theirs = (found[f"{name}, size: {s}", "shortfall_95"].value for s in (SIGMA_SIZE, CONSTANT))
        assert cut.value == pytest.approx(ours / theirs)
        assert (f"{name}, size: {SIGMA_SIZE}", "cut_95") not in found


def test_all_of_it_is_scored_on_trades_that_do_not_overlap() -> None:
    scores = {(s.map, s.measure): s.value for s in score_trades(MARKET, CONFIG, (400, 5990))}
    expected = {(s.map, s.measure): s.value for s in score_sizes({HOLD: SizedTrades.of(ROWS, SIDES[HOLD])})}
    for key, value in expected.items():
        assert scores[key] == pytest.approx(value, rel=0.02)
    assert {f"{name}, stop: {stop}" for name in SIDES for stop in (STATED, RANGE_STOP)} <= {
        k for k, _ in scores
    }
