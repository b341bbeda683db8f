"""Stops at a stated probability: worked examples, and a market without drift."""

import numpy as np
import pandas as pd
import pytest

from builders.frames import random_candles
from studies.stated_stops import excursion, hits, stop_rows


def test_an_excursion_doable_in_the_head():
    candles = pd.DataFrame(
        {
            "close": [100.0, 102.0, 96.0, 98.0],
            "high": [101.0, 103.0, 102.0, 99.0],
            "low": [99.0, 100.0, 95.0, 96.0],
        }
    )
    np.testing.assert_allclose(excursion(candles, "above", 2), [0.03, 0.0, np.nan, np.nan])
    np.testing.assert_allclose(excursion(candles, "below", 2), [0.05, 1 - 95 / 102, np.nan, np.nan])


def test_the_multiple_of_the_range_is_hit_as_often_as_what_is_stated():
    rng = np.random.default_rng(5)
    rows = pd.DataFrame(
        {"stated": 0.02, "atr": rng.uniform(0.001, 0.01, 1000), "excursion": rng.uniform(0, 0.1, 1000)}
    )
    found = hits(rows)
    assert found["stated"].mean() == pytest.approx(0.8, abs=0.04)
    assert found["atr"].mean() == pytest.approx(found["stated"].mean(), abs=0.002)
    assert (found["atr"] != found["stated"]).any()


def test_stops_are_hit_oftener_where_more_is_allowed_and_rows_know_their_outcome():
    candles = random_candles(4000, seed=8, jumps=0.0)
    rarely, often = (stop_rows(candles, probability, 48) for probability in (0.1, 0.4))
    assert hits(rarely)["stated"].mean() < hits(often)["stated"].mean()
    assert list(rarely.groupby("side").size()) == [len(rarely) / 2] * 2
    assert set(rarely["decile"]) == set(range(10))
