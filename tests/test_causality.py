"""Promises one and two: no row depends on later candles, nor on any before the last `config.warmup`."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from frames import (
    CANDLE,
    SEEDED,
    Market,
    markets,
    random_candles,
    random_funding,
    random_open_interest,
    small_config,
    small_configs,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from liqfeature import COLUMNS, HeatmapConfig, liquidation_features
from liqfeature.candles import align
from liqfeature.heatmap import join_candles, prepare_scan, walk_candles

DEFAULT = HeatmapConfig()
KINDS = ["candles only", "open interest", "hourly open interest", "gaps, funding, holes"]


def big_market(kind: str, n: int = 4000, volatility: float = 0.002) -> Market:
    """A market on which the default configuration warms up."""
    gappy = kind == KINDS[3]
    candles = random_candles(
        n, KINDS.index(kind), volatility=volatility, gaps=0.002 * gappy, idle=0.01 * gappy
    )
    if kind == KINDS[0]:
        return Market(candles)
    every = 12 if kind == KINDS[2] else 1
    rows = random_open_interest(candles, 7, every=every, holes=0.1 * gappy)
    return Market(candles, rows, random_funding(candles, 9, size=5e-4) if gappy else None)


def features_of(market: Market, config: HeatmapConfig) -> pd.DataFrame:
    return liquidation_features(market.candles, config, **market.inputs())


def known_by(market: Market, k: int) -> Market:
    """What could be known at the close of candle k - 1: rows stamped before it, in every frame."""
    candles = market.candles.iloc[:k]
    close = candles["date"].iloc[-1] + pd.Timedelta(CANDLE, unit="ms")
    cut = {name: None if f is None else f[f["date"] <= close] for name, f in market.inputs().items()}
    return Market(candles, **cut)


def scrambled_after(market: Market, k: int, seed: int) -> Market:
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
                frame.loc[frame["date"] > close, column] *= rng.lognormal(0, 1)
        others[name] = frame
    return Market(candles, **others)


def assert_same_rows(got: pd.DataFrame, want: pd.DataFrame) -> None:
    for column in COLUMNS:
        same = np.array_equal(got[column].to_numpy(), want[column].to_numpy(), equal_nan=True)
        assert same, (
            f"{column} differs first in row {np.argmax(got[column].to_numpy() != want[column].to_numpy())}"
        )


@pytest.mark.parametrize("kind", KINDS)
def test_a_prefix_gives_the_same_rows_to_the_last_bit(kind: str) -> None:
    market = big_market(kind)
    whole = features_of(market, DEFAULT)
    assert set(whole.columns) == set(COLUMNS)
    assert whole.iloc[DEFAULT.warmup - 1 :].notna().any().all()  # every column has something to compare
    for k in np.random.default_rng(1).integers(DEFAULT.warmup, len(whole), 8):
        assert_same_rows(
            features_of(replace(market, candles=market.candles.iloc[:k]), DEFAULT), whole.iloc[:k]
        )
        assert_same_rows(features_of(known_by(market, k), DEFAULT), whole.iloc[:k])
        assert_same_rows(features_of(scrambled_after(market, k, int(k)), DEFAULT).iloc[:k], whole.iloc[:k])


@settings(SEEDED, max_examples=40)
@given(markets(n=200), small_configs(), st.integers(1, 199))
def test_a_prefix_gives_the_same_rows_in_any_market(market: Market, config: HeatmapConfig, k: int) -> None:
    whole = features_of(market, config)
    assert_same_rows(features_of(known_by(market, k), config), whole.iloc[:k])
    assert_same_rows(features_of(scrambled_after(market, k, k), config).iloc[:k], whole.iloc[:k])


@pytest.mark.parametrize("begin", [70, 100, 140])
def test_open_interest_that_begins_late_with_a_gap_tells_nothing_of_the_future(begin: int) -> None:
    candles = random_candles(160, begin)
    rows = random_open_interest(candles, 3, lead=0)
    market = Market(candles, rows.drop(index=[*range(begin), begin + 1, begin + 2]))
    whole = features_of(market, small_config())
    for k in range(begin, begin + 12):
        assert_same_rows(features_of(known_by(market, k), small_config()), whole.iloc[:k])


def last_row(market: Market, config: HeatmapConfig, end: int, rows: int) -> np.ndarray:
    """Last row of the frames that end before candle `end` and begin `rows` candles earlier."""
    candles = market.candles.iloc[end - rows : end]
    begin = candles["date"].iloc[0]
    others = {name: None if f is None else f[f["date"] >= begin] for name, f in market.inputs().items()}
    return features_of(Market(candles, **others), config).iloc[-1].to_numpy()


@settings(SEEDED, max_examples=15)
@given(markets(n=300), small_configs())
def test_the_last_row_depends_on_warmup_candles_alone(market: Market, config: HeatmapConfig) -> None:
    whole = features_of(market, config)
    for end in range(config.warmup, len(whole) + 1, 3):
        got = last_row(market, config, end, config.warmup)
        np.testing.assert_array_equal(got, whole.iloc[end - 1], err_msg=f"frame that ends before {end}")
        assert got[-1] > 0  # liq_quality: not masked as warming up


def test_a_lone_row_of_open_interest_between_long_gaps_is_forgotten() -> None:
    candles = random_candles(460, 1)
    rows = random_open_interest(candles, 1, lead=0)
    market = Market(candles, rows.drop(index=[*range(3, 150), *range(151, 300)]))
    config = small_config()
    whole = features_of(market, config)
    for end in range(300 + config.warmup, 460, 7):
        got = last_row(market, config, end, config.warmup)
        np.testing.assert_array_equal(got, whole.iloc[end - 1], err_msg=f"frame that ends before {end}")


def test_open_interest_before_a_long_gap_is_forgotten() -> None:
    """A hole of ten candles, one row, nothing for ninety, then every candle: none waits for ten again."""
    candles, config = random_candles(240, 2), small_config()
    rows = random_open_interest(candles, 3, lead=0)
    market = Market(candles, rows.drop(index=[*range(101, 110), *range(111, 200)]))
    whole = features_of(market, config)
    for end in range(202, 240):
        got = last_row(market, config, end, config.warmup)
        np.testing.assert_array_equal(got, whole.iloc[end - 1], err_msg=f"frame that ends before {end}")


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_row_is_the_same_at_every_phase_of_a_generation(kind: str) -> None:
    # So calm that the oldest levels are still standing near price, and count.
    market = big_market(kind, DEFAULT.warmup + 500, volatility=0.0003)
    whole = features_of(market, DEFAULT)
    generation = DEFAULT.max_age // 8
    tick = market.candles["date"].astype("int64").to_numpy() // CANDLE
    phases = {}
    for end in range(len(whole), DEFAULT.warmup, -1):
        phases.setdefault(tick[end - 1] % generation, end)
    step = 1 if kind == KINDS[0] else 9
    ends = list(phases.values())[::step]
    assert len(ends) >= generation // step * 0.9
    for end in ends:
        got = last_row(market, DEFAULT, end, DEFAULT.warmup)
        np.testing.assert_array_equal(got, whole.iloc[end - 1], err_msg=f"frame that ends before {end}")


def test_what_is_usual_depends_on_warmup_candles_alone() -> None:
    """It decides in steps, so that the columns alone would seldom show a difference."""
    candles = big_market(KINDS[0], DEFAULT.warmup + 500, volatility=0.0003).candles
    whole = prepare_scan(align(candles, None, None, lookback=DEFAULT.lookback), DEFAULT)
    done = 0
    for end in range(DEFAULT.warmup + 1, len(candles), 19):
        part = candles.iloc[end - DEFAULT.warmup : end]
        scan = prepare_scan(align(part, None, None, lookback=DEFAULT.lookback), DEFAULT)
        scan.run(0, len(part))
        whole.run(done, end)
        done = end
        np.testing.assert_array_equal(scan.usual.profile, whole.usual.profile)
        np.testing.assert_array_equal(scan.usual.ordered, whole.usual.ordered)


def test_clusters_that_a_sweep_looks_back_at_depend_on_warmup_candles_alone() -> None:
    """The nearest cluster a horizon ago rests on what was usual then; blocks and generations end apart."""
    config = small_config(horizon=8, max_age=40, lookback=96)
    candles = random_candles(config.warmup + 200, 1, volatility=0.0003)
    whole = prepare_scan(align(candles, None, None, lookback=config.lookback), config)
    done = 0
    for end in range(config.warmup + 1, len(candles)):
        part = candles.iloc[end - config.warmup : end]
        scan = prepare_scan(align(part, None, None, lookback=config.lookback), config)
        scan.run(0, config.warmup - config.horizon)
        whole.run(done, end - config.horizon)
        done = end - config.horizon
        np.testing.assert_array_equal(scan.usual.profile, whole.usual.profile)


@pytest.mark.parametrize("config", [DEFAULT, small_config()], ids=["default", "small"])
def test_rows_of_the_map_that_are_not_read_change_no_row_that_is_shown(config: HeatmapConfig) -> None:
    candles = random_candles(config.warmup + 300, 4, volatility=0.002)
    whole = prepare_scan(align(candles, None, None, lookback=config.lookback), config)
    whole.run(0, len(candles))
    shown = walk_candles(join_candles(candles, config, None, None), config)
    first = config.warmup - 1
    assert np.isnan(shown.columns[:, :, : first - config.memory]).all()
    np.testing.assert_array_equal(shown.columns[:, :, first:], whole.columns[:, :, first:])


@pytest.mark.parametrize("every", [1, 12])
def test_frames_of_other_markets_that_share_warmup_candles_share_the_last_row(every: int) -> None:
    for seed in range(4):
        shared = random_candles(DEFAULT.warmup, seed, volatility=0.002, start="2026-01-09")
        rows = random_open_interest(shared, seed, every=every)
        funding = random_funding(shared, seed, size=5e-4)
        want = features_of(Market(shared, rows, funding), DEFAULT).iloc[-1]
        for length, level in ((1, 1.0), (700, 3.0), (2000, 0.3)):
            past = random_candles(length, seed + 100, volatility=0.01)
            past[["open", "high", "low", "close"]] *= level
            past["volume"] *= 5.0
            past["date"] = shared["date"].iloc[0] - (length - np.arange(length)) * pd.Timedelta(
                CANDLE, unit="ms"
            )
            joined = pd.concat([past, shared], ignore_index=True)
            got = features_of(Market(joined, rows, funding), DEFAULT).iloc[-1]
            np.testing.assert_array_equal(got.to_numpy(), want.to_numpy())


@pytest.mark.parametrize("config", [DEFAULT, small_config()], ids=["default", "small"])
def test_a_much_shorter_frame_does_not_give_the_last_row(config: HeatmapConfig) -> None:
    """Or else the tests above would show nothing."""
    candles = random_candles(2 * config.warmup, 2, volatility=0.002)
    whole, part = (
        prepare_scan(align(frame, None, None, lookback=config.lookback), config)
        for frame in (candles, candles.iloc[-config.max_age // 2 :])
    )
    whole.run(0, len(candles))
    part.run(0, config.max_age // 2)
    assert (whole.columns[:, :, -1] != part.columns[:, :, -1]).any()
