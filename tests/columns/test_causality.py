"""Promises one and two: no row depends on later candles, nor on any before the last `config.warmup`."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.frames import (
    CANDLE,
    SEEDED,
    Frames,
    markets,
    random_candles,
    random_funding,
    random_open_interest,
    small_config,
    small_configs,
)
from liqfeature import COLUMNS, HeatmapConfig, liquidation_features
from liqfeature.estimate.flow import FlowRule
from liqfeature.estimate.prepare import prepare_scan, walk_market
from liqfeature.market.market import JoinRule, Market

DEFAULT = HeatmapConfig()
KINDS = [
    "candles only",
    "open interest",
    "hourly open interest",
    "gaps, funding, holes",
    "stamps that change their meaning",
    "contracts",
]
CONFIGS = {kind: HeatmapConfig.for_exchange("gate") if kind == "contracts" else DEFAULT for kind in KINDS}


def big_market(kind: str, n: int = 4000, volatility: float = 0.002) -> Frames:
    """A market on which the default configuration warms up."""
    gappy = kind == KINDS[3]
    candles = random_candles(
        n, KINDS.index(kind), volatility=volatility, gaps=0.002 * gappy, idle=0.01 * gappy
    )
    if kind == KINDS[0]:
        return Frames(candles)
    every = 12 if kind == KINDS[2] else 1
    opening_from = 0.7 if kind == KINDS[4] else 1.0
    rows = random_open_interest(candles, 7, every=every, holes=0.1 * gappy, opening_from=opening_from)
    if kind == KINDS[5]:
        candles["volume"], rows["open_interest_amount"] = (
            (candles["volume"] * 1e4).round(),
            rows["open_interest_amount"] * 1e4,
        )
    return Frames(candles, rows, random_funding(candles, 9, size=5e-4) if gappy else None)


def features_of(market: Frames, config: HeatmapConfig) -> pd.DataFrame:
    return liquidation_features(market.candles, config, **market.inputs())


def known_by(market: Frames, k: int) -> Frames:
    """What could be known at the close of candle k - 1: rows stamped before it, in every frame."""
    candles = market.candles.iloc[:k]
    close = candles["date"].iloc[-1] + pd.Timedelta(CANDLE, unit="ms")
    cut = {name: None if f is None else f[f["date"] <= close] for name, f in market.inputs().items()}
    return Frames(candles, **cut)


def scrambled_after(market: Frames, k: int, seed: int) -> Frames:
    """The same until the close of candle k - 1, and anything after it."""
    rng = np.random.default_rng(seed)
    close = market.candles["date"].iloc[k - 1] + pd.Timedelta(CANDLE, unit="ms")
    candles = market.candles.copy()
    factor = np.exp(rng.normal(1, 1)) * np.exp(np.cumsum(rng.normal(0, 0.01, len(candles) - k)))
    for column in ("open", "high", "low", "close"):
        candles.loc[candles.index[k:], column] *= factor
    candles.loc[candles.index[k:], "volume"] *= rng.lognormal(0, 3, len(candles) - k)
    others = {}
    for name, frame in market.inputs().items():
        if frame is not None:
            frame = frame.copy()
            for column in frame.columns.drop("date"):
                frame.loc[frame["date"] > close, column] *= rng.uniform(0.1, 1.3)  # fractions
        others[name] = frame
    return Frames(candles, **others)


def assert_same_rows(got: pd.DataFrame, want: pd.DataFrame) -> None:
    for column in COLUMNS:
        same = np.array_equal(got[column].to_numpy(), want[column].to_numpy(), equal_nan=True)
        assert same, (
            f"{column} differs first in row {np.argmax(got[column].to_numpy() != want[column].to_numpy())}"
        )


@pytest.mark.parametrize("kind", KINDS)
def test_a_prefix_gives_the_same_rows_to_the_last_bit(kind: str) -> None:
    market, config = big_market(kind), CONFIGS[kind]
    whole = features_of(market, config)
    assert set(whole.columns) == set(COLUMNS)
    assert whole.iloc[config.warmup - 1 :].notna().any().all()  # every column has something to compare
    for k in np.random.default_rng(1).integers(config.warmup, len(whole), 8):
        assert_same_rows(
            features_of(replace(market, candles=market.candles.iloc[:k]), config), whole.iloc[:k]
        )
        assert_same_rows(features_of(known_by(market, k), config), whole.iloc[:k])
        assert_same_rows(features_of(scrambled_after(market, k, int(k)), config).iloc[:k], whole.iloc[:k])


@settings(SEEDED, max_examples=40)
@given(markets(n=200), small_configs(), st.integers(1, 199))
def test_a_prefix_gives_the_same_rows_in_any_market(market: Frames, config: HeatmapConfig, k: int) -> None:
    whole = features_of(market, config)
    assert_same_rows(features_of(known_by(market, k), config), whole.iloc[:k])
    assert_same_rows(features_of(scrambled_after(market, k, k), config).iloc[:k], whole.iloc[:k])


@pytest.mark.parametrize("begin", [70, 100, 140])
def test_open_interest_that_begins_late_with_a_gap_tells_nothing_of_the_future(begin: int) -> None:
    candles = random_candles(160, begin)
    rows = random_open_interest(candles, 3, lead=0)
    market = Frames(candles, rows.drop(index=[*range(begin), begin + 1, begin + 2]))
    whole = features_of(market, small_config())
    for k in range(begin, begin + 12):
        assert_same_rows(features_of(known_by(market, k), small_config()), whole.iloc[:k])


def last_row(market: Frames, config: HeatmapConfig, end: int, rows: int) -> np.ndarray:
    """Last row of the frames that end before candle `end` and begin `rows` candles earlier."""
    candles = market.candles.iloc[end - rows : end]
    begin = candles["date"].iloc[0]
    others = {name: None if f is None else f[f["date"] >= begin] for name, f in market.inputs().items()}
    return features_of(Frames(candles, **others), config).iloc[-1].to_numpy()


@settings(SEEDED, max_examples=15)
@given(markets(n=300), small_configs())
def test_the_last_row_depends_on_warmup_candles_alone(market: Frames, config: HeatmapConfig) -> None:
    whole = features_of(market, config)
    for end in range(config.warmup, len(whole) + 1, 3):
        got = last_row(market, config, end, config.warmup)
        np.testing.assert_array_equal(got, whole.iloc[end - 1], err_msg=f"frame that ends before {end}")
        assert got[-1] > 0  # liq_quality: not masked as warming up


def test_a_lone_row_of_open_interest_between_long_gaps_is_forgotten() -> None:
    candles = random_candles(460, 1)
    rows = random_open_interest(candles, 1, lead=0)
    market = Frames(candles, rows.drop(index=[*range(3, 150), *range(151, 300)]))
    config = small_config()
    whole = features_of(market, config)
    for end in range(300 + config.warmup, 460, 7):
        got = last_row(market, config, end, config.warmup)
        np.testing.assert_array_equal(got, whole.iloc[end - 1], err_msg=f"frame that ends before {end}")


def test_open_interest_before_a_long_gap_is_forgotten() -> None:
    """A hole of ten candles, one row, nothing for ninety, then every candle: none waits for ten again."""
    candles, config = random_candles(240, 2), small_config()
    rows = random_open_interest(candles, 3, lead=0)
    market = Frames(candles, rows.drop(index=[*range(101, 110), *range(111, 200)]))
    whole = features_of(market, config)
    for end in range(202, 240):
        got = last_row(market, config, end, config.warmup)
        np.testing.assert_array_equal(got, whole.iloc[end - 1], err_msg=f"frame that ends before {end}")


@pytest.mark.parametrize("opening_from", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("every", [1, 2, 3, 6])
def test_units_and_stamps_that_rows_show_depend_on_warmup_candles_alone(
    every: int, opening_from: float
) -> None:
    flow = FlowRule(churn=0.5, scalp_churn=5.0, open_interest_in_contracts=True, volume_in_contracts=True)
    config = small_config(lookback=24, flow=flow)
    candles = random_candles(config.warmup + 120, every)
    rows = random_open_interest(candles, every, every=every, lead=0, opening_from=opening_from)
    candles["volume"] = (candles["volume"] * 10).round()
    rows["open_interest_amount"] *= 10
    market = Frames(candles, rows)
    whole = features_of(market, config)
    for end in range(config.warmup, len(candles)):
        got = last_row(market, config, end, config.warmup)
        np.testing.assert_array_equal(got, whole.iloc[end - 1], err_msg=f"frame that ends before {end}")


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_row_is_the_same_at_every_phase_of_a_generation(kind: str) -> None:
    # So calm that the oldest levels are still standing near price, and count.
    config = CONFIGS[kind]
    market = big_market(kind, config.warmup + 500, volatility=0.0003)
    whole = features_of(market, config)
    generation = config.max_age // 8
    tick = market.candles["date"].astype("int64").to_numpy() // CANDLE
    phases = {}
    for end in range(len(whole), config.warmup, -1):
        phases.setdefault(tick[end - 1] % generation, end)
    step = 1 if kind == KINDS[0] else 9
    ends = list(phases.values())[::step]
    assert len(ends) >= generation // step * 0.9
    for end in ends:
        got = last_row(market, config, end, config.warmup)
        np.testing.assert_array_equal(got, whole.iloc[end - 1], err_msg=f"frame that ends before {end}")


def test_what_is_usual_depends_on_warmup_candles_alone() -> None:
    """It decides in steps, so that the columns alone would seldom show a difference."""
    candles = big_market(KINDS[0], DEFAULT.warmup + 500, volatility=0.0003).candles
    whole = prepare_scan(Market.of(candles, JoinRule(lookback=DEFAULT.lookback)), DEFAULT)
    done = 0
    for end in range(DEFAULT.warmup + 1, len(candles), 19):
        part = candles.iloc[end - DEFAULT.warmup : end]
        scan = prepare_scan(Market.of(part, JoinRule(lookback=DEFAULT.lookback)), DEFAULT)
        scan.run(0, len(part))
        whole.run(done, end)
        done = end
        np.testing.assert_array_equal(scan.baseline.profile, whole.baseline.profile)
        np.testing.assert_array_equal(scan.baseline.level, whole.baseline.level)


def test_clusters_that_a_sweep_looks_back_at_depend_on_warmup_candles_alone() -> None:
    """The nearest cluster a horizon ago rests on what was usual then; blocks and generations end apart."""
    config = small_config(horizon=8, max_age=40, lookback=96)
    candles = random_candles(config.warmup + 200, 1, volatility=0.0003)
    whole = prepare_scan(Market.of(candles, JoinRule(lookback=config.lookback)), config)
    done = 0
    for end in range(config.warmup + 1, len(candles)):
        part = candles.iloc[end - config.warmup : end]
        scan = prepare_scan(Market.of(part, JoinRule(lookback=config.lookback)), config)
        scan.run(0, config.warmup - config.horizon)
        whole.run(done, end - config.horizon)
        done = end - config.horizon
        np.testing.assert_array_equal(scan.baseline.profile, whole.baseline.profile)


@pytest.mark.parametrize("config", [DEFAULT, small_config()], ids=["default", "small"])
def test_rows_of_the_map_that_are_not_read_change_no_row_that_is_shown(config: HeatmapConfig) -> None:
    candles = random_candles(config.warmup + 300, 4, volatility=0.002)
    whole = prepare_scan(Market.of(candles, JoinRule(lookback=config.lookback)), config)
    whole.run(0, len(candles))
    shown = walk_market(Market.of(candles, config.join_rule), config)
    first = config.warmup - 1
    assert np.isnan(shown.columns[:, :, : first - config.memory]).all()
    np.testing.assert_array_equal(shown.columns[:, :, first:], whole.columns[:, :, first:])


@pytest.mark.parametrize("every", [1, 12])
def test_frames_of_other_markets_that_share_warmup_candles_share_the_last_row(every: int) -> None:
    for seed in range(4):
        shared = random_candles(DEFAULT.warmup, seed, volatility=0.002, start="2026-01-09")
        rows = random_open_interest(shared, seed, every=every)
        funding = random_funding(shared, seed, size=5e-4)
        want = features_of(Frames(shared, rows, funding), DEFAULT).iloc[-1]
        for length, level in ((1, 1.0), (700, 3.0), (2000, 0.3)):
            past = random_candles(length, seed + 100, volatility=0.01)
            past[["open", "high", "low", "close"]] *= level
            past["volume"] *= 5.0
            past["date"] = shared["date"].iloc[0] - (length - np.arange(length)) * pd.Timedelta(
                CANDLE, unit="ms"
            )
            joined = pd.concat([past, shared], ignore_index=True)
            got = features_of(Frames(joined, rows, funding), DEFAULT).iloc[-1]
            np.testing.assert_array_equal(got.to_numpy(), want.to_numpy())


@pytest.mark.parametrize("config", [DEFAULT, small_config()], ids=["default", "small"])
def test_a_much_shorter_frame_does_not_give_the_last_row(config: HeatmapConfig) -> None:
    """Or else the tests above would show nothing."""
    candles = random_candles(2 * config.warmup, 2, volatility=0.002)
    whole, part = (
        prepare_scan(Market.of(frame, JoinRule(lookback=config.lookback)), config)
        for frame in (candles, candles.iloc[-config.max_age // 2 :])
    )
    whole.run(0, len(candles))
    part.run(0, config.max_age // 2)
    assert (whole.columns[:, :, -1] != part.columns[:, :, -1]).any()
