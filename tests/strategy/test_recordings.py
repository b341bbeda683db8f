"""Recorded liquidations, where the configuration names a recorder's database."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("freqtrade")

from builders.driving import PAIR
from builders.frames import random_candles
from builders.recordings import record
from liqfeature import COLUMNS, ConfigError, liquidation_features
from liqfeature.data.prints import Print

CASCADES = ["liq_cascade_above", "liq_cascade_below"]


@pytest.fixture
def candles(strategy):
    return random_candles(strategy.startup_candle_count + 200, seed=3, volatility=0.002, start="2026-01-01")


@pytest.fixture
def recordings(tmp_path, candles):
    """One print of each side in every candle, by a recorder that listened all the time."""
    time = candles["date"].dt.as_unit("ms").astype("int64").to_numpy()
    size = np.random.default_rng(0).lognormal(0, 1, (2, time.size))
    prints = [
        Print(int(t) + 60_000, "binance", PAIR, name, 100.0, None, float(x), 100.0 * float(x))
        for name, row in zip(("long", "short"), size, strict=True)
        for t, x in zip(time, row, strict=True)
    ]
    root = record(tmp_path / "my recordings.sqlite", prints, [(int(time[0]), int(time[-1]) + 300_000)])
    return root, pd.DataFrame({"date": candles["date"], "long": 100 * size[0], "short": 100 * size[1]})


@pytest.fixture
def columns_of(bot, candles):
    """Columns of the strategy, loaded anew with the recordings named in its configuration."""

    def columns(root=None, rows=slice(None)):
        bot.config["recordings"] = root and str(root)
        frame = bot.strategy().cluster_columns(candles.iloc[rows], {"pair": PAIR})
        return frame[list(COLUMNS)]

    return columns


def test_columns_know_what_was_recorded(columns_of, strategy, candles, recordings):
    root, totals = recordings
    plain, found = columns_of(), columns_of(root)
    want = liquidation_features(candles, strategy.heatmap_config(PAIR), liquidations=totals)
    pd.testing.assert_frame_equal(found, want)
    pd.testing.assert_frame_equal(found.drop(columns=CASCADES), plain.drop(columns=CASCADES))
    assert (found[CASCADES] != plain[CASCADES]).to_numpy()[strategy.startup_candle_count :].all()


def test_a_bot_sees_the_row_that_its_backtest_sees(columns_of, strategy, candles, recordings):
    root, _ = recordings
    whole = columns_of(root)
    for end in (len(candles) - 70, len(candles) - 1):
        live = columns_of(root, slice(end + 1 - strategy.startup_candle_count, end + 1))
        np.testing.assert_array_equal(live.iloc[-1].to_numpy(), whole.iloc[end].to_numpy())


@pytest.mark.parametrize("name", ["gone.sqlite", "a directory"])
def test_what_is_no_recording_is_refused_before_the_bot_starts(bot, tmp_path, name):
    (tmp_path / "a directory").mkdir()
    bot.config["recordings"] = str(tmp_path / name)
    with pytest.raises(
        ConfigError, match=f"recordings must be a file of liqfeature record, received .*{name}"
    ):
        bot.strategy()
