import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.frames import (
    SEEDED,
    Frames,
    markets,
    random_candles,
    random_funding,
    random_open_interest,
    small_config,
    small_configs,
)
from builders.naive import NaiveScan, ages_of, levels_in, levels_of
from builders.scans import TENFOLD, aligned, quiet, scanned, steady_open_interest
from liqfeature import DataError, HeatmapConfig
from liqfeature.estimate.flow import FlowRule
from liqfeature.estimate.grid import PriceGrid
from liqfeature.estimate.kernels.exposure import HELD, SCALPS, Mixture
from liqfeature.estimate.kernels.read import READINGS
from liqfeature.estimate.prepare import prepare_scan
from liqfeature.estimate.scan import Scan
from liqfeature.scoring.maps.base import Ground
from liqfeature.scoring.maps.estimate import estimate, estimate_by_level
from liqfeature.sides import LONG, SHORT

SCALPED = replace(TENFOLD, scalp_leverage=10, scalp_share=0.25)
"""The same, but a quarter of it is scalps."""

KNOWN_AT_FIVE = pd.Timestamp("2025-12-31 23:30", tz="UTC")
"""Funding stamped so is known an hour later, at the close of candle 5 (counted from 0) after midnight."""


def held(scan: Scan, side: int) -> float:
    return sum(amount for (s, _), amount in levels_of(scan).items() if s == side)


def mean_age(scan: Scan, t: int) -> float:
    """Weighted by amount, over both books."""
    levels, ages = levels_of(scan), ages_of(scan, t)
    return sum(amount * ages[key] for key, amount in levels.items()) / sum(levels.values())


def held_in(scan: Scan, holding: int, side: int) -> float:
    return sum(amount for (s, _), amount in levels_in(scan, holding).items() if s == side)


def weights(config: HeatmapConfig) -> tuple[np.ndarray, np.ndarray]:
    """Share of open interest at each level, held and scalps, as the docstring of the prior has it."""
    shares, levels = config.leverage.shares(), config.leverage.levels()
    scalps = shares * config.leverage.scalp_share * (levels >= config.leverage.scalp_leverage)
    return shares - scalps, scalps


def with_leverage(config: HeatmapConfig, **changes: Any) -> HeatmapConfig:
    return replace(config, leverage=replace(config.leverage, **changes))


def prices_of(scan: Scan, side: int) -> list[float]:
    """Lower edges of the side's occupied bins, as prices."""
    return sorted(math.exp(b * scan.config.grid.width) for s, b in levels_of(scan) if s == side)


# --- the twin --------------------------------------------------------------------------------------------


def assert_twin(market: Frames, config: HeatmapConfig) -> dict[bool, float]:
    """Return how much of each holding rested at the candles at which the books were compared."""
    candles = aligned(market, config)
    scan, twin = prepare_scan(candles, config), NaiveScan(candles, config)
    seen = {False: 0.0, True: 0.0}
    for t in range(len(market.candles)):
        scan.run(t, t + 1)
        twin.step(t)
        if t % 7 == 0 or t == len(market.candles) - 1:
            for scalp, holding in ((False, HELD), (True, SCALPS)):
                got, want = levels_in(scan, holding), twin.levels(scalp=scalp)
                assert set(got) == set(want)
                assert list(got.values()) == pytest.approx([want[key] for key in got], rel=1e-9, abs=0)
                seen[scalp] += float(sum(want.values()))
            ages = twin.ages(t)
            assert ages_of(scan, t) == pytest.approx(ages, rel=1e-6, abs=1e-6)
    swept = np.array(twin.swept).T.reshape(2, 2, -1)
    np.testing.assert_allclose(scan.swept[:2], swept, rtol=1e-9, atol=0)
    for side in (LONG, SHORT):
        for i, what in enumerate(READINGS):
            want = [row.get((what, side), np.nan) for row in twin.rows]
            got = scan.columns[side, i]
            np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-9, err_msg=f"{what} {side}")
    return seen


@settings(SEEDED, max_examples=25)
@given(markets(n=110), small_configs())
def test_books_sweeps_and_readings_are_those_of_a_list_of_positions(
    market: Frames, config: HeatmapConfig
) -> None:
    assert_twin(market, config)


@pytest.mark.parametrize("every", [0, 3])
@pytest.mark.parametrize("scalp_share", [0.0, 0.4, 1.0])
def test_the_twin_is_equal_whatever_the_share_of_scalps(scalp_share: float, every: int) -> None:
    candles = random_candles(110, every, volatility=0.004, jumps=0.05, idle=0.1)
    rows = random_open_interest(candles, 1, every=every) if every else None
    market = Frames(candles, rows, random_funding(candles, 2))
    seen = assert_twin(market, with_leverage(small_config(), scalp_share=scalp_share))
    assert seen[False] > 0  # below 20x
    assert (seen[True] > 0) is (scalp_share > 0)
    seen = assert_twin(market, with_leverage(small_config(), scalp_share=scalp_share, scalp_leverage=2))
    assert (seen[False] > 0) is (scalp_share < 1)
    assert (seen[True] > 0) is (scalp_share > 0)


# --- by hand ---------------------------------------------------------------------------------------------


def test_a_fall_through_ninety_sweeps_the_longs_opened_at_a_hundred() -> None:
    candles = quiet([(100, 100, 100), (100, 89, 95), (100, 95, 96)], [100.0, 0.0, 0.0])
    config = small_config(leverage=TENFOLD, flow=FlowRule(levered_share=0.5, churn=0.2))
    scan = scanned(Frames(candles, steady_open_interest(candles, 1000.0)), config)
    # A fifth of 100 contracts change hands, half of them levered: 10 long, 10 short.
    assert scan.swept[0, LONG].tolist() == pytest.approx([0, 10, 0])
    assert scan.swept[1, LONG, 1] == pytest.approx(10 * 90, rel=config.grid.width)
    assert not scan.swept[:, SHORT].any()
    assert held(scan, LONG) == 0
    assert held(scan, SHORT) == pytest.approx(10)
    assert prices_of(scan, SHORT) == pytest.approx([110], rel=config.grid.width)


def test_a_rise_through_a_hundred_and_ten_sweeps_the_shorts() -> None:
    candles = quiet([(100, 100, 100), (111, 100, 105)], [100.0, 0.0])
    config = small_config(leverage=TENFOLD, flow=FlowRule(levered_share=0.5, churn=0.2))
    scan = scanned(Frames(candles, steady_open_interest(candles, 1000.0)), config)
    assert scan.swept[0, SHORT].tolist() == pytest.approx([0, 10])
    assert scan.swept[1, SHORT, 1] == pytest.approx(10 * 110, rel=config.grid.width)
    assert not scan.swept[:, LONG].any()
    assert held(scan, LONG) == pytest.approx(10)
    assert prices_of(scan, LONG) == pytest.approx([90], rel=config.grid.width)


def test_what_is_near_but_not_touched_stays() -> None:
    edge = math.floor(math.log(90) / 0.002) * 0.002
    for low, gone in ((math.exp(edge + 0.0021), False), (math.exp(edge + 0.0019), True)):
        candles = quiet([(100, 100, 100), (100, low, 95)], [100.0, 0.0])
        config = small_config(leverage=TENFOLD)
        scan = scanned(Frames(candles, steady_open_interest(candles, 1000.0)), config)
        assert (held(scan, LONG) == 0) is gone


def test_a_fall_of_open_interest_shrinks_the_map_and_a_rise_opens_at_earlier_prices() -> None:
    candles = quiet([(100, 100, 100)] * 2 + [(200, 200, 200)] * 2, [100.0, 0.0, 0.0, 0.0])
    config = small_config(leverage=TENFOLD, flow=FlowRule(levered_share=0.5, churn=0.2))
    date = pd.date_range("2025-12-31 23:45", periods=7, freq="5min", tz="UTC")
    for amounts, longs in (
        ([1000, 1000, 1000, 1000, 500, 500, 500], [10, 5, 5, 5]),
        # 200 more, half of them levered, known at 00:10 and opened in the only candle that traded.
        ([1000, 1000, 1000, 1000, 1200, 1200, 1200], [10, 110, 110, 110]),
    ):
        rows = pd.DataFrame({"date": date, "open_interest_amount": amounts})
        market = Frames(candles, rows)
        scan = prepare_scan(aligned(market, config), config)
        for t, want in enumerate(longs):
            scan.run(t, t + 1)
            assert held(scan, LONG) == pytest.approx(want), (amounts, t)
        assert prices_of(scan, LONG) == pytest.approx([90], rel=config.grid.width)
        assert held(scan, SHORT) == 0  # price has leapt from 100 over 110 to 200


def test_a_late_rise_leaves_out_what_price_has_crossed_since() -> None:
    hourly = pd.DataFrame(
        {
            "date": pd.date_range("2025-12-31 20:00", periods=7, freq="h", tz="UTC"),
            "open_interest_amount": [1000.0] * 5 + [1200.0] * 2,
        }
    )
    config = small_config(leverage=TENFOLD, lookback=60, flow=FlowRule(levered_share=0.5, churn=0.2))
    for low, high, longs, shorts in ((99, 101, 100, 100), (89, 101, 0, 100), (99, 111, 100, 0)):
        # All trade at 100 between 00:00 and 01:00, all known at 02:00; price moves in between.
        calm = [(100.0, 100.0, 100.0)]
        candles = quiet(calm * 18 + [(high, low, 100)] + calm * 6, [100.0] * 12 + [0.0] * 13)
        before, after = (
            prepare_scan(aligned(Frames(candles, hourly), config), config),
            prepare_scan(aligned(Frames(candles, hourly), config), config),
        )
        before.run(0, 23)
        after.run(0, 24)
        assert held(after, LONG) - held(before, LONG) == pytest.approx(longs)
        assert held(after, SHORT) - held(before, SHORT) == pytest.approx(shorts)


def test_sweeps_take_what_is_held_and_scalps_alike() -> None:
    candles = quiet([(100, 100, 100), (100, 89, 95)], [100.0, 0.0])
    flow = FlowRule(levered_share=0.5, churn=0.2, scalp_churn=2.0)
    scan = prepare_scan(
        aligned(
            Frames(candles, steady_open_interest(candles, 1000.0)), small_config(leverage=SCALPED, flow=flow)
        ),
        small_config(leverage=SCALPED, flow=flow),
    )
    scan.run(0, 1)
    # Of what is held, 2 % of three quarters of 500 levered contracts; of the scalps, 20 % of a quarter.
    assert held_in(scan, HELD, LONG) == pytest.approx(7.5)
    assert held_in(scan, SCALPS, LONG) == pytest.approx(25)
    assert held_in(scan, HELD, SHORT) == pytest.approx(7.5)
    assert held_in(scan, SCALPS, SHORT) == pytest.approx(25)
    scan.run(1, 2)
    assert scan.swept[0, :, 1].tolist() == pytest.approx([32.5, 0])
    assert scan.swept[1, LONG, 1] == pytest.approx(32.5 * 90, rel=0.002)
    assert held(scan, LONG) == 0
    assert held(scan, SHORT) == pytest.approx(32.5)


def test_a_late_rise_is_split_as_open_interest_is_and_a_fall_takes_the_same_share_of_both() -> None:
    candles = quiet([(100, 100, 100)] * 4, [100.0, 0.0, 0.0, 0.0])
    flow = FlowRule(levered_share=0.5, churn=0.2, scalp_churn=2.0)
    config = small_config(leverage=SCALPED, flow=flow)
    date = pd.date_range("2025-12-31 23:45", periods=7, freq="5min", tz="UTC")
    for last, held_then, scalps_then in ((1200.0, 7.5 + 75, 25 + 25), (500.0, 3.75, 12.5)):
        amounts = [1000.0] * 4 + [last] * 3
        rows = pd.DataFrame({"date": date, "open_interest_amount": amounts})
        scan = scanned(Frames(candles, rows), config)
        for side in (LONG, SHORT):
            assert held_in(scan, HELD, side) == pytest.approx(held_then)
            assert held_in(scan, SCALPS, side) == pytest.approx(scalps_then)


def test_half_is_forgotten_after_trading_so_much_of_open_interest_and_of_scalps_sooner() -> None:
    """At 0.2, half of what is held is closed once ln 2 / 0.2 times open interest has traded."""
    flow = FlowRule(levered_share=0.5, churn=0.2, scalp_churn=5.0)
    config = small_config(leverage=SCALPED, flow=flow, max_age=8 * 4096)
    level = math.floor(math.log(90) / 0.002)
    for pieces in (100, 400):
        traded = 1000 * math.log(2) / 5.0 / pieces  # at each candle, of 1000 contracts
        candles = quiet([(100, 100, 100)] + [(101, 101, 101)] * 25 * pieces, [10.0] + [traded] * 25 * pieces)
        scan = prepare_scan(aligned(Frames(candles, steady_open_interest(candles, 1000.0)), config), config)

        def at_ninety(scan: Scan = scan) -> tuple[float, float]:
            holdings = (levels_in(scan, h) for h in (HELD, SCALPS))
            kept, scalped = (levels.get((LONG, level), 0.0) for levels in holdings)
            return kept, scalped

        scan.run(0, 1)
        first = at_ninety()
        assert first == pytest.approx((0.75 * 0.5 * 0.2 * 10, 0.25 * 0.5 * 5.0 * 10))
        scan.run(1, 1 + pieces)
        kept, scalped = at_ninety()
        assert scalped / first[1] == pytest.approx((1 - 5.0 * traded / 1000) ** pieces, rel=1e-9)
        assert scalped / first[1] == pytest.approx(0.5, rel=0.4 / pieces)
        assert kept / first[0] == pytest.approx(0.5 ** (1 / 25), rel=1e-4)
        scan.run(1 + pieces, 1 + 25 * pieces)
        kept, scalped = at_ninety()
        assert kept / first[0] == pytest.approx(0.5, rel=1e-3)
        assert scalped / first[1] < 1.1 * 0.5**25


@pytest.mark.parametrize("scalp_share", [0, 1])
@pytest.mark.parametrize("rate", [0.01, -0.01])
def test_funding_paid_moves_liquidation_prices_up_and_received_down(rate: float, scalp_share: float) -> None:
    candles = quiet([(100, 100, 100)] * 9, [100.0] + [0.0] * 8)
    funding = pd.DataFrame({"date": [KNOWN_AT_FIVE], "funding_rate": [rate]})
    config = small_config(leverage=replace(SCALPED, scalp_share=scalp_share))
    market = Frames(candles, steady_open_interest(candles, 1000.0), funding)
    scan = prepare_scan(aligned(market, config), config)
    scan.run(0, 5)
    before = {side: prices_of(scan, side)[0] for side in (LONG, SHORT)}
    amounts = {side: held(scan, side) for side in (LONG, SHORT)}
    scan.run(5, 6)
    for side, price in ((LONG, 90), (SHORT, 110)):
        assert before[side] == pytest.approx(price, rel=config.grid.width)
        assert prices_of(scan, side)[0] == pytest.approx(before[side] * math.exp(rate), rel=1e-9)
        assert held(scan, side) == pytest.approx(amounts[side])


def test_payments_of_less_than_a_bin_add_up() -> None:
    candles = quiet([(100, 100, 100)] * 12, [100.0] + [0.0] * 11)
    date = pd.date_range(KNOWN_AT_FIVE, periods=4, freq="5min")
    funding = pd.DataFrame({"date": date, "funding_rate": 0.0008})  # of a bin: 0.4
    config = small_config(leverage=TENFOLD, max_age=160)
    market = Frames(candles, steady_open_interest(candles, 1000.0), funding)
    scan = prepare_scan(aligned(market, config), config)
    moved = []
    for t in range(12):
        scan.run(t, t + 1)
        (bins,) = [b for s, b in levels_of(scan) if s == LONG]
        moved.append(bins - math.floor(math.log(90) / 0.002))
    assert moved == [0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 2, 2]  # at 0.4, 0.8, 1.2 and 1.6 bins, to the nearest


def test_a_level_that_funding_would_move_past_price_waits_beside_it() -> None:
    candles = quiet([(100, 100, 100)] * 8 + [(100, 99.5, 100)], [100.0] + [0.0] * 8)
    date = pd.date_range(KNOWN_AT_FIVE, periods=2, freq="5min")
    funding = pd.DataFrame({"date": date, "funding_rate": 0.09})  # together over ln(100 / 90)
    config = small_config(leverage=TENFOLD)
    scan = prepare_scan(
        aligned(Frames(candles, steady_open_interest(candles, 1000.0), funding), config), config
    )
    scan.run(0, 8)
    amount = held(scan, LONG)
    assert amount > 0
    assert [b for s, b in levels_of(scan) if s == LONG] == [math.floor(math.log(100) / 0.002) - 1]
    assert prices_of(scan, SHORT) == pytest.approx([110 * math.exp(0.18)], rel=config.grid.width)
    scan.run(8, 9)
    assert held(scan, LONG) == 0
    assert scan.swept[0, LONG, 8] == pytest.approx(amount)


@pytest.mark.parametrize("scalp_share", [0, 1])
@pytest.mark.parametrize("begin", range(8))
def test_nothing_is_older_than_max_age_and_all_lives_an_eighth_less(begin: int, scalp_share: float) -> None:
    max_age = 32
    candles = quiet([(100, 100, 100)] * (begin + 34), [0.0] * begin + [100.0] + [0.0] * 33)
    config = small_config(leverage=replace(SCALPED, scalp_share=scalp_share), max_age=max_age, lookback=48)
    scan = prepare_scan(aligned(Frames(candles, steady_open_interest(candles, 200.0)), config), config)
    ages = []
    for t in range(len(candles)):
        scan.run(t, t + 1)
        if held(scan, LONG) > 0:
            ages.append(t - begin)
    assert ages == list(range(len(ages)))
    assert max_age - max_age // 8 <= ages[-1] + 1 <= max_age


def test_longer_silence_than_max_age_forgets_everything() -> None:
    candles = quiet([(100, 100, 100)] * 5, [100.0] * 5)
    late = candles.assign(date=candles["date"] + pd.Timedelta(minutes=5 * 40), volume=0.0)
    candles = pd.concat([candles, late], ignore_index=True)
    scan = prepare_scan(
        aligned(Frames(candles), small_config(leverage=TENFOLD)), small_config(leverage=TENFOLD)
    )
    scan.run(0, 5)
    assert held(scan, LONG) > 0
    scan.run(5, 6)
    assert held(scan, LONG) == 0 == held(scan, SHORT)


# --- invariants ------------------------------------------------------------------------------------------


@settings(SEEDED, max_examples=25)
@given(markets(), small_configs())
def test_live_amount_never_exceeds_the_levered_share_of_open_interest(
    market: Frames, config: HeatmapConfig
) -> None:
    scan = prepare_scan(aligned(market, config), config)
    for t in range(len(market.candles)):
        scan.run(t, t + 1)
        limit = config.flow.levered_share * scan.flow.open_interest[t]
        levels = levels_of(scan)
        assert min(levels.values(), default=0.0) >= 0
        for side in (LONG, SHORT):
            assert sum(a for (s, _), a in levels.items() if s == side) <= limit * (1 + 1e-12)
            for holding, weight in zip((HELD, SCALPS), weights(config), strict=True):
                assert held_in(scan, holding, side) <= limit * weight.sum() * (1 + 1e-12)
        price = scan.candles.close[t] + scan.origin
        assert all(b < math.floor(price) if s == LONG else b > math.floor(price) for s, b in levels)


@settings(SEEDED, max_examples=15)
@given(markets(), small_configs())
def test_levels_stay_until_touched_and_are_then_gone(market: Frames, config: HeatmapConfig) -> None:
    market = replace(market, funding_rate=None)
    scan = prepare_scan(aligned(market, config), config)
    length = config.max_age // 8
    before: set[tuple[int, int]] = set()
    for t in range(len(market.candles)):
        scan.run(t, t + 1)
        after = set(levels_of(scan))
        low, high = (math.floor(p[t] + scan.origin) for p in (scan.candles.low, scan.candles.high))
        untouched = {(s, b) for s, b in before if (b < low if s == LONG else b > high)}
        turned = t == 0 or scan.candles.tick[t] // length != scan.candles.tick[t - 1] // length
        if not turned and scan.candles.carried[t] > 0:
            assert untouched <= after
        if market.candles["volume"].iloc[t] == 0 and scan.flow.late[t] == 0:
            assert after <= untouched
        before = after


def test_swept_is_what_leaves_the_book() -> None:
    candles = random_candles(300, 4, volatility=0.006).assign(volume=50.0)
    candles.loc[150:, "volume"] = 0.0
    config = small_config(lookback=288, max_age=4096, flow=FlowRule(open_interest_days=20.0))
    market = Frames(candles, steady_open_interest(candles, 1000.0))
    scan = prepare_scan(aligned(market, config), config)
    scan.run(0, 150)
    before = {side: held(scan, side) for side in (LONG, SHORT)}
    scan.run(150, 300)
    for side in (LONG, SHORT):
        assert scan.swept[0, side, 150:].sum() > 0
        assert before[side] - scan.swept[0, side, 150:].sum() == pytest.approx(held(scan, side), rel=1e-9)


def test_a_walk_in_steps_ends_where_one_walk_ends() -> None:
    candles = random_candles(200, 5)
    market = Frames(candles, random_open_interest(candles, 5), random_funding(candles, 5))
    whole = scanned(market, small_config())
    steps = prepare_scan(aligned(market, small_config()), small_config())
    for first, stop in ((0, 1), (1, 77), (77, 77), (77, 200)):
        steps.run(first, stop)
    np.testing.assert_array_equal(steps.columns, whole.columns)
    assert levels_of(steps) == levels_of(whole)


def mirrored_offsets(mixture: Mixture) -> Mixture:
    """Longs as far from liquidation, in logarithm, as shorts."""
    return mixture._replace(offset=np.stack([-mixture.offset[SHORT], mixture.offset[SHORT]]))


@settings(SEEDED, max_examples=12)
@given(st.integers(0, 10_000), st.booleans())
def test_mirrored_prices_swap_what_lies_above_and_below(seed: int, with_open_interest: bool) -> None:
    config = small_config(grid=PriceGrid(width=0.002, smoothing=2))
    candles = random_candles(150, seed, volatility=0.004, gaps=0.02)
    rows = (
        random_open_interest(candles, seed).drop(columns="open_interest_value")
        if with_open_interest
        else None
    )
    pivot = 2 * 2300 * config.grid.width  # of ln(price), so that bin b becomes bin 4599 - b
    mirrored = candles.assign(
        **{new: np.exp(pivot - np.log(candles[old])) for new, old in (("open", "open"), ("close", "close"))},
        high=np.exp(pivot - np.log(candles["low"])),
        low=np.exp(pivot - np.log(candles["high"])),
    )
    scans = []
    for frame in (candles, mirrored):
        scan = prepare_scan(aligned(Frames(frame, rows), config), config)
        scan = replace(scan, mixture=mirrored_offsets(scan.mixture))
        scan.run(0, len(frame))
        scans.append(scan)
    one, other = scans
    want = {(1 - side, 4599 - b): amount for (side, b), amount in levels_of(one).items()}
    got = levels_of(other)
    assert set(got) == set(want)
    assert list(got.values()) == pytest.approx([want[key] for key in got], rel=1e-9)
    np.testing.assert_allclose(other.swept[0], one.swept[0, ::-1], rtol=1e-9)
    readings = {what: i for i, what in enumerate(READINGS)}
    i = readings["hit"]
    np.testing.assert_allclose(other.columns[:, i], one.columns[::-1, i], rtol=1e-7, atol=1e-9)
    for what in ("near", "peak", "far"):
        i = readings[what]
        logs = pivot - np.log(one.columns[::-1, i])
        np.testing.assert_allclose(np.log(other.columns[:, i]), logs, rtol=1e-12)


def test_a_map_shrunk_beyond_the_smallest_number_takes_new_positions() -> None:
    """Open interest that falls to a millionth at each of 60 candles leaves nothing; 1e-360 is no number."""
    n = 62
    candles = quiet([(100, 100, 100)] * n, [1.0] * n)
    config = small_config(leverage=SCALPED, max_age=8 * 216)
    start = pd.Timestamp("2026-01-01 18:00", tz="UTC")  # with which a generation of 216 candles begins
    assert start.timestamp() // 300 % 216 == 0
    candles["date"] = pd.date_range(start, periods=n, freq="5min")
    scan = prepare_scan(aligned(Frames(candles), config), config)
    carried, opened = np.full(n, 1e-6), np.zeros(n)
    carried[[0, -1]], opened[[0, -1]] = 1.0, 10.0
    scan = replace(
        scan,
        candles=scan.candles._replace(carried=carried, opened=np.stack([opened, opened])),
    )
    done = 0
    for t, want in ((0, 10.0), (1, 10e-6), (30, 10e-180), (n - 1, 10.0)):
        scan.run(done, t + 1)
        done = t + 1
        for holding, share in ((HELD, 0.75), (SCALPS, 0.25)):
            kept = float(np.prod(scan.candles.kept[holding, 1 : t + 1])) if t < n - 1 else 1.0
            assert held_in(scan, holding, LONG) == pytest.approx(share * want * kept, rel=1e-9)
            assert held_in(scan, holding, SHORT) == held_in(scan, holding, LONG)


# --- held and scalps -------------------------------------------------------------------------------------


@settings(SEEDED, max_examples=12)
@given(markets(), small_configs())
def test_scalps_that_turn_over_as_slowly_as_the_rest_change_nothing(
    market: Frames, config: HeatmapConfig
) -> None:
    config = replace(config, flow=replace(config.flow, scalp_churn=config.flow.churn))
    alone, split = (scanned(market, with_leverage(config, scalp_share=share)) for share in (0.0, 0.4))
    assert held_in(alone, SCALPS, LONG) == 0
    np.testing.assert_allclose(split.columns, alone.columns, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(split.swept, alone.swept, rtol=1e-9, atol=0)
    got, want = levels_of(split), levels_of(alone)
    assert set(got) == set(want)
    assert list(got.values()) == pytest.approx([want[key] for key in got], rel=1e-9, abs=0)


@settings(SEEDED, max_examples=12)
@given(markets(), small_configs())
def test_no_share_of_scalps_is_no_leverage_of_scalps_to_the_last_bit(
    market: Frames, config: HeatmapConfig
) -> None:
    none = scanned(market, with_leverage(config, scalp_share=0.0))
    beyond = scanned(market, with_leverage(config, scalp_leverage=50.1, scalp_share=1.0))
    np.testing.assert_array_equal(none.columns, beyond.columns)
    np.testing.assert_array_equal(none.swept, beyond.swept)
    assert levels_of(none) == levels_of(beyond)
    at_most = scanned(market, with_leverage(config, scalp_leverage=50, scalp_share=1.0))
    assert (at_most.columns != none.columns).any()  # 50x exists, and is scalped from 50x on


def test_scalps_are_younger() -> None:
    candles = random_candles(600, 8, volatility=0.004)
    market = Frames(candles, random_open_interest(candles, 8))
    held_long, scalped = (
        scanned(market, with_leverage(small_config(), scalp_leverage=2, scalp_share=share))
        for share in (0.0, 1.0)
    )
    assert mean_age(scalped, 599) < 0.7 * mean_age(held_long, 599)


@settings(SEEDED, max_examples=8)
@given(markets(n=120), small_configs())
def test_books_and_sweeps_are_sums_over_the_levels_of_leverage(market: Frames, config: HeatmapConfig) -> None:
    """Calibration relies on it. The shares are those of open interest, before scalps are told apart."""
    ground = Ground(
        market=aligned(market, config),
        grid=config.grid,
        origins=np.array([30, 60, 61, 119]),
        n_window=config.grid.n_window(config.band),
    )
    whole, by_level = estimate(ground, config), estimate_by_level(ground, config)
    shares = config.leverage.shares()
    assert len(by_level) == shares.size == config.leverage.levels().size
    for name in ("swept", "window"):
        total = sum(share * getattr(alone, name) for share, alone in zip(shares, by_level, strict=True))
        np.testing.assert_allclose(total, getattr(whole, name), rtol=1e-9, atol=1e-300, err_msg=name)
    assert whole.window.any()


def test_each_level_keeps_its_place_and_its_share_of_scalps_when_it_is_alone() -> None:
    candles = quiet([(100, 100, 100)] * 2, [100.0, 0.0])
    market = Frames(candles, steady_open_interest(candles, 1000.0))
    config = small_config(flow=FlowRule(levered_share=0.5, churn=0.2, scalp_churn=2.0))
    leverages = config.leverage.levels()
    for k, leverage in enumerate(leverages):
        weight = tuple(float(i == k) for i in range(leverages.size))
        scan = scanned(market, with_leverage(config, weight=weight))
        scalped = 0.4 if leverage >= 20 else 0.0
        assert held_in(scan, HELD, SHORT) == pytest.approx(500 * 0.02 * (1 - scalped))
        assert held_in(scan, SCALPS, SHORT) == pytest.approx(500 * 0.2 * scalped)
        price = 100 * (1 + 1 / leverage) / 1.004
        assert prices_of(scan, SHORT) == pytest.approx([price], rel=config.grid.width)


def test_funding_that_would_need_a_map_of_a_gigabyte_is_refused_before_it_is_made() -> None:
    """Each payment within its limit, but nine percent of notional every third hour for a year."""
    day = pd.date_range("2026-01-01", periods=400, freq="1D", tz="UTC")
    date = pd.date_range(day[0], periods=9600, freq="1h")
    funding = pd.DataFrame({"date": date, "funding_rate": np.resize([0.09, 1e-4, 1e-4], date.size)})
    config = small_config(max_age=320, grid=PriceGrid(width=0.0001))
    market = Frames(random_candles(400, 1).assign(date=day), None, funding)
    rule = r"at most 1000000 bins of width 0.0001, received \d{7}, \d{7} of them for funding$"
    with pytest.raises(DataError, match=rule):
        prepare_scan(aligned(market, config), config)
    funding["funding_rate"] /= 10
    assert prepare_scan(aligned(market, config), config).reading.centre.shape[1] < 600_000
