from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, rankdata

from builders.frames import Frames, random_candles, random_open_interest, small_config
from builders.scans import aligned, scanned
from liqfeature import DataError
from liqfeature.calibration import cascade as calibration
from liqfeature.calibration.cascade import calibrate_cascade, fit_odds
from liqfeature.estimate.config import HeatmapConfig
from liqfeature.estimate.kernels import read
from liqfeature.estimate.scan import Scan
from liqfeature.scoring.hours import hours_of
from liqfeature.scoring.measures.alarms import exceeded_within
from liqfeature.scoring.measures.first_touch import touched_first
from liqfeature.scoring.score_forecasts import FIRST_TOUCH, score_own_events
from liqfeature.scoring.score_surges import (
    INFORMED,
    ORACLE,
    OVER_SWEPT,
    OVER_TRAILING,
    _predictors,
    hourly_rows,
    oracle_fuel,
    score_surges,
)
from liqfeature.scoring.score_volatility import SIGMA, excursion_name
from liqfeature.scoring.scorecard import Score
from liqfeature.scoring.validate import validate
from liqfeature.scoring.volatility_rows import PROBABILITIES
from liqfeature.scoring.walks import ALONE, CASCADE, FUEL, HIT, UNCALIBRATED, VOLATILITY, Walks
from liqfeature.sides import LONG, SHORT


def market(n: int = 3000, seed: int = 1) -> Frames:
    candles = random_candles(n, seed, volatility=0.004)
    return Frames(candles, random_open_interest(candles, seed))


def walks_of(frames: Frames, config: HeatmapConfig) -> Walks:
    return Walks.of(aligned(frames, config), config)


def by_name(scores: list[Score]) -> dict[tuple[str, str, str], float]:
    return {(s.map, s.measure, s.side): s.value for s in scores}


def naive_area(score: np.ndarray, event: np.ndarray) -> float:
    """Share of pairs, one with the event and one without, in which it has the higher score."""
    known = ~np.isnan(score + event)
    ranks = rankdata(score[known])[event[known] == 1]
    n_with, n = len(ranks), int(known.sum())
    return float((ranks.sum() - n_with * (n_with + 1) / 2) / (n_with * (n - n_with)))


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
    walks = walks_of(market(), config)
    scan, uncalibrated = walks.estimate, walks.uncalibrated
    got = by_name(list(score_own_events(walks, (100, 2500))))
    rows = slice(100, 2501)
    candles = scan.market
    for side, name in ((LONG, "long"), (SHORT, "short")):
        for what, walked in ((HIT, scan), (HIT + ALONE, walks.path_alone)):
            near, hit = walked.columns[side, read.NEAR, rows], walked.columns[side, read.HIT, rows]
            touched = [
                np.min(candles.low[t + 1 : t + 4]) <= edge
                if side == LONG
                else np.max(candles.high[t + 1 : t + 4]) >= edge
                for t, edge in zip(range(100, 2501), near, strict=True)
            ]
            found = ~np.isnan(hit)
            wrong = np.mean((hit - touched)[found] ** 2) / np.var(np.array(touched)[found])
            assert got[what, "skill", name] == pytest.approx(1 - wrong)
        event = exceeded_within(scan.swept[2, side], scan.swept[3, side], 3)[rows]
        alone = walks.path_alone.columns[side, read.CASCADE, rows]
        assert got[CASCADE + ALONE, "auc", name] == pytest.approx(naive_area(alone, event), abs=0.005)
        for what, walked in ((CASCADE, scan), (UNCALIBRATED, uncalibrated)):
            stated = walked.columns[side, read.CASCADE, rows]
            skill = 1 - np.mean((stated - event) ** 2) / np.var(event)
            assert got[what, "skill", name] == pytest.approx(skill)
        assert got[CASCADE, "auc", name] > got[VOLATILITY, "auc", name]
        top = np.sort(uncalibrated.columns[side, read.CASCADE, rows])[-120:]
        assert top[0] > 0
        assert 0 < got[UNCALIBRATED, "recall", name] < 1


def test_stated_and_came_true_are_those_of_the_rows_in_each_tenth() -> None:
    config = small_config(horizon=3)
    walks = walks_of(market(), config)
    got = by_name(list(score_own_events(walks, (100, 2500))))
    frame, rows = market().candles, slice(100, 2501)
    below, above = walks.estimate.columns[:, read.NEAR]
    hits = walks.estimate.columns[:, read.HIT, rows].ravel()
    touched = np.concatenate(
        [
            (frame["low"].rolling(3).min().shift(-3) <= below).where(~np.isnan(below))[rows],
            (frame["high"].rolling(3).max().shift(-3) >= above).where(~np.isnan(above))[rows],
        ]
    ).astype(float)
    inside = (hits >= 0.2) & (hits < 0.3)
    assert got[f"{HIT}, 0.2 to 0.3", "rows", "both"] == inside.sum() > 50
    assert got[f"{HIT}, 0.2 to 0.3", "stated", "both"] == pytest.approx(hits[inside].mean())
    assert got[f"{HIT}, 0.2 to 0.3", "came_true", "both"] == pytest.approx(touched[inside].mean())
    close = frame["close"].to_numpy()
    nearer = np.log(close / below) / np.log(above / below)
    first = touched_first(frame["high"].to_numpy(), frame["low"].to_numpy(), above, below, config.max_age)
    known = (nearer >= 0.5) & (nearer < 0.6) & ~np.isnan(first) & (np.arange(3000) >= 100)
    known[2501:] = False
    assert got[f"{FIRST_TOUCH}, 0.5 to 0.6", "came_true", "both"] == pytest.approx(first[known].mean())


# --- hours ------------------------------------------------------------------------------------------------


def test_alarms_on_hours_are_raised_before_they_begin() -> None:
    """No score knows what the hour itself does: a shift by one hour would show a perfect one."""
    config = small_config()
    walks = walks_of(market(), config)
    candles = walks.estimate.market
    opening = pd.to_datetime(np.arange(250) * 3_600_000 + candles.tick[0] * 300_000, unit="ms", utc=True)
    rng = np.random.default_rng(0)
    amounts = rng.lognormal(0, 2, (2, 250))
    totals = pd.DataFrame({"date": opening, "long": amounts[0], "short": amounts[1]})
    hours = hours_of(candles, totals, 0, candles.tick.size - 1)
    rows = hourly_rows(candles, hours)
    assert rows[0] == 11  # the last candle of the first hour
    assert ((candles.tick[rows] + 1) % 12 == 0).all()
    oracle = hours.recorded[:, hours.of_candle[rows] + 1].T  # knows the hour
    usual = pd.DataFrame(hours.recorded.T).rolling(24).mean().to_numpy().T[:, hours.of_candle[rows]]
    informed = given(walks.estimate, rows, usual)
    got = by_name(list(score_surges(walks, informed, hours, rows, oracle)))
    for side in ("long", "short"):
        assert got[ORACLE, "extreme_auc", side] == 1
        assert got[ORACLE, "extreme_precision", side] == 1
        assert got[ORACLE + " over trailing liquidations", "surge_auc", side] > 0.95
        assert 0.3 < got[CASCADE, "surge_auc", side] < 0.7  # noise was recorded


def given(scan: Scan, rows: np.ndarray, trailing: np.ndarray) -> Scan:
    """The same scan over a market of which so much is known to be usual."""
    liquidated = np.full_like(scan.market.liquidated, np.nan)
    liquidated[:, rows] = trailing
    return replace(scan, market=replace(scan.market, liquidated=liquidated))


def test_scores_over_a_mean_are_divided_by_it() -> None:
    rows, trailing = np.array([500, 600]), np.array([[1.0, 100.0], [7.0, 7.0]])
    walks = walks_of(market(), small_config())
    scan, uncalibrated = walks.estimate, walks.uncalibrated
    got = _predictors(LONG, walks, given(uncalibrated, rows, trailing), rows)
    for what in (FUEL, VOLATILITY):
        np.testing.assert_allclose(got[what] - got[what + OVER_TRAILING], np.log(trailing[LONG]))
    lookback = scan.config.lookback
    swept = [scan.swept[1, LONG, t - lookback + 1 : t + 1].sum() for t in rows]
    np.testing.assert_allclose(got[FUEL] - got[FUEL + OVER_SWEPT], np.log(swept))
    np.testing.assert_array_equal(got[CASCADE + INFORMED], got[UNCALIBRATED])
    np.testing.assert_allclose(np.exp(got[FUEL]), scan.columns[LONG, read.FUEL, rows])
    np.testing.assert_allclose(np.exp(got[FUEL + ALONE]), walks.path_alone.columns[LONG, read.FUEL, rows])
    silent = _predictors(LONG, walks, given(uncalibrated, rows, np.zeros(2)), rows)
    assert np.isnan(silent[FUEL + OVER_TRAILING]).all()


def test_fuel_of_the_oracle_is_notional_times_reach() -> None:
    """Two bins of longs and one of shorts, by one node of the reflection principle."""
    config = small_config()
    rule = replace(config.reach, nodes=(1.0,), node_weights=(1.0,), skew=(0.0, 0.0))
    scan = scanned(market(100), replace(config, reach=rule))
    rows, windows = np.array([50, 90]), np.zeros((2, 2, 30))
    windows[:, LONG, 0], windows[:, LONG, 3], windows[:, SHORT, 2] = 10.0, 5.0, 7.0
    got = oracle_fuel(scan, rows, windows)
    for i, row in enumerate(rows):
        sigma, close = scan.reading.sigma[row], scan.candles.close[row]
        away = {LONG: close - np.floor(close), SHORT: np.floor(close) + 1 - close}
        want = 10 * 2 * norm.sf((away[LONG] + 0.5) / sigma) + 5 * 2 * norm.sf((away[LONG] + 3.5) / sigma)
        assert got[i, LONG] == pytest.approx(want, rel=1e-4)
        assert got[i, SHORT] == pytest.approx(7 * 2 * norm.sf((away[SHORT] + 2.5) / sigma), rel=1e-4)


def test_candles_alone_are_enough_to_score_what_is_stated() -> None:
    frames = market(800)
    card = validate(frames.candles, config=small_config(), open_interest=frames.open_interest)
    names = {HIT, HIT + ALONE, CASCADE, CASCADE + ALONE, UNCALIBRATED, VOLATILITY, FIRST_TOUCH}
    risk = {SIGMA, *map(excursion_name, PROBABILITIES)}
    assert names | risk <= {name for name in card.maps() if " to " not in name}
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
    before = small_config().changed({"cascade.odds": (3.0, 0.1, 0.1, 0.0)})
    found = calibrate_cascade(frames.candles, before, open_interest=frames.open_interest)
    assert found.config == before.changed({"cascade.odds": found.config.cascade.odds})
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
    stated, event = calibration._forecast(candles, config.changed({"cascade.odds": odds}), slice(200, 1400))
    inside = (stated > 0) & (stated < 1) & ~np.isnan(event)
    np.testing.assert_allclose(stated[inside], 1 / (1 + np.exp(-terms @ np.array(odds))), rtol=1e-6)
