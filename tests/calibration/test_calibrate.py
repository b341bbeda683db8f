"""Shares of leverage from what was liquidated, and parameters chosen on one span and scored on the next."""

import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from builders.frames import random_candles, small_config
from liqfeature import ConfigError, DataError, HeatmapConfig, liquidation_features
from liqfeature.calibration import calibrate as module
from liqfeature.calibration import search, weights
from liqfeature.calibration.calibrate import Calibration, calibrate
from liqfeature.calibration.search import STEPS, best_change
from liqfeature.calibration.weights import STRENGTH, fit_shares
from liqfeature.durations import DAY, HOUR
from liqfeature.estimate.config import load_config
from liqfeature.estimate.flow import FlowRule
from liqfeature.estimate.leverage import LeveragePrior
from liqfeature.market.liquidations import totals_of
from liqfeature.sandbox.simulation.frames import candles as candles_of
from liqfeature.sandbox.simulation.frames import open_interest as open_interest_of
from liqfeature.sandbox.simulation.scenario import SCENARIOS
from liqfeature.sandbox.simulation.simulate import simulate
from liqfeature.types import FloatArray

# --- shares ----------------------------------------------------------------------------------------------

PRIOR = np.array([0.1, 0.2, 0.3, 0.25, 0.15])
KNOWN = np.array([0.1, 0.35, 0.1, 0.15, 0.3])


def levels(n: int = 3000, seed: int = 0) -> FloatArray:
    """What each of five levels would have swept in each hour; each is idle in half of them."""
    rng = np.random.default_rng(seed)
    return rng.gamma(1.0, size=(5, n)) * (rng.random((5, n)) < 0.5)


def test_shares_come_back_from_what_they_swept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to what the prior holds back, and wholly where it has no strength."""
    swept = levels()
    fitted = fit_shares(swept, KNOWN @ swept, PRIOR, ranks_only=False)
    away, left = np.abs(PRIOR - KNOWN), np.abs(fitted - KNOWN)
    assert away.max() > 0.19
    assert left.sum() < 0.25 * away.sum()
    monkeypatch.setattr(weights, "STRENGTH", 1e-9)
    free = fit_shares(swept, KNOWN @ swept, PRIOR, ranks_only=False)
    np.testing.assert_allclose(free, KNOWN, atol=0.001)


def test_noise_about_the_shares_does_not_lead_astray() -> None:
    swept = levels(20_000)
    noise = np.random.default_rng(1).gamma(2.0, 0.5, 20_000)
    fitted, exact = (
        fit_shares(swept, KNOWN @ swept * y, PRIOR, ranks_only=False) for y in (noise, np.ones(20_000))
    )
    assert np.abs(fitted - exact).max() < 0.01


def test_what_the_prior_itself_sweeps_leaves_it_unchanged() -> None:
    swept = levels()
    for ranks_only in (True, False):
        fitted = fit_shares(swept, PRIOR @ swept, PRIOR, ranks_only=ranks_only)
        np.testing.assert_allclose(fitted, PRIOR, rtol=1e-9)


def test_the_defining_equation_of_the_shares_holds() -> None:
    """theta = (S prior + N) / (S prior + D), with N = sum(y theta m / sum(theta m)) and D = sum(m)."""
    swept = levels()
    recorded = KNOWN @ swept * np.random.default_rng(1).uniform(0.5, 1.5, swept.shape[1])
    fitted = fit_shares(swept, recorded, PRIOR, ranks_only=False)
    mass = swept * PRIOR[:, None]
    seen = mass.sum(axis=0) > 0
    mass, y = mass[:, seen], recorded[seen] / recorded[seen].sum() * mass.sum()
    theta = fitted / PRIOR
    pull = STRENGTH * mass.sum() * PRIOR

    def step(theta: FloatArray) -> FloatArray:
        explained = theta @ mass
        return (pull + theta * (mass @ (y / explained))) / (pull + mass.sum(axis=1))

    for _ in range(1000):
        theta = step(theta)
    expected = theta * PRIOR / np.sum(theta * PRIOR)
    np.testing.assert_allclose(fitted, expected, atol=1e-4)


def test_shares_sum_to_one_and_a_level_without_share_keeps_none() -> None:
    swept, prior = levels(), np.array([0.0, 0.4, 0.3, 0.2, 0.1])
    for ranks_only in (True, False):
        fitted = fit_shares(swept, KNOWN @ swept, prior, ranks_only=ranks_only)
        assert fitted.sum() == pytest.approx(1)
        assert fitted[0] == 0
        assert (fitted[1:] > 0).all()


def test_levels_that_were_not_touched_keep_their_ratio() -> None:
    swept = levels()
    swept[:2] *= 1e-6
    fitted = fit_shares(swept, KNOWN @ swept, PRIOR, ranks_only=False)
    assert fitted[0] / fitted[1] == pytest.approx(PRIOR[0] / PRIOR[1])
    assert fitted[3] / fitted[4] != pytest.approx(PRIOR[3] / PRIOR[4], rel=0.1)
    swept[:2] = 0.0
    without = fit_shares(swept, KNOWN @ swept, PRIOR, ranks_only=False)
    np.testing.assert_allclose(without, fitted, rtol=1e-3)


@pytest.mark.parametrize("ranks_only", [True, False])
def test_the_unit_of_neither_side_matters(ranks_only: bool) -> None:
    swept = levels()
    recorded = KNOWN @ swept * np.random.default_rng(1).uniform(0.5, 1.5, swept.shape[1])
    fitted = fit_shares(swept, recorded, PRIOR, ranks_only=ranks_only)
    for scaled in (
        fit_shares(swept, 1e9 * recorded, PRIOR, ranks_only=ranks_only),
        fit_shares(1e-5 * swept, recorded, PRIOR, ranks_only=ranks_only),
    ):
        np.testing.assert_allclose(scaled, fitted, rtol=1e-9)


def test_of_a_throttled_recording_only_the_order_of_hours_counts() -> None:
    swept = levels()
    recorded = KNOWN @ swept + 1e-3
    fitted = fit_shares(swept, recorded, PRIOR, ranks_only=True)
    for transformed in (recorded**3, np.log(recorded) + 20, np.minimum(recorded, 1e9) ** 0.2):
        np.testing.assert_array_equal(fit_shares(swept, transformed, PRIOR, ranks_only=True), fitted)
    nearer = np.abs(fitted - KNOWN).sum() / np.abs(PRIOR - KNOWN).sum()
    assert nearer < 0.6


@pytest.mark.parametrize("ranks_only", [True, False])
def test_the_order_in_which_hours_are_listed_changes_nothing(ranks_only: bool) -> None:
    """Nor with many hours in which nothing was liquidated, which are all alike."""
    swept = levels()
    rng = np.random.default_rng(2)
    recorded = KNOWN @ swept * (rng.random(swept.shape[1]) < 0.5)
    fitted = fit_shares(swept, recorded, PRIOR, ranks_only=ranks_only)
    for shuffle in (np.argsort(swept[4]), rng.permutation(swept.shape[1])):
        other = fit_shares(swept[:, shuffle], recorded[shuffle], PRIOR, ranks_only=ranks_only)
        np.testing.assert_allclose(other, fitted, rtol=1e-6)


def test_the_prior_stays_where_nothing_was_liquidated_or_nothing_swept() -> None:
    swept = levels(50)
    for ranks_only in (True, False):
        np.testing.assert_array_equal(fit_shares(swept, np.zeros(50), PRIOR, ranks_only=ranks_only), PRIOR)
        nowhere = fit_shares(0 * swept, np.ones(50), PRIOR, ranks_only=ranks_only)
        np.testing.assert_array_equal(nowhere, PRIOR)


def test_one_burst_does_not_decide_the_shares() -> None:
    swept = levels()
    recorded = KNOWN @ swept
    calm = fit_shares(swept, recorded, PRIOR, ranks_only=False)
    hour = int(np.argmax(np.where((swept > 0).sum(axis=0) == 1, swept[2], 0)))
    recorded[hour] = 1e6 * recorded.sum()
    assert np.abs(fit_shares(swept, recorded, PRIOR, ranks_only=False) - calm).max() < 0.02


# --- parameters ------------------------------------------------------------------------------------------

Inputs = dict[str, Any]

WRONG = small_config(
    max_age=288,
    lookback=96,
    leverage=LeveragePrior(median=20.0, scalp_share=0.9),
    flow=FlowRule(churn=1.0, scalp_churn=100.0),
)
"""Forgets within hours what the sandbox's traders hold for days."""


@pytest.fixture(scope="module")
def market() -> Inputs:
    """Forty-four days, of which half serve to choose."""
    tape = simulate(SCENARIOS["liquid"], "BTC/USDT:USDT", start="2026-01-01", days=44, seed=5)
    return {
        "candles": candles_of(tape, "15m"),
        "liquidations": totals_of(tape.forced_orders, HOUR, silence=DAY).to_frame().dropna(ignore_index=True),
        "open_interest": open_interest_of(tape, "15m"),
    }


@pytest.fixture(scope="module")
def few_steps() -> Any:
    """Try less, so that a search takes a second."""
    steps = {
        "churn": ({"flow.churn": 0.1}, {"flow.churn": 0.3}),
        "scalps": ({"leverage.scalp_share": 0.5, "flow.scalp_churn": 2.5},),
        "median": ({"leverage.median": 8.0},),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "STEPS", steps)
        yield steps


@pytest.fixture(scope="module")
def found(market: Inputs, few_steps: Any) -> Calibration:
    return calibrate(**market, config=WRONG)


def mean_score(provenance: dict[str, Any], when: str, where: str) -> float:
    return float(np.mean(list(provenance[f"scores {when}"][where].values())))


def test_a_wrong_configuration_is_mended(found: Calibration) -> None:
    for where in ("in sample", "out of sample"):
        before, after = (mean_score(found.provenance, when, where) for when in ("before", "after"))
        assert after > before + 0.01
    assert any(note.startswith("changed, score +") for note in found.provenance["steps"].values())
    assert found.config != WRONG
    assert set(found.provenance["steps"]) == {"churn", "scalps", "median", "weight", "recorded_share"}


def test_the_recorded_share_is_what_was_recorded_over_what_the_map_swept(
    found: Calibration, market: Inputs, few_steps: Any
) -> None:
    features = liquidation_features(
        market["candles"], found.config, open_interest=market["open_interest"]
    ).set_index(market["candles"]["date"])
    inside, totals = found.provenance["in sample"], market["liquidations"].set_index("date")
    hours = pd.date_range(inside["from"], inside["to"], freq="1h")
    swept = features[["liq_swept_long", "liq_swept_short"]].resample("1h").sum().loc[hours].to_numpy().sum()
    swept /= found.config.cascade.forced_share  # the map's amounts, of which a share is forced
    share = totals.loc[hours].to_numpy().sum() / swept
    assert found.config.cascade.recorded_share == pytest.approx(share, rel=1e-9)
    base = market["liquidations"].copy()
    price = market["candles"].set_index("date")["close"].resample("1h").mean().loc[base["date"]].to_numpy()
    base[["long", "short"]] = base[["long", "short"]].div(price, axis=0)
    in_base = calibrate(**{**market, "liquidations": base}, config=WRONG, unit="base")
    assert in_base.config.cascade.recorded_share == pytest.approx(share, rel=0.01)
    assert in_base.config.cascade.forced_share == WRONG.cascade.forced_share


def test_the_spans_lie_one_after_the_other_and_hold_the_whole_recording(
    found: Calibration, market: Inputs
) -> None:
    inside, outside = found.provenance["in sample"], found.provenance["out of sample"]
    hours = [pd.Timestamp(span[end]) for span in (inside, outside) for end in ("from", "to")]
    assert hours == sorted(hours)
    assert hours[2] == hours[1] + pd.Timedelta("1h")
    assert hours[3] <= market["liquidations"]["date"].iloc[-1]
    assert abs(inside["hours"] - outside["hours"]) <= 1
    assert inside["hours"] == (hours[1] - hours[0]) / pd.Timedelta("1h") + 1


def test_what_is_found_depends_on_nothing_after_the_span_on_which_it_is_chosen(
    found: Calibration, market: Inputs
) -> None:
    cut = pd.Timestamp(found.provenance["in sample"]["to"]) + pd.Timedelta("1h")
    totals, candles = market["liquidations"].copy(), market["candles"].copy()
    later = (totals["date"] >= cut).to_numpy()
    assert 0.3 < later.mean() < 0.7
    rng = np.random.default_rng(0)
    totals.loc[later, ["long", "short"]] = rng.lognormal(0, 3, (later.sum(), 2))
    scrambled = calibrate(**{**market, "liquidations": totals}, config=WRONG)
    assert scrambled.config == found.config
    assert scrambled.provenance["steps"] == found.provenance["steps"]
    for when in ("scores before", "scores after"):
        assert scrambled.provenance[when]["in sample"] == found.provenance[when]["in sample"]
        assert scrambled.provenance[when]["out of sample"] != found.provenance[when]["out of sample"]
    after = (candles["date"] >= cut).to_numpy()
    candles.loc[after, ["open", "high", "low", "close"]] *= 1.2
    candles.loc[after, "volume"] *= rng.lognormal(0, 1, after.sum())
    assert calibrate(**{**market, "candles": candles}, config=WRONG).config == found.config


def test_what_is_found_is_read_back_from_its_file(found: Calibration, tmp_path: Path) -> None:
    path = tmp_path / "found.json"
    path.write_text(json.dumps(found.to_dict(), allow_nan=False))
    assert load_config(path) == found.config
    assert json.loads(path.read_text())["provenance"] == found.provenance
    assert HeatmapConfig.from_dict(found.to_dict()) == found.config


def test_nothing_on_which_the_warm_up_depends_is_tried() -> None:
    config = HeatmapConfig()
    variants = [config.changed(change) for changes in STEPS.values() for change in changes]
    assert {variant.warmup for variant in variants} == {config.warmup}
    assert {(v.grid, v.band, v.horizon, v.max_age) for v in variants} == {
        (config.grid, config.band, config.horizon, config.max_age)
    }


def test_a_change_sets_the_parameters_that_it_names_and_no_other() -> None:
    config = WRONG.changed({"flow.churn": 0.4, "leverage.median": 9.0})
    assert config == replace(
        WRONG, flow=replace(WRONG.flow, churn=0.4), leverage=replace(WRONG.leverage, median=9.0)
    )


NEVER = float("nan")


class Named(str):
    """A configuration that is only its name, and changes into any other."""

    def changed(self, change: Any) -> Any:
        return change


@pytest.mark.parametrize(
    ("gains", "taken"),
    [
        ({"one": (0.1, 0.1), "other": (0.2, 0.3)}, "other"),
        ({"one": (0.9, -0.1), "other": (0.01, 0.01)}, "other"),
        ({"one": (0.9, -0.1), "other": (-0.1, 0.9)}, "before"),
        ({"one": (0.0004, 0.0004), "other": (-0.2, -0.2)}, "before"),
        ({"one": (NEVER, 0.5)}, "before"),
    ],
)
@pytest.mark.parametrize(("spread", "sure"), [(0.1, True), (10.0, False)])
def test_a_change_is_taken_only_where_it_helps_in_both_halves_and_on_nearly_all_days(
    gains: dict[str, tuple[float, float]],
    taken: str,
    spread: float,
    sure: bool,
) -> None:
    """Configurations are their names here, and halves their numbers; draws lie about each gain."""
    table = {"before": (0.0, 0.0), **gains}
    draws = np.concatenate([[0.0], spread * np.linspace(-1, 1, 201)])
    trial: Any = SimpleNamespace(halves=(0, 1), score=lambda name, half: table[name][half] * (1 + draws))
    names: Any = tuple(gains)
    before: Any = Named("before")
    found, note = best_change(before, names, trial)
    assert found == (taken if sure else "before")
    assert (note == "kept") == (found == "before")


def test_without_days_to_resample_nothing_is_sure() -> None:
    trial: Any = SimpleNamespace(halves=(0, 1), score=lambda name, _: np.array([float(name == "better")]))
    names: Any = ("better",)
    before: Any = Named("before")
    assert best_change(before, names, trial) == ("before", "kept")


@pytest.mark.parametrize(("on_the_other", "taken"), [(0.1, True), (-0.1, False)])
def test_shares_of_leverage_are_judged_on_the_half_that_did_not_fit_them(
    on_the_other: float, taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fitted to themselves, both halves would gain."""
    config = small_config()
    n_levels = config.leverage.levels().size
    halves = tuple(np.arange(4) % 2 == k for k in (0, 1))

    def fitted(swept: FloatArray, recorded: FloatArray, prior: FloatArray, *, ranks_only: bool) -> FloatArray:
        return np.eye(n_levels)[int(recorded[0])]  # the number of the half

    def score(of: HeatmapConfig, half: FloatArray) -> FloatArray:
        if of is config:
            return np.zeros(201)
        own = int(np.argmax(of.leverage.weight)) == int(half[1])
        return np.linspace(0.9, 1.1, 201) * (1.0 if own else on_the_other)

    recorded = np.array([[0.0, 1.0, 0.0, 1.0]] * 2)
    hours = SimpleNamespace(recorded=recorded, total=lambda swept: swept)
    trial: Any = SimpleNamespace(
        ground=None, hours=hours, halves=halves, inside=np.array([True] * 4), score=score
    )
    levels_of = [SimpleNamespace(swept=np.ones((2, 4)))] * n_levels
    monkeypatch.setattr(search, "estimate_by_level", lambda *_: levels_of)
    monkeypatch.setattr(search, "fit_shares", fitted)
    found, note = search.best_weights(config, trial, ranks_only=True)
    assert (found != config) == taken
    assert (note == "kept") == (not taken)


@pytest.mark.parametrize("seed", range(2))
def test_chance_changes_nothing(seed: int, market: Inputs, few_steps: Any) -> None:
    """Totals without any relation to the candles; one of four steps may be taken by accident."""
    rng = np.random.default_rng(seed)
    totals = market["liquidations"].copy()
    totals[["long", "short"]] = rng.lognormal(0, 1, (len(totals), 2))
    found = calibrate(**{**market, "liquidations": totals}, config=WRONG)
    assert list(found.provenance["steps"].values()).count("kept") >= 3  # of four that could be taken


def test_a_recording_that_is_too_short_is_refused_with_its_hours() -> None:
    candles = random_candles(12 * 24 * 30, seed=1)
    date = candles["date"].dt.floor("1h").drop_duplicates().iloc[100:698]
    totals = pd.DataFrame({"date": date, "long": 1.0, "short": 2.0})
    message = "each part must hold at least 200 hours with a recording, received 149"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        calibrate(candles, small_config(), liquidations=totals)
    with pytest.raises(DataError, match=f"candles must reach past the warm-up of {small_config().warmup} "):
        calibrate(candles.iloc[:30], small_config(), liquidations=totals)
    elsewhere = totals.assign(date=totals["date"] + pd.Timedelta("900D"))
    with pytest.raises(DataError, match=r"liquidations must cover hours of the candles .* received 2028-"):
        calibrate(candles, small_config(), liquidations=elsewhere)


def test_only_hours_within_the_dates_are_used(market: Inputs, few_steps: Any) -> None:
    first, last = (pd.Timestamp(day, tz="UTC") for day in ("2026-01-09 06:00", "2026-02-13"))
    provenance = calibrate(**market, config=WRONG, first=first, last=last).provenance
    assert provenance["in sample"]["from"] == first.isoformat()
    assert provenance["out of sample"]["to"] == (last - pd.Timedelta("1h")).isoformat()


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5, float("nan")])
def test_a_share_that_leaves_no_part_is_refused(share: float, market: Inputs) -> None:
    with pytest.raises(ConfigError, match="share must be between 0 and 1, received"):
        calibrate(**market, share=share)


def test_a_complete_recording_tells_what_share_is_forced(market: Inputs, few_steps: Any) -> None:
    """A fifth of what the map sweeps was recorded: a fifth of what is touched is force-closed."""
    fifth = market["liquidations"].copy()
    first = calibrate(**market, config=WRONG, ranks_only=False).config.cascade
    fifth[["long", "short"]] *= 0.2 / first.recorded_share
    found = calibrate(**{**market, "liquidations": fifth}, config=WRONG, ranks_only=False).config.cascade
    assert found.recorded_share == pytest.approx(0.2)
    assert found.forced_share == found.recorded_share
    assert first.forced_share == min(first.recorded_share, 1.0)
