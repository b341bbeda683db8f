"""Another map beside the estimate: the newest that was known, shared among prices by overlap."""

import numpy as np
import pandas as pd
import pytest

from liqfeature.heatmap.beside import held_between, newest_levels

DAY = pd.Timestamp("2026-01-01", tz="UTC")
HOUR = pd.Timedelta(1, unit="h")


def maps(*rows):
    """(hour taken, hour available, side, low, high, notional)."""
    table = pd.DataFrame(rows, columns=["date", "available", "side", "low", "high", "notional"])
    for name in ("date", "available"):
        table[name] = DAY + table[name] * HOUR
    return table


def test_the_newest_counts_that_could_be_known_and_is_not_too_old():
    given = maps(
        (0, 0, "long", 90.0, 91.0, 1.0),
        (2, 3, "long", 90.0, 91.0, 2.0),
        (2, 5, "long", 90.0, 91.0, 3.0),
        (9, 9, "long", 90.0, 91.0, 4.0),
    )
    found = [newest_levels(given, DAY + hour * HOUR, 4 * HOUR)["notional"].tolist() for hour in range(12)]
    assert found == [[1], [1], [1], [2], [2], [3], [3], [], [], [4], [4], [4]]


def test_levels_are_shared_by_overlap_on_their_side_of_price():
    given = maps(
        (0, 0, "long", 90.0, 92.0, 8.0),
        (0, 0, "by price", 91.0, 91.0, 5.0),
        (0, 0, "by price", 103.0, 105.0, 6.0),
        (0, 0, "short", 90.5, 91.0, 7.0),
        (0, 0, "long", 99.5, 100.5, 7.0),
    )
    held = held_between(given, np.array([89.0, 91.0, 92.0, 104.0, 110.0]), 100.0)
    assert held[0] == pytest.approx([4.0, 9.0, 0.0, 0.0])
    assert held[1] == pytest.approx([0.0, 0.0, 3.0, 3.0])
