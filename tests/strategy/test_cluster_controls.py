"""The controls as Freqtrade runs them, on stored data of a longer span than the candles it hands over."""

import numpy as np
import pandas as pd
import pytest
from freqtrade.data.history import get_datahandler
from freqtrade.enums import CandleType

from builders.driving import PAIR, Bot, settings_of
from builders.frames import random_candles, random_funding, random_open_interest
from liqfeature import HeatmapConfig, liquidation_features
from liqfeature.columns.features import COLUMNS

WARMUP = HeatmapConfig.for_pair(PAIR).warmup
EARLIER, N = 5 * 288, 300


@pytest.fixture(scope="module")
def market():
    candles = random_candles(EARLIER + WARMUP + N, seed=21, volatility=0.002)
    return candles, random_open_interest(candles, 22), random_funding(candles, 23, every=12, size=1e-4)


@pytest.fixture
def frame_of(make_bot, tmp_path, market):
    """Columns and signals of a strategy, on the candles that Freqtrade would hand over."""
    del make_bot  # opens no data base
    candles, interest, funding = market
    (tmp_path / "futures").mkdir()
    store = get_datahandler(tmp_path, "feather")
    store.ohlcv_store(PAIR, "5m", candles, CandleType.FUTURES)
    store.ohlcv_store(PAIR, "5m", interest, CandleType.OPEN_INTEREST)
    store.ohlcv_store(PAIR, "1h", funding, CandleType.FUNDING_RATE)

    def columns(name, *, stop=None):
        bot = Bot.beside(settings_of("binance", tmp_path) | {"strategy": name})
        strategy, meta = bot.strategy(), {"pair": PAIR}
        handed = candles[EARLIER:stop].reset_index(drop=True)
        frame = strategy.advise_all_indicators({PAIR: handed})[PAIR]
        frame = strategy.advise_exit(strategy.advise_entry(frame, meta), meta)
        bot.exchange.close()
        return frame

    return columns


@pytest.mark.parametrize("name", ["ShiftedColumns", "UsualDistances", "PathOnly"])
def test_a_control_replaces_columns_only_and_looks_at_nothing_later(frame_of, name):
    own, control = frame_of("LiquidationClusters"), frame_of(name)
    assert len(control) == len(own) == WARMUP + N
    kept = [c for c in own if not c.startswith(("liq_", "enter", "exit"))]
    pd.testing.assert_frame_equal(control[kept], own[kept], rtol=1e-9)
    assert not control[list(COLUMNS)].equals(own[list(COLUMNS)])
    part = frame_of(name, stop=-100)
    pd.testing.assert_frame_equal(part[list(COLUMNS)], control[list(COLUMNS)][:-100], check_exact=True)


def test_shifted_columns_are_those_of_five_days_before_from_the_first_traded_candle(frame_of, market):
    candles, interest, funding = market
    whole = liquidation_features(
        candles, HeatmapConfig.for_pair(PAIR), open_interest=interest, funding_rate=funding
    )
    found = frame_of("ShiftedColumns")
    for name in ("liq_distance_below", "liq_fuel_above", "liq_quality"):
        np.testing.assert_array_equal(found[name][WARMUP - 1 :], whole[name][WARMUP - 1 :][: N + 1])
    assert (found["liq_quality"][WARMUP - 1 :] > 0.5).all()


def test_usual_distances_keep_the_signals_and_say_where_for_every_row(frame_of):
    own, control = frame_of("LiquidationClusters"), frame_of("UsualDistances")
    signals = [c for c in own if c.startswith(("enter", "exit"))]
    ready = control[WARMUP - 1 :]  # the control knows earlier days, and is ready before that
    pd.testing.assert_frame_equal(ready[signals], own[signals][WARMUP - 1 :])
    assert ready[["liq_far_below", "liq_near_above", "liq_peak_above"]].notna().all(axis=None)
    relative = np.log(ready["liq_far_below"] / ready["close"])
    assert relative.diff().abs().max() < np.log(own["liq_far_below"] / own["close"]).diff().abs().max() / 10
