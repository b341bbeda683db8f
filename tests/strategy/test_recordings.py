"""Recorded liquidations, where the configuration names a recorder's directory."""

import json

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("freqtrade")

from driving import PAIR
from frames import random_candles

from liqfeature import ConfigError, liquidation_features
from liqfeature.data.prints import Print
from liqfeature.recorder.journal import Journal

CASCADES = ["liq_cascade_above", "liq_cascade_below"]


@pytest.fixture
def candles(strategy):
    return random_candles(strategy.startup_candle_count + 200, seed=3, volatility=0.002, start="2026-01-01")


@pytest.fixture
def recordings(tmp_path, candles):
    """One print of each side in every candle, by a recorder that listened all the time."""
    root = tmp_path / "a recorder's directory"
    time = candles["date"].dt.as_unit("ms").astype("int64").to_numpy()
    size = np.random.default_rng(0).lognormal(0, 1, (2, time.size))
    Journal(root).append(
        [
            Print(int(t) + 60_000, "binance", PAIR, name, 100.0, None, float(x), 100.0 * float(x))
            for name, row in zip(("long", "short"), size, strict=True)
            for t, x in zip(time, row, strict=True)
        ]
    )
    (root / "binance").mkdir()
    spans = {PAIR: [[int(time[0]), int(time[-1]) + 300_000]]}
    (root / "binance" / "listened.json").write_text(json.dumps(spans))
    return root, pd.DataFrame({"date": candles["date"], "long": 100 * size[0], "short": 100 * size[1]})


@pytest.fixture
def feed(strategy, monkeypatch):
    """The strategy without open interest and funding beside the candles."""
    nothing = pd.DataFrame({"date": pd.to_datetime([], utc=True)})
    monkeypatch.setattr(strategy, "open_interest", lambda pair: nothing.assign(open_interest_amount=[]))
    monkeypatch.setattr(strategy, "funding_rates", lambda pair: nothing.assign(funding_rate=[]))
    return strategy


def test_columns_know_what_was_recorded(bot, feed, candles, recordings):
    root, totals = recordings
    plain = feed.liquidation_columns(candles, PAIR)
    feed.prepare(bot.config | {"recordings": str(root)})
    told = feed.liquidation_columns(candles, PAIR)
    want = liquidation_features(candles, feed.heatmap_config(PAIR), liquidations=totals)
    pd.testing.assert_frame_equal(told, want)
    pd.testing.assert_frame_equal(told.drop(columns=CASCADES), plain.drop(columns=CASCADES))
    assert (told[CASCADES] != plain[CASCADES]).to_numpy()[feed.startup_candle_count :].all()


def test_a_bot_sees_the_row_that_its_backtest_sees(bot, feed, candles, recordings):
    feed.prepare(bot.config | {"recordings": str(recordings[0])})
    whole = feed.liquidation_columns(candles, PAIR)
    for end in (len(candles) - 70, len(candles) - 1):
        begin = end + 1 - feed.startup_candle_count
        live = feed.liquidation_columns(candles.iloc[begin : end + 1], PAIR)
        np.testing.assert_array_equal(live.iloc[-1].to_numpy(), whole.iloc[end].to_numpy())


def test_a_directory_that_is_not_there_is_refused_before_the_bot_starts(bot, strategy, tmp_path):
    with pytest.raises(
        ConfigError, match=r"recordings must be a directory of liqfeature record, received .*gone"
    ):
        strategy.prepare(bot.config | {"recordings": str(tmp_path / "gone")})
