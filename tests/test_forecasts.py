from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from frames import Market, random_candles, random_open_interest, small_config
from scipy.stats import norm
from test_scan import aligned, scanned

from liqfeature import DataError
from liqfeature.calibration import cascade as calibration
from liqfeature.calibration.cascade import calibrate_cascade, fit_odds
from liqfeature.config import HeatmapConfig, with_odds
from liqfeature.heatmap import Scan
from liqfeature.kernels.read import CASCADE, HIT, NEAR
from liqfeature.scoring.alarms import exceeded_within
from liqfeature.scoring.forecasts import (
    CASCADE_COLUMN,
    FUEL_COLUMN,
    HIT_COLUMN,
    INFORMED,
    ORACLE,
    OVER_SWEPT,
    OVER_TRAILING,
    UNCALIBRATED,
    VOLATILITY,
    _predictors,
    hourly_rows,
    oracle_fuel,
    score_own_events,
    score_surges,
)
from liqfeature.scoring.hours import hours_of
from liqfeature.scoring.scorecard import Score
from liqfeature.scoring.validate import REACH_ALONE, validate
from liqfeature.types import LONG, SHORT


def market(n: int = 3000, seed: int = 1) -> Market:
    candles = random_candles(n, seed, volatility=0.004)
    return Market(candles, random_open_interest(candles, seed))


def both_scans(frames: Market, config: HeatmapConfig) -> tuple[Scan, Scan]:
    return scanned(frames, config), scanned(frames, with_odds(config, REACH_ALONE))


def by_name(scores: list[Score]) -> dict[tuple[str, str, str], float]:
    return {(s.map, s.measure, s.side): s.value for s in scores}


# --- the event and the level ------------------------------------------------------------------------------


def test_the_level_is_that_of_what_was_swept_in_the_lookback() -> None:
    """95 % of 12 windows: the highest."""
    config = small_config(horizon=3)
    scan = scanned(market(300), config)
    for side in (LONG, SHORT):
        swept = pd.Series(scan.swept[1, side])
        forced = swept.rolling(3, min_periods=1).sum()
        np.testing.assert_allclose(scan.swept[2, side], forced, rtol=1e-9, atol=1e-6)
        highest = pd.Series(scan.swept[2, side]).rolling(12).max()
        np.testing.assert_array_equal(scan.swept[3, side, 11:], highest[11:])
        assert (scan.swept[3, side, :11] == 0).all()


def test_own_events_are_scored_from_the_row_after() -> None:
    config = small_config(horizon=3)
    scan, uncalibrated = both_scans(market(), config)
    got = by_name(list(score_own_events(scan, uncalibrated, (100, 2500))))
    rows = slice(100, 2501)
    candles = scan.candles
    for side, name in ((LONG, "long"), (SHORT, "short")):
        near, hit = scan.columns[side, NEAR, rows], scan.columns[side, HIT, rows]
        touched = [
            np.min(candles.low[t + 1 : t + 4]) <= edge
            if side == LONG
            else np.max(candles.high[t + 1 : t + 4]) >= edge
            for t, edge in zip(range(100, 2501), near, strict=True)
        ]
        found = ~np.isnan(hit)
        wrong = np.mean((hit - touched)[found] ** 2) / np.var(np.array(touched)[found])
        assert got[HIT_COLUMN, "skill", name] == pytest.approx(1 - wrong)
        event = exceeded_within(scan.swept[2, side], scan.swept[3, side], 3)[rows]
        for what, walked in ((CASCADE_COLUMN, scan), (UNCALIBRATED, uncalibrated)):
            stated = walked.columns[side, CASCADE, rows]
            skill = 1 - np.mean((stated - event) ** 2) / np.var(event)
            assert got[what, "skill", name] == pytest.approx(skill)
        assert got[CASCADE_COLUMN, "auc", name] > got[VOLATILITY, "auc", name]
        top = np.sort(uncalibrated.columns[side, CASCADE, rows])[-120:]
        assert top[0] > 0
        assert 0 < got[UNCALIBRATED, "recall", name] < 1


# --- hours ------------------------------------------------------------------------------------------------


def test_alarms_on_hours_are_raised_before_they_begin() -> None:
    """What the hour itself does is told by nobody: a shift by one hour would show a perfect score."""
    config = small_config()
    scan, uncalibrated = both_scans(market(), config)
    candles = scan.candles
    opening = pd.to_datetime(np.arange(250) * 3_600_000 + candles.tick[0] * 300_000, unit="ms", utc=True)
    rng = np.random.default_rng(0)
    amounts = rng.lognormal(0, 2, (2, 250))
    totals = pd.DataFrame({"date": opening, "long": amounts[0], "short": amounts[1]})
    hours = hours_of(candles, totals, 0, candles.tick.size - 1)
    rows = hourly_rows(candles, hours)
    assert rows[0] == 11  # the last candle of the first hour
    assert ((candles.tick[rows] + 1) % 12 == 0).all()
    oracle = hours.recorded[:, hours.of_candle[rows] + 1].T  # knows the hour
    got = by_name(list(score_surges(scan, uncalibrated, scan, hours, rows, oracle)))
    for side in ("long", "short"):
        assert got[ORACLE, "extreme_auc", side] == 1
        assert got[ORACLE, "extreme_precision", side] == 1
        assert got[ORACLE + " over trailing liquidations", "surge_auc", side] > 0.95
        assert 0.3 < got[CASCADE_COLUMN, "surge_auc", side] < 0.7  # noise was recorded


def test_scores_over_a_mean_are_divided_by_it() -> None:
    scan, uncalibrated = both_scans(market(), small_config())
    rows, trailing = np.array([500, 600]), np.array([1.0, 100.0])
    got = _predictors(LONG, scan, uncalibrated, uncalibrated, rows, trailing)
    for what in (FUEL_COLUMN, VOLATILITY):
        np.testing.assert_allclose(got[what] - got[what + OVER_TRAILING], np.log(trailing))
    lookback = scan.config.lookback
    swept = [scan.swept[1, LONG, t - lookback + 1 : t + 1].sum() for t in rows]
    np.testing.assert_allclose(got[FUEL_COLUMN] - got[FUEL_COLUMN + OVER_SWEPT], np.log(swept))
    np.testing.assert_array_equal(got[CASCADE_COLUMN + INFORMED], got[UNCALIBRATED])
    silent = _predictors(LONG, scan, uncalibrated, uncalibrated, rows, np.zeros(2))
    assert np.isnan(silent[FUEL_COLUMN + OVER_TRAILING]).all()


def test_fuel_of_the_oracle_is_notional_times_reach() -> None:
    """Two bins of longs and one of shorts, by one node of the reflection principle."""
    config = small_config()
    rule = replace(config.cascade, nodes=(1.0,), node_weights=(1.0,))
    scan = scanned(market(100), replace(config, cascade=rule))
    rows, windows = np.array([50, 90]), np.zeros((2, 2, 30))
    windows[:, LONG, 0], windows[:, LONG, 3], windows[:, SHORT, 2] = 10.0, 5.0, 7.0
    got = oracle_fuel(scan, rows, windows)
    for i, row in enumerate(rows):
        sigma, close = scan.reading.sigma[row], scan.tape.close[row]
        away = {LONG: close - np.floor(close), SHORT: np.floor(close) + 1 - close}
        want = 10 * 2 * norm.sf((away[LONG] + 0.5) / sigma) + 5 * 2 * norm.sf((away[LONG] + 3.5) / sigma)
        assert got[i, LONG] == pytest.approx(want, rel=1e-4)
        assert got[i, SHORT] == pytest.approx(7 * 2 * norm.sf((away[SHORT] + 2.5) / sigma), rel=1e-4)


def test_candles_alone_are_enough_to_score_what_is_stated() -> None:
    frames = market(800)
    card = validate(frames.candles, config=small_config(), open_interest=frames.open_interest)
    assert set(card.maps()) == {"liq_hit", CASCADE_COLUMN, UNCALIBRATED, VOLATILITY}
    assert card.value("liq_hit", "calibration", "long") > 0
    assert np.isnan(card.value("estimate", "rank", "long"))


# --- fitting the odds --------------------------------------------------------------------------------------


def drawn(weights: tuple[float, ...], n: int = 60_000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(7)
    terms = np.stack([np.ones(n), rng.normal(-1, 1, n), rng.normal(0, 1, n), rng.choice([-3.0, -1.5], n)])
    chance = 1 / (1 + np.exp(-np.array(weights) @ terms))
    return terms.T, (rng.random(n) < chance).astype(float)


def test_odds_from_which_events_were_drawn_are_found() -> None:
    weights = (0.4, 0.6, 0.7, 0.2)
    assert fit_odds(*drawn(weights)) == pytest.approx(weights, abs=0.06)


def test_an_input_that_would_count_negatively_is_left_out() -> None:
    """More fuel never lowers the probability, whatever the sample says."""
    found = fit_odds(*drawn((0.4, 0.6, -0.5, 0.2)))
    assert found[2] == 0
    assert found[1] == pytest.approx(0.6, abs=0.1)


def test_one_horizon_leaves_its_weight_at_nought() -> None:
    terms, event = drawn((0.4, 0.6, 0.7, 0.0))
    terms[:, 3] = -2.0
    assert fit_odds(terms, event)[3] == 0


def test_too_few_events_are_refused() -> None:
    terms, event = drawn((0.4, 0.6, 0.7, 0.2), 1000)
    with pytest.raises(DataError, match="at least, received 0 of 1000"):
        fit_odds(terms, 0 * event)


def test_fitted_odds_come_true_on_the_other_half(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "HORIZONS", (1, 2))
    frames = market(6000, seed=4)
    before = with_odds(small_config(), (3.0, 0.1, 0.1, 0.0))
    found = calibrate_cascade(frames.candles, before, open_interest=frames.open_interest)
    assert found.config == with_odds(before, found.config.cascade.odds)
    scores = [found.provenance[f"scores {when}"]["out of sample"] for when in ("before", "after")]
    assert scores[1]["calibration error"] < 0.05 < scores[0]["calibration error"]
    assert scores[1]["Brier skill"] > max(scores[0]["Brier skill"], 0)
    assert found.provenance["in sample"]["to"] < found.provenance["out of sample"]["from"]
    assert found.provenance["horizons"] == [before.horizon, 2 * before.horizon]


def test_the_second_half_is_scored_and_not_fitted_on() -> None:
    frames = market(4000, seed=5)
    config = small_config()
    middle = config.warmup + (4000 - config.warmup) // 2
    other = frames.candles.copy()
    other.loc[middle + 5 :, ["open", "high", "low", "close"]] *= 1.5
    one, two = (calibrate_cascade(c, config).config.cascade.odds for c in (frames.candles, other))
    assert one == two


def test_inputs_are_those_of_the_kernel() -> None:
    """Odds fitted on the inputs, put back into the kernel, state what the linear form says."""
    frames, config = market(1500), small_config()
    candles = aligned(frames, config)
    terms, _ = calibration._terms(candles, config, slice(200, 1400))
    odds = (0.3, 0.5, 0.8, 0.1)
    stated, event = calibration._forecast(candles, with_odds(config, odds), slice(200, 1400))
    inside = (stated > 0) & (stated < 1) & ~np.isnan(event)
    np.testing.assert_allclose(stated[inside], 1 / (1 + np.exp(-terms @ np.array(odds))), rtol=1e-6)
