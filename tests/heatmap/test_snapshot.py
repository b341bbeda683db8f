"""The map at one candle agrees with the columns of that candle."""

import re
from dataclasses import replace

import pytest

from builders.frames import random_candles
from liqfeature import DataError, HeatmapConfig, estimate_heatmap, liquidation_features

CONFIG = HeatmapConfig(max_age=96, lookback=24)
CANDLES = random_candles(400, seed=7)


def test_longs_rest_below_price_and_shorts_above():
    heatmap = estimate_heatmap(CANDLES, CONFIG)
    below, above = heatmap.edge[:-1] >= heatmap.close, heatmap.edge[1:] <= heatmap.close
    assert heatmap.long.sum() > 0
    assert heatmap.short.sum() > 0
    assert heatmap.long[below].sum() == 0
    assert heatmap.short[above].sum() == 0


def test_what_lies_within_the_band_is_the_total_of_the_last_row():
    wide = replace(CONFIG, band=0.5)
    row = liquidation_features(CANDLES, wide).iloc[-1]
    heatmap = estimate_heatmap(CANDLES, wide)
    below = heatmap.edge[:-1] > 0.5 * heatmap.close
    assert heatmap.long[below].sum() == pytest.approx(row["liq_total_below"])
    assert heatmap.short[heatmap.edge[1:] < 2 * heatmap.close].sum() == pytest.approx(row["liq_total_above"])


def test_candles_before_the_warm_up_change_nothing():
    whole, tail = (estimate_heatmap(c, CONFIG) for c in (CANDLES, CANDLES.iloc[-CONFIG.warmup :]))
    assert whole.long.tolist() == tail.long.tolist()
    assert whole.short.tolist() == tail.short.tolist()
    assert whole.edge.tolist() == tail.edge.tolist()


def test_too_few_candles_are_refused():
    message = f"candles must number at least {CONFIG.warmup}, the warm-up, received {CONFIG.warmup - 1}"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        estimate_heatmap(CANDLES.iloc[: CONFIG.warmup - 1], CONFIG)
