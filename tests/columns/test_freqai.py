"""Features for a model: free of scale, empty only where nothing is known; and a target that leaks nothing."""

import numpy as np
import pandas as pd
import pytest

from builders.frames import random_candles, random_open_interest
from liqfeature import COLUMNS, HeatmapConfig, MissingColumnError, liquidation_features
from liqfeature.columns.freqai import LEFT_OUT, PREFIX, freqai_features, later_move

CANDLES = random_candles(3200, seed=3, volatility=0.001)
CONFIG = HeatmapConfig()
ROWS = CANDLES.join(
    liquidation_features(CANDLES, CONFIG, open_interest=random_open_interest(CANDLES, 4)),
)
FEATURES = freqai_features(ROWS, CONFIG)
KNOWN = ROWS["liq_total_above"].notna()


def feature(name):
    return FEATURES[f"{PREFIX}{name}"]


def test_every_column_is_a_feature_but_those_that_are_left_out():
    left_out = {f"liq_{what}_{where}" for what in LEFT_OUT for where in ("above", "below")}
    assert list(FEATURES.columns) == [f"{PREFIX}{name}" for name in COLUMNS if name not in left_out]
    assert (FEATURES.dtypes == np.float64).all()
    assert FEATURES.index.equals(ROWS.index)


def test_a_feature_is_empty_where_nothing_is_known_and_nowhere_else():
    one_sided = ROWS["liq_near_above"].isna() | ROWS["liq_near_below"].isna()
    assert 0.1 < (one_sided & KNOWN).sum() / KNOWN.sum() < 0.9
    assert (FEATURES.notna().all(axis=1) == KNOWN).all()
    assert (FEATURES.isna().all(axis=1) == ~KNOWN).all()


def test_features_do_not_know_the_price_nor_the_size_of_the_market():
    priced = [name for name, column in COLUMNS.items() if column.unit == "price"]
    amounts = [name for name, column in COLUMNS.items() if column.unit == "quote"]
    elsewhere = ROWS.copy()
    elsewhere[["close", *priced]] *= 37.0
    elsewhere[amounts] *= 1e-5
    pd.testing.assert_frame_equal(freqai_features(elsewhere, CONFIG), FEATURES, rtol=1e-9)


def test_places_are_distances_from_the_close():
    above, below = ROWS["liq_far_above"] > 0, ROWS["liq_far_below"] > 0
    away = ROWS["liq_far_above"] / ROWS["close"] - 1
    np.testing.assert_allclose(feature("liq_far_above")[above], away[above])
    away = 1 - ROWS["liq_far_below"] / ROWS["close"]
    np.testing.assert_allclose(feature("liq_far_below")[below], away[below])
    assert (feature("liq_peak_above")[above] >= feature("liq_distance_above")[above]).all()


def test_amounts_are_shares_of_what_rests_on_both_sides():
    total = feature("liq_total_above") + feature("liq_total_below")
    np.testing.assert_allclose(total[KNOWN], 1.0)
    fuel = feature("liq_fuel_above") - feature("liq_fuel_below")
    fuel /= feature("liq_fuel_above") + feature("liq_fuel_below")
    np.testing.assert_allclose(fuel[KNOWN], ROWS["liq_imbalance"][KNOWN])


@pytest.mark.parametrize("where", ["above", "below"])
def test_no_cluster_is_a_thin_one_farther_away_than_any(where):
    there, gone = ROWS[f"liq_near_{where}"].notna(), ROWS[f"liq_near_{where}"].isna() & KNOWN
    for place in ("distance", "peak", "far"):
        place = feature(f"liq_{place}_{where}")
        assert place[there].max() < 2 * CONFIG.band
        assert (place[gone] == 2 * CONFIG.band).all()
    for nothing in ("notional", "density", "hit"):
        assert (feature(f"liq_{nothing}_{where}")[gone] == 0).all()
        assert (feature(f"liq_{nothing}_{where}")[there] >= 0).all()
    assert (feature(f"liq_vacuum_{where}")[gone] == 1).all()


def test_a_row_depends_on_itself_alone():
    """FreqAI asks with a single row to learn the names."""
    pd.testing.assert_frame_equal(freqai_features(ROWS.tail(1), CONFIG), FEATURES.tail(1))
    short = CANDLES.tail(1).join(liquidation_features(CANDLES.tail(1), CONFIG))
    assert list(freqai_features(short, CONFIG).columns) == list(FEATURES.columns)


def test_a_missing_column_is_named():
    with pytest.raises(MissingColumnError, match="liq_fuel_below"):
        freqai_features(ROWS.drop(columns="liq_fuel_below"), CONFIG)


def test_the_later_move_is_that_of_the_mean_of_the_next_closes():
    move = later_move(pd.Series([100.0, 110.0, 90.0, 40.0, 60.0]), 2)
    np.testing.assert_allclose(move[:3], [0.0, (90 + 40) / 2 / 110 - 1, 50 / 90 - 1])
    assert move[3:].isna().all()


def test_the_later_move_of_rows_up_to_t_knows_nothing_after_t():
    close = CANDLES["close"]
    cut = later_move(close.iloc[:500], 12)
    assert cut.iloc[-12:].isna().all()
    np.testing.assert_allclose(cut.iloc[:-12], later_move(close, 12).iloc[:488])
