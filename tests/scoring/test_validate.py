"""What is scored is what users get, every map gets the same, and none sees what comes after."""

import dataclasses
import functools
import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from builders.frames import random_candles, random_funding, random_open_interest, small_config
from liqfeature import ConfigError, DataError, HeatmapConfig, estimate_heatmap, liquidation_features
from liqfeature.errors import LiqFeatureError
from liqfeature.estimate.kernels.read import CASCADE
from liqfeature.estimate.leverage import LeveragePrior
from liqfeature.market.market import Market
from liqfeature.scoring import validate as module
from liqfeature.scoring.maps import contenders as contenders_module
from liqfeature.scoring.maps.base import Ground, Prediction
from liqfeature.scoring.maps.baselines import BASELINES
from liqfeature.scoring.maps.contenders import (
    ALONE,
    DISTANCE,
    ESTIMATE,
    FAR,
    FAR_LEVERAGE,
    PATH_VOLUME,
    TRUTH,
)
from liqfeature.scoring.maps.estimate import estimate, estimate_by_level
from liqfeature.scoring.outcomes import Outcomes, outcomes_of
from liqfeature.scoring.scorecard import Scorecard
from liqfeature.sides import LONG, SHORT

CONFIG = small_config()
CANDLES = random_candles(12 * 24 * 14, seed=21)
HOURS = CANDLES["date"].dt.floor("1h").drop_duplicates().reset_index(drop=True)


def recorded(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {"date": HOURS, **{side: rng.lognormal(12, 2, len(HOURS)) for side in ("long", "short")}}
    )


def orders(candles: pd.DataFrame = CANDLES, seed: int = 0) -> pd.DataFrame:
    """Single orders, up to three in a candle, somewhere in its range."""
    rng = np.random.default_rng(seed)
    row = np.sort(rng.integers(0, len(candles), 3 * len(candles)))
    low, high = (candles[name].to_numpy()[row] for name in ("low", "high"))
    date = candles["date"].iloc[row].reset_index(drop=True) + pd.Timedelta("2min")
    return pd.DataFrame(
        {
            "date": date,
            "side": np.where(rng.random(row.size) < 0.5, "long", "short"),
            "price": rng.uniform(low, high),
            "notional": rng.lognormal(8, 1.5, row.size),
        }
    )


def inputs(seed: int = 3, *, candles: pd.DataFrame = CANDLES) -> dict[str, Any]:
    return {
        "open_interest": random_open_interest(candles, seed),
        "funding_rate": random_funding(candles, seed + 1, size=0.0005),
    }


@dataclasses.dataclass
class Seen:
    """What passed through `validate`: ground and maps, and what they were scored against."""

    ground: Ground
    maps: dict[str, Prediction]
    outcomes: Outcomes
    grounds: list[Ground]


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Run `validate` and return the card with what was compared."""

    def run(*args: Any, extra: dict[str, Any] | None = None, **kwargs: Any) -> tuple[Scorecard, Seen]:
        seen: dict[str, Any] = {"grounds": []}

        def noting(f: Any, ground: Ground, *rest: Any) -> Prediction:
            seen["grounds"].append(ground)
            prediction: Prediction = f(ground, *rest)
            return prediction

        def compared(ground: Ground, *rest: Any) -> dict[str, Prediction]:
            seen.update(ground=ground, maps=contenders_module.contenders(ground, *rest))
            return seen["maps"]  # type: ignore[no-any-return]

        def came(*rest: Any) -> Outcomes:
            seen["outcomes"] = outcomes_of(*rest)
            return seen["outcomes"]  # type: ignore[no-any-return]

        with monkeypatch.context() as patch:
            for name, f in {**BASELINES, **(extra or {})}.items():
                patch.setitem(BASELINES, name, functools.partial(noting, f))
            patch.setattr(contenders_module, "estimate", functools.partial(noting, estimate))
            patch.setattr(module, "contenders", compared)
            patch.setattr(module, "outcomes_of", came)
            card = module.validate(*args, **kwargs)
        return card, Seen(**seen)

    return run


# --- what is scored is what users get ---------------------------------------------------------------------


def test_what_is_scored_are_the_columns_that_users_get(watched: Any) -> None:
    frames = inputs()
    _, seen = watched(CANDLES, CONFIG, liquidations=recorded(), **frames)
    columns = liquidation_features(CANDLES, CONFIG, **frames)[["liq_swept_long", "liq_swept_short"]]
    hourly = columns.set_index(pd.DatetimeIndex(CANDLES["date"])).resample("1h").sum(min_count=12)
    known = hourly.notna().all(axis=1).to_numpy()
    assert known.sum() > 300
    ours = seen.maps[ESTIMATE].swept.reshape(2, -1, 12).sum(axis=2)
    forced = CONFIG.cascade.forced_share * ours[:, known]
    np.testing.assert_allclose(forced, hourly.to_numpy()[known].T)
    assert (hourly[known] > 0).mean().min() > 0.5


def test_the_window_is_what_the_columns_call_total(watched: Any) -> None:
    """Within the band, that is in its whole bins and, at its end, in part of one."""
    _, seen = watched(CANDLES, CONFIG, liquidations=recorded())
    columns = liquidation_features(CANDLES, CONFIG).iloc[seen.ground.origins]
    n = CONFIG.grid.n_window(CONFIG.band)
    for side, name in enumerate(("liq_total_below", "liq_total_above")):
        within = np.cumsum(seen.maps[ESTIMATE].window[:, side], axis=1)
        total = columns[name].to_numpy()
        assert (within[:, n - 2] <= total * (1 + 1e-9)).all()
        assert (total <= within[:, n] * (1 + 1e-9)).all()


def test_the_window_is_the_map_bin_by_bin_from_that_of_the_close() -> None:
    ground = ground_of(CANDLES.iloc[:1000])
    window = estimate(ground, CONFIG).window
    width = CONFIG.grid.width
    for i in (3, -1):
        heatmap = estimate_heatmap(CANDLES.iloc[: ground.origins[i] + 1], CONFIG)
        bins = np.round(np.log(heatmap.edge[:-1]) / width).astype(int)
        held = {
            LONG: dict(zip(bins, heatmap.long, strict=True)),
            SHORT: dict(zip(bins, heatmap.short, strict=True)),
        }
        at = math.floor(math.log(heatmap.close) / width)
        for side, sign in ((LONG, -1), (SHORT, 1)):
            expected = [held[side].get(at + sign * (entry + 1), 0.0) for entry in range(ground.n_window)]
            np.testing.assert_allclose(window[i, side], expected, rtol=1e-9)
            assert sum(expected) > 0


def test_the_estimate_is_the_sum_over_its_levels_of_leverage() -> None:
    ground = ground_of(CANDLES.iloc[:1000])
    levels, shares = estimate_by_level(ground, CONFIG), CONFIG.leverage.shares()
    whole = estimate(ground, CONFIG)
    assert len(levels) == shares.size > 5
    for what in ("swept", "window"):
        parts = sum(share * getattr(level, what) for share, level in zip(shares, levels, strict=True))
        np.testing.assert_allclose(parts, getattr(whole, what), rtol=1e-9, atol=1e-9)
        assert getattr(whole, what).max() > 0


def test_the_far_part_and_the_near_part_are_the_estimate() -> None:
    config = small_config(leverage=LeveragePrior(scalp_share=0.4))
    ground = ground_of(CANDLES.iloc[:1000])
    far = contenders_module.far_part(ground, config)
    near = config.leverage.levels() >= FAR_LEVERAGE
    levels, shares = estimate_by_level(ground, config), config.leverage.shares()
    rest = sum(s * level.swept for s, level, is_near in zip(shares, levels, near, strict=True) if is_near)
    np.testing.assert_allclose(far.swept + rest, estimate(ground, config).swept, rtol=1e-9, atol=1e-9)
    only_near = LeveragePrior(weight=tuple(near / near.sum()))
    assert contenders_module.far_part(ground, small_config(leverage=only_near)).window.max() == 0


def test_the_path_alone_knows_nothing_of_volume() -> None:
    rng = np.random.default_rng(4)
    part = CANDLES.iloc[:1000]
    other = part.assign(volume=part["volume"] * rng.lognormal(0, 1, 1000))
    ours, theirs = (contenders_module.contenders(ground_of(c), CONFIG, None) for c in (part, other))
    np.testing.assert_array_equal(ours[ALONE].swept, theirs[ALONE].swept)
    assert ours[ALONE].swept.max() > 0
    assert not np.array_equal(ours[ESTIMATE].swept, theirs[ESTIMATE].swept)


def ground_of(candles: pd.DataFrame, **frames: Any) -> Ground:
    known = Market.of(
        candles,
        CONFIG.join_rule,
        open_interest=frames.get("open_interest"),
        funding_rate=frames.get("funding_rate"),
    )
    return Ground(market=known, grid=CONFIG.grid, origins=np.arange(99, len(candles), 50), n_window=75)


def surging(patch: pytest.MonkeyPatch, liquidations: pd.DataFrame, config: HeatmapConfig = CONFIG) -> Any:
    """What `validate` hands to the scores of surges: the scan that has recordings, and rows."""
    seen: list[Any] = []
    with patch.context() as patched:
        patched.setattr(module, "_scores", lambda *given: [])
        patched.setattr(module, "score_surges", lambda *given: seen.extend(given) or iter(()))
        module.validate(CANDLES, config, liquidations=liquidations)
    _, informed, hours, rows, _ = seen
    return informed, hours, rows


@pytest.mark.parametrize("table", [recorded(), orders()], ids=["totals", "orders"])
def test_recordings_given_are_given_as_the_columns_know_them(
    table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    informed, _, rows = surging(monkeypatch, table)
    columns = liquidation_features(CANDLES, informed.config, liquidations=table)
    names = ["liq_cascade_below", "liq_cascade_above"]
    known = columns[names].to_numpy()[rows].T
    np.testing.assert_array_equal(informed.columns[:, CASCADE, rows], known)
    plain = liquidation_features(CANDLES, informed.config)[names].to_numpy()[rows].T
    assert (plain != known).mean() > 0.8


@pytest.mark.parametrize("table", [recorded(), orders()], ids=["totals", "orders"])
def test_no_alarm_knows_the_hour_that_ends_as_it_is_raised(
    table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last liquidations may reach a bot after it has analysed the candle: columns wait for one more."""
    before, _, rows = surging(monkeypatch, table)
    for row in rows[40:240:50]:
        begun = CANDLES["date"].iloc[row]
        ending = table["date"] >= (begun if "side" in table else begun.floor("1h"))
        amounts = [name for name in ("long", "short", "notional") if name in table]
        other = table.assign(**{name: table[name].where(~ending, 1000 * table[name]) for name in amounts})
        after = surging(monkeypatch, other)[0].market.liquidated
        np.testing.assert_array_equal(after[:, row], before.market.liquidated[:, row])
        assert (after[:, row + 12] > before.market.liquidated[:, row + 12]).all()


def test_the_share_that_is_recorded_is_measured_on_the_first_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    table = recorded()
    informed, hours, _ = surging(monkeypatch, table)
    early = np.flatnonzero(hours.known)[: int(0.35 * hours.known.sum())]
    swept = liquidation_features(CANDLES, CONFIG)[["liq_swept_long", "liq_swept_short"]]
    hourly = swept.to_numpy().reshape(-1, 12, 2).sum(axis=1)[early] / CONFIG.cascade.forced_share
    share = table[["long", "short"]].to_numpy()[early].sum() / hourly.sum()
    assert informed.config.cascade.recorded_share == pytest.approx(share)


def test_a_frame_in_the_place_of_the_configuration_is_refused() -> None:
    with pytest.raises(
        ConfigError, match="config must be a HeatmapConfig; frames go by keyword, received Data"
    ):
        module.validate(CANDLES, recorded())


# --- nothing sees what comes after ------------------------------------------------------------------------


def test_later_candles_and_orders_change_no_earlier_prediction(watched: Any) -> None:
    cut = 12 * 24 * 9 + 7
    rng = np.random.default_rng(0)
    later = CANDLES.copy()
    later.loc[cut:, ["open", "high", "low", "close"]] *= 1.07
    later.loc[cut:, "volume"] *= rng.lognormal(0, 1, len(later) - cut)
    frames, other = inputs(), inputs(candles=later)
    since = later["date"].iloc[cut]
    for name, frame in other.items():
        after = frame["date"] > since
        columns = [c for c in frame.columns if c != "date"]
        frame[columns] = np.where(after.to_numpy()[:, None], 1.3 * frame[columns], frames[name][columns])
    _, before = watched(CANDLES, CONFIG, liquidations=orders(), **frames)
    _, after = watched(later, CONFIG, liquidations=orders(later, seed=9), **other)
    early = before.ground.origins < cut
    assert 20 < early.sum() < early.size - 10
    np.testing.assert_array_equal(after.ground.origins[early], before.ground.origins[early])
    for name in (ESTIMATE, FAR, ALONE, *BASELINES):
        ours, theirs = before.maps[name], after.maps[name]
        np.testing.assert_allclose(theirs.swept[:, :cut], ours.swept[:, :cut], rtol=1e-9, err_msg=name)
        np.testing.assert_allclose(theirs.window[early], ours.window[early], rtol=1e-9, err_msg=name)
        assert not np.array_equal(theirs.swept[:, cut:], ours.swept[:, cut:])


def test_maps_know_nothing_of_what_they_are_scored_against(watched: Any) -> None:
    """But for the shape of distance-only, which is that of the estimate over the first origins."""
    _, one = watched(CANDLES, CONFIG, liquidations=orders())
    _, other = watched(CANDLES, CONFIG, liquidations=orders(seed=5))
    assert not np.array_equal(one.outcomes.forced, other.outcomes.forced)
    for name, map_ in one.maps.items():
        np.testing.assert_array_equal(map_.swept, other.maps[name].swept)
        np.testing.assert_array_equal(map_.window, other.maps[name].window)


def test_the_window_ends_where_the_outcome_begins(watched: Any) -> None:
    _, seen = watched(CANDLES, CONFIG, liquidations=orders(), hours_ahead=3)
    closing = (seen.ground.market.tick[seen.ground.origins] + 1) * 300_000
    assert (closing % (4 * 3_600_000) == 0).all()
    all_orders = orders()
    time = all_orders["date"].dt.as_unit("ms").astype("int64").to_numpy()
    for i in (0, 17, -1):
        inside = (time >= closing[i]) & (time < closing[i] + 3 * 3_600_000)
        assert 0 < seen.outcomes.forced[i].sum() <= all_orders["notional"][inside].sum() * (1 + 1e-12)
        nothing = outcomes_of(seen.ground, 36, all_orders[~inside]).forced
        assert nothing is not None
        assert nothing[i].sum() == 0


def test_a_map_that_leaks_scores_visibly_higher(watched: Any) -> None:
    """Orders lie anywhere, so that no map can know them; the leaks get what only the outcome holds."""
    all_orders = orders()

    def knows_places(ground: Ground) -> Prediction:
        forced = outcomes_of(ground, 48, all_orders).forced
        assert forced is not None
        return Prediction(swept=np.zeros((2, len(CANDLES))), window=forced)

    def knows_the_hour(ground: Ground) -> Prediction:
        hour = all_orders["date"].dt.floor("1h")
        swept = [
            all_orders["notional"].where(all_orders["side"] == side, 0.0).groupby(hour).sum().reindex(HOURS)
            for side in ("long", "short")
        ]
        none = np.zeros((len(ground.origins), 2, ground.n_window))
        return Prediction(swept=np.repeat(np.array(swept), 12, axis=1) / 12, window=none)

    leaks = {"knows places": knows_places, "knows the hour": knows_the_hour}
    card, _ = watched(CANDLES, CONFIG, liquidations=all_orders, extra=leaks)
    honest = [ESTIMATE, *BASELINES]
    for side in ("long", "short"):
        assert card.value("knows the hour", "rank", side) == pytest.approx(1)
        assert card.value("knows the hour", "partial", side) == pytest.approx(1)
        assert max(card.value(name, "partial", side) for name in honest) < 0.5
    gains = [card.value(name, "gain", "both") for name in honest]
    assert card.value("knows places", "gain", "both") > 0.3 + np.nanmax(gains)
    lifts = [card.value(name, "lift", "both") for name in honest]
    assert card.value("knows places", "lift", "both") > 0.3 + np.nanmax(lifts)


def test_sweeps_an_hour_early_score_higher_against_the_next_hour_than_the_estimate(watched: Any) -> None:
    """Recorded is what the estimate itself sweeps: moved by an hour it must lose, moved back it must win."""
    _, seen = watched(CANDLES, CONFIG, liquidations=recorded())
    swept = seen.maps[ESTIMATE].swept
    hourly = swept.reshape(2, -1, 12).sum(axis=2)
    totals = pd.DataFrame({"date": HOURS, "long": np.roll(hourly[0], 1), "short": np.roll(hourly[1], 1)})
    late = Prediction(swept=np.roll(swept, 12, axis=1), window=seen.maps[ESTIMATE].window)
    card, _ = watched(CANDLES, CONFIG, liquidations=totals, extra={"moved": lambda _: late})
    for side in ("long", "short"):
        assert card.value("moved", "rank", side) == pytest.approx(1)
        assert card.value("moved", "known", side) == pytest.approx(card.value(ESTIMATE, "known", side))
        assert card.value(ESTIMATE, "rank", side) < 0.5


def test_what_a_map_holds_is_compared_with_the_hour_that_follows_its_origin(watched: Any) -> None:
    totals = recorded()

    def holds(ground: Ground, ahead: int) -> Prediction:
        hour = (ground.market.tick[ground.origins] + 1) // 12 - ground.market.tick[0] // 12 + ahead
        window = np.zeros((len(ground.origins), 2, ground.n_window))
        window[:, :, 0] = totals[["long", "short"]].to_numpy()[hour]
        return Prediction(swept=np.zeros((2, len(CANDLES))), window=window)

    maps = {"next hour": functools.partial(holds, ahead=0), "hour before": functools.partial(holds, ahead=-1)}
    card, _ = watched(CANDLES, CONFIG, liquidations=totals, extra=maps)
    for side in ("long", "short"):
        assert card.value("next hour", "known", side) > 0.7
        assert abs(card.value("hour before", "known", side)) < 0.4


# --- nothing is handicapped -------------------------------------------------------------------------------


def test_every_map_gets_the_same_ground(watched: Any) -> None:
    card, seen = watched(CANDLES, CONFIG, liquidations=orders(), **inputs())
    assert len(seen.grounds) == len(BASELINES) + 3  # the estimate, its far part, and that of the path alone
    assert all(ground is seen.ground for ground in seen.grounds)
    assert list(seen.maps) == [ESTIMATE, FAR, ALONE, DISTANCE, *BASELINES]
    n = len(seen.ground.origins)
    for name, map_ in seen.maps.items():
        assert map_.swept.shape == (2, len(CANDLES)), name
        assert map_.window.shape == (n, 2, seen.ground.n_window), name
    for name in set(seen.maps) - {DISTANCE, PATH_VOLUME}:
        assert math.isfinite(card.value(name, "rank", "long"))
        assert math.isfinite(card.value(name, "gain", "both"))


def test_a_copy_of_the_estimate_scores_as_the_estimate_does(watched: Any) -> None:
    copy = {"copy": lambda ground: estimate(ground, CONFIG)}
    card, _ = watched(CANDLES, CONFIG, liquidations=orders(), extra=copy)
    ours, theirs = (
        {(s.measure, s.side): (s.value, s.low, s.high) for s in card.scores if s.map == name}
        for name in (ESTIMATE, "copy")
    )
    for at, numbers in theirs.items():
        assert numbers == pytest.approx(ours[at], nan_ok=True), at
    assert set(ours) - set(theirs) == {("placebo", side) for side in ("long", "short", "both")}


def test_the_positions_really_open_reach_all_of_the_oracle_as_a_baseline(watched: Any) -> None:
    """The same score, taken along the same path as any baseline's."""
    seen: dict[str, Any] = {}

    def truth_of(dates: Any) -> Iterator[pd.DataFrame]:
        """What will be forced in the next four hours, as the positions that rest there."""
        index = pd.Index(np.arange(2200, 2500), name="bin")
        rng = np.random.default_rng(8)
        for _ in dates:
            yield pd.DataFrame({name: rng.gamma(0.3, size=300) for name in ("long", "short")}, index=index)

    def rests(ground: Ground) -> Prediction:
        seen["window"] = module.true_windows(ground, truth_of)
        return Prediction(swept=np.zeros((2, len(CANDLES))), window=seen["window"])

    card, watched_ = watched(
        CANDLES,
        CONFIG,
        liquidations=orders_at(truth_of),
        extra={"as a baseline": rests},
        true_maps=truth_of,
    )
    np.testing.assert_array_equal(watched_.maps["as a baseline"].window, seen["window"])
    for side in ("long", "short", "both"):
        assert card.value("as a baseline", "of_oracle", side) == pytest.approx(1)
        assert card.value("as a baseline", "gain", side) == card.value(TRUTH, "gain", side)
        assert card.value("as a baseline", "lift", side) == card.value(TRUTH, "lift", side)
    assert card.value("as a baseline", "earth_mover", "both") == pytest.approx(0, abs=1e-9)
    assert card.value(TRUTH, "gain", "both") > 0.2
    assert math.isnan(card.value(TRUTH, "of_oracle", "both"))


def orders_at(truth_of: Any) -> pd.DataFrame:
    """Orders in proportion to what rests at their prices at the origin before them."""
    closing = pd.date_range(CANDLES["date"].iloc[0] + pd.Timedelta("8h"), CANDLES["date"].iloc[-1], freq="4h")
    return _orders_at(closing, truth_of)


def _orders_at(closing: pd.DatetimeIndex, truth_of: Any) -> pd.DataFrame:
    rows = []
    for date, held in zip(closing, truth_of(closing), strict=True):
        price = np.exp((held.index.to_numpy() + 0.5) * CONFIG.grid.width)
        for side in ("long", "short"):
            notional = held[side].to_numpy() * price
            rows.append(pd.DataFrame({"date": date, "side": side, "price": price, "notional": notional}))
    return pd.concat(rows, ignore_index=True)


# --- what is scored, and in which unit --------------------------------------------------------------------


def test_amounts_in_base_currency_change_the_amplitude_only_where_they_are_said_to() -> None:
    price = (CANDLES["close"] * CANDLES["volume"]).groupby(CANDLES["date"].dt.floor("1h")).sum()
    price /= CANDLES["volume"].groupby(CANDLES["date"].dt.floor("1h")).sum()
    quote = recorded()
    base = quote.assign(**{side: quote[side] / price.to_numpy() for side in ("long", "short")})
    known = module.validate(CANDLES, CONFIG, liquidations=quote)
    said = module.validate(CANDLES, CONFIG, liquidations=base, unit="base")
    wrong = module.validate(CANDLES, CONFIG, liquidations=base)
    for one, other in zip(known.scores, said.scores, strict=True):
        assert (one.map, one.measure, one.side) == (other.map, other.measure, other.side)
        assert one.value == pytest.approx(other.value, nan_ok=True)
    assert wrong.value(ESTIMATE, "amplitude", "long") > 50 * known.value(ESTIMATE, "amplitude", "long")


def test_hours_are_scored_after_the_warm_up_and_within_the_dates() -> None:
    first, last = HOURS.iloc[100], HOURS.iloc[200] - pd.Timedelta("1ms")
    whole, part = (
        module.validate(CANDLES, CONFIG, liquidations=recorded(), **dates)
        for dates in ({}, {"first": first, "last": last})
    )
    assert whole.about["scored"] == [HOURS.iloc[6].isoformat(), HOURS.iloc[-1].isoformat()]
    assert whole.about["hours"] == len(HOURS) - 6
    assert part.about["scored"] == [HOURS.iloc[100].isoformat(), HOURS.iloc[199].isoformat()]
    assert part.about["hours"] == 100
    assert part.about["origins"] == 25  # every fourth hour, whose next four lie within
    early = module.validate(CANDLES, CONFIG, liquidations=recorded(), first=CANDLES["date"].iloc[0])
    assert early.about["scored"] == whole.about["scored"]


def test_the_card_can_be_written_as_strict_json() -> None:
    card = module.validate(CANDLES, CONFIG, liquidations=recorded())
    values = json.loads(json.dumps(card.to_dict(), allow_nan=False))
    assert set(values) == {"about", "measures", "scores"}
    assert {score["measure"] for score in values["scores"]} <= set(values["measures"])


def test_orders_may_come_in_any_order(watched: Any) -> None:
    shuffled = orders().sample(frac=1, random_state=1).reset_index(drop=True)
    (one, _), (other, _) = (watched(CANDLES, CONFIG, liquidations=table) for table in (orders(), shuffled))
    for score in one.scores:
        value = other.value(score.map, score.measure, score.side)
        assert value == pytest.approx(score.value, nan_ok=True), (score.map, score.measure)


def test_a_recording_of_another_period_is_refused() -> None:
    other = recorded().assign(date=HOURS + pd.Timedelta("1000D"))
    with pytest.raises(LiqFeatureError, match="received"):
        module.validate(CANDLES, CONFIG, liquidations=other)


def test_candles_that_end_within_the_warm_up_are_refused() -> None:
    n = CONFIG.warmup
    with pytest.raises(DataError, match=f"candles must reach past the warm-up of {n} .* received {n}$"):
        module.validate(CANDLES.iloc[:n], CONFIG, liquidations=recorded())
    with pytest.raises(DataError, match="candles must reach past the warm-up"):
        module.validate(CANDLES, CONFIG, liquidations=recorded(), first=HOURS.iloc[-1] + pd.Timedelta("1D"))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"unit": "euro"}, "unit must be one of quote, base, received 'euro'"),
        ({"hours_between": 5}, "hours_between must be a divisor of 24, received 5"),
        ({"hours_between": 0}, "hours_between must be .*, received 0"),
        ({"hours_between": -4}, "hours_between must be .*, received -4"),
        ({"hours_ahead": 0}, "hours_ahead must be at least 1, received 0"),
    ],
)
def test_parameters_that_break_their_rule_are_refused(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=f"^{named}$"):
        module.validate(CANDLES, CONFIG, liquidations=recorded(), **changes)


def test_gaps_leave_out_their_hours_and_the_origins_before_them() -> None:
    missing = 12 * 200 + 5
    candles = CANDLES.drop(index=missing).reset_index(drop=True)
    whole, part = (
        module.validate(c, CONFIG, liquidations=recorded(), hours_between=1) for c in (CANDLES, candles)
    )
    assert whole.about["hours"] - part.about["hours"] == 1
    assert whole.about["origins"] - part.about["origins"] == 4
