"""Dirty frames: refused with a DataError, or columns that keep every promise."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.dirty import DIRT, Inputs, dirty_market
from builders.frames import CANDLE, SEEDED, small_configs
from liqfeature import COLUMNS, DataError, HeatmapConfig, liquidation_features

LOWEST = np.array([column.lowest for column in COLUMNS.values()])
HIGHEST = np.array([column.highest for column in COLUMNS.values()])


def values_of(market: Inputs, config: HeatmapConfig) -> np.ndarray:
    inputs = {name: frame for name, frame in market.items() if name != "candles"}
    return liquidation_features(market["candles"], config, **inputs).to_numpy()


def between(market: Inputs, first: int, stop: int) -> Inputs:
    """What a bot that loads the candles `first` to `stop` can know at the close of the last of them."""
    candles = market["candles"].iloc[first:stop]
    begin, close = candles["date"].iloc[0], candles["date"].iloc[-1] + pd.Timedelta(CANDLE, unit="ms")
    if first == 0:
        begin = pd.Timestamp(0, tz="UTC")
    cut = {name: frame[frame["date"].between(begin, close)] for name, frame in market.items()}
    return cut | {"candles": candles}


def check_promises(market: Inputs, config: HeatmapConfig, stop: int) -> str:
    """Hold ranges, and that neither later nor older candles change a row; say what became of the market."""
    try:
        whole = values_of(market, config)
    except DataError:
        return "refused"
    known = ~np.isnan(whole)
    outside = (known & ~((whole >= LOWEST) & (whole <= HIGHEST))) | np.isinf(whole)
    assert not outside.any(), [*COLUMNS][int(np.argmax(outside.any(axis=0)))]
    stop = min(stop, len(whole))
    np.testing.assert_array_equal(values_of(between(market, 0, stop), config), whole[:stop])
    if stop < config.warmup:
        return "short"
    window = values_of(between(market, stop - config.warmup, stop), config)
    np.testing.assert_array_equal(window[-1], whole[stop - 1])
    return "holds"


@st.composite
def dirty_markets(draw: st.DrawFn) -> tuple[Inputs, HeatmapConfig, int]:
    """A market, a configuration, and a number of its candles."""
    kinds = draw(st.sets(st.sampled_from([*DIRT]), min_size=1, max_size=4))
    config = draw(small_configs()).changed({"cascade.recorded_share": 0.5})
    return dirty_market(draw(st.integers(0, 2**32 - 1)), kinds), config, draw(st.integers(80, 130))


@settings(SEEDED, max_examples=100)
@given(dirty_markets())
def test_a_dirty_market_is_refused_or_keeps_every_promise(drawn: tuple[Inputs, HeatmapConfig, int]) -> None:
    check_promises(*drawn)


@pytest.mark.slow
def test_two_thousand_dirty_markets_are_refused_or_keep_every_promise() -> None:
    found: Counter[str] = Counter()

    @settings(SEEDED, max_examples=2000)
    @given(dirty_markets())
    def check(drawn: tuple[Inputs, HeatmapConfig, int]) -> None:
        found[check_promises(*drawn)] += 1

    check()
    assert found["holds"] > 1000, found
    assert found["refused"] > 100, found
