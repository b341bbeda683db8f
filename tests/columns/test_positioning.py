"""The columns of positioning: z-scores beside the estimate, which they leave as it is."""

import math

import numpy as np
import pandas as pd
import pytest

from builders.frames import CANDLE, random_candles, random_open_interest, random_positioning, small_config
from liqfeature import COLUMNS, liquidation_features
from liqfeature.columns.features import POSITIONING_COLUMNS as FURTHER
from liqfeature.columns.positioning import positioning_scores

CONFIG = small_config()
N = 3 * CONFIG.warmup
CANDLES = random_candles(N, 1, gaps=0.01)
START = int(CANDLES["date"].iloc[0].timestamp() * 1000)
END = int(CANDLES["date"].iloc[-1].timestamp() * 1000)
RATIOS = random_positioning(np.arange(START - 10 * CANDLE, END + CANDLE, CANDLE), 2, holes=0.05)
INTEREST = random_open_interest(CANDLES, 3)


def columns(candles=CANDLES, positioning=RATIOS):
    return liquidation_features(candles, CONFIG, open_interest=INTEREST, positioning=positioning)


@pytest.mark.parametrize("lookback", [12, 48])
def test_a_score_is_the_distance_from_the_mean_in_standard_deviations(lookback):
    rng = np.random.default_rng(1)
    values = rng.normal(0.7, 0.05, (4, 300))
    values[rng.random(values.shape) < 0.2] = np.nan
    values[0, 100:200] = np.nan  # unknown for longer than a lookback
    values[1] = 0.3  # does not move
    found = positioning_scores(values, lookback)
    for which in range(4):
        for row in range(lookback - 1, 300):
            window = values[which, row - lookback + 1 : row + 1]
            known = window[~np.isnan(window)]
            scored = not np.isnan(window[-1]) and 2 * known.size >= lookback and which != 1
            expected = (window[-1] - known.mean()) / known.std() if scored else math.nan
            assert found[which, row] == pytest.approx(expected, rel=1e-9, nan_ok=True)
    assert np.isnan(found[1]).all()
    assert np.isfinite(found[2, lookback:]).mean() > 0.7


def test_the_estimate_is_the_same_with_and_without_it():
    both, without = columns(), columns(positioning=None)
    assert list(without.columns) == list(COLUMNS)
    assert list(both.columns) == [*COLUMNS, *FURTHER]
    pd.testing.assert_frame_equal(both[list(COLUMNS)], without, check_exact=True)
    assert both[list(FURTHER)].iloc[: CONFIG.warmup - 1].isna().all(axis=None)
    assert both[list(FURTHER)].iloc[CONFIG.warmup :].notna().mean().min() > 0.8


def test_rows_depend_on_the_past_alone_and_on_no_more_than_the_warmup():
    whole = columns()[list(FURTHER)]
    for row in (CONFIG.warmup, N - 40, N - 1):
        first = row + 1 - CONFIG.warmup
        candles = CANDLES.iloc[first : row + 1]
        now = candles["date"].iloc[-1] + pd.Timedelta(CANDLE, unit="ms")
        known = RATIOS[(RATIOS["date"] >= candles["date"].iloc[0]) & (RATIOS["date"] < now)]
        found = columns(candles, known)[list(FURTHER)]
        np.testing.assert_array_equal(found.iloc[-1].to_numpy(), whole.iloc[row].to_numpy())


def test_more_longs_than_usual_score_above_zero():
    crowded = RATIOS.copy()
    crowded.loc[len(crowded) - 3 :, ["account_ratio", "taker_ratio"]] = 50.0
    before, last = columns().iloc[-1], columns(positioning=crowded).iloc[-1]
    for name in FURTHER:
        if name in ("liq_positioning_account", "liq_positioning_taker"):
            assert last[name] > max(2.0, before[name])
        else:
            assert last[name] == before[name]
