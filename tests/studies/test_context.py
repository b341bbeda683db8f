"""What columns of context tell: a ratio of a part to the whole, and rows that know their outcome."""

import pandas as pd
import pytest

from builders.frames import random_candles
from liqfeature import liquidation_features
from studies.context import near_schedule, touch_rows


def test_near_is_an_hour_either_way_and_the_ratio_is_that_of_its_mean():
    rows = pd.DataFrame({"over": [1.0, 2.0, 3.0, 6.0], "day": range(4), "liq_until_funding": [60, 0, 65, 90]})
    rows["liq_since_funding"] = [0.0, 60.0, 120.0, 55.0]
    assert near_schedule(rows, "liq_until_funding").value == pytest.approx(1.5 / 3)
    assert near_schedule(rows, "liq_since_funding").value == pytest.approx(3.5 / 3)


def test_only_edges_whose_outcome_and_air_are_known_count():
    candles = random_candles(4000, seed=8, jumps=0.0)
    features = liquidation_features(candles)
    rows = touch_rows(candles, features)
    known = features.iloc[:-12][["liq_vacuum_above", "liq_vacuum_below"]].notna().sum().sum()
    assert len(rows) == known > 100
    assert rows["missed"].between(-1, 1).all()
