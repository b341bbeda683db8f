"""What is known at a candle rests on the lookback before it: the columns' own memory is built on that."""

import math
from itertools import product

import numpy as np
import pandas as pd
import pytest

from builders.frames import random_candles, random_funding, random_open_interest
from liqfeature.market.market import JoinRule, Market

LOOKBACK = 24
KINDS = list(product([1, 2, 3, 6], [0.0, 0.5, 1.0], [False, True]))


def known_at(market, row):
    """What a market knows at a candle; nothing is late where open interest of it or the one before is not."""
    known = {
        "open interest": market.open_interest,
        "staleness": market.staleness,
        "unit": market.unit,
        "sized": market.sized,
        "daily volume": market.daily_volume(LOOKBACK),
        "usual notional": market.usual_notional(LOOKBACK),
        "funding": market.funding,
    }
    late = row - market.late_stop[row] if (market.open_interest[row - 1 : row + 1] > 0).all() else 0
    return {name: values[row] for name, values in known.items()} | {"late": late}


@pytest.mark.parametrize(("every", "opening_from", "dirty"), KINDS)
@pytest.mark.parametrize("size", [0.0, 0.1], ids=["size from rows", "size given"])
def test_a_candle_depends_on_the_lookback_before_it(every, opening_from, dirty, size):
    rule = JoinRule(
        lookback=LOOKBACK,
        open_interest_in_contracts=True,
        volume_in_contracts=True,
        contract_size=size,
        opening_since=1.7678e12,
    )
    candles = random_candles(250, every, gaps=0.02 * dirty)
    candles["volume"] = (candles["volume"] * 10).round()
    rows = random_open_interest(
        candles, every, every=every, holes=0.3 * dirty, lead=0, opening_from=opening_from
    )
    rows["open_interest_amount"] *= 10
    funding = random_funding(candles, 1)
    assert_forgets(candles, rows, funding, rule)


@pytest.mark.parametrize("opening_since", [0.0, math.inf])
@pytest.mark.parametrize("steps", [(100, 100), (115, 120), (60, 70), (120, 125), (125, 130)])
def test_rows_long_apart_hold_back_those_after_them_for_a_lookback_at_most(opening_since, steps):
    candles = random_candles(150, 1)
    minutes = np.cumsum([0, *steps, *[5] * 100])
    rows = pd.DataFrame(
        {
            "date": candles["date"].iloc[0] + pd.to_timedelta(minutes, unit="min"),
            "open_interest_amount": np.linspace(8000.0, 9000.0, minutes.size),
        }
    )
    rule = JoinRule(lookback=LOOKBACK, opening_since=opening_since)
    assert_forgets(candles, rows, random_funding(candles, 1), rule, every=1)


def assert_forgets(candles, rows, funding, rule, every=5):
    """Compare the last row of frames of a lookback with the row of the whole frame."""
    whole = Market.of(candles, rule, open_interest=rows, funding_rate=funding)
    for end in range(LOOKBACK + 2, len(candles) + 1, every):
        part = candles.iloc[end - LOOKBACK - 2 : end]
        later, paid = (frame[frame["date"] >= part["date"].iloc[0]] for frame in (rows, funding))
        got = known_at(Market.of(part, rule, open_interest=later, funding_rate=paid), len(part) - 1)
        for name, value in known_at(whole, end - 1).items():
            np.testing.assert_array_equal(got[name], value, err_msg=f"{name} before {end}")
