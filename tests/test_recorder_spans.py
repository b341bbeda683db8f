"""When the recorder listened: a quiet period is 0, and one that was not recorded is NaN."""

import itertools
import json
import math

import numpy as np
import pandas as pd
import pytest
from frames import random_candles
from hypothesis import given
from hypothesis import strategies as st

from liqfeature import DataError, HeatmapConfig, liquidation_features
from liqfeature.cascade import CascadeRule
from liqfeature.data.prints import Print
from liqfeature.data.recordings import load_totals, read_spans
from liqfeature.recorder.journal import Journal
from liqfeature.recorder.spans import Spans, united

PAIR, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
START = 1_767_225_600_000
MINUTE = 60_000
FIVE = 5 * MINUTE


def sold(time, side="long", notional=100.0, exchange="binance"):
    return Print(START + time, exchange, PAIR, side, notional, notional, 1.0, notional)


def heard(root, *spans, exchange="binance", pairs=(PAIR,)):
    kept = Spans(root, exchange, pairs)
    for since, until in spans:
        kept.add((START + since, START + until))
    kept.write(kept.content())


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "my recordings"
    journal = Journal(folder)
    journal.append(
        [sold(0), sold(FIVE - 1), sold(FIVE, "short", 7.0), sold(3 * FIVE + 5, "long", 3.0), sold(9 * FIVE)]
    )
    journal.close()
    return folder


pieces = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 12)).map(lambda s: (s[0], s[0] + s[1])))


@given(pieces)
def test_united_spans_cover_the_same_moments_and_lie_apart(spans):
    joined = united(spans)
    covered = {moment for a, b in spans for moment in range(a, b)}
    assert {moment for a, b in joined for moment in range(a, b)} == covered
    assert all(before[1] < after[0] for before, after in itertools.pairwise(joined))


def test_totals_are_zero_where_it_listened_and_nan_where_not(root):
    heard(root, (0, 3 * FIVE), (5 * FIVE, 6 * FIVE))
    found = load_totals(root, PAIR, "5m")
    assert found["date"].tolist() == [pd.Timestamp(START + i * FIVE, unit="ms", tz="UTC") for i in range(6)]
    np.testing.assert_array_equal(found["long"], [200.0, 0.0, 0.0, math.nan, math.nan, 0.0])
    np.testing.assert_array_equal(found["short"], [0.0, 7.0, 0.0, math.nan, math.nan, 0.0])
    pd.testing.assert_frame_equal(load_totals(root / "binance", PAIR, "5m"), found)


def test_a_period_counts_if_most_of_it_was_heard(root):
    heard(root, (0, FIVE + MINUTE), (FIVE + MINUTE + 29_000, 2 * FIVE + 200_000))
    assert load_totals(root, PAIR, "5m")["long"].isna().tolist() == [False, False, True]
    assert load_totals(root, PAIR, "5m", least=0.95)["long"].isna().tolist() == [False, True, True]
    assert load_totals(root, PAIR, "5m", least=0.5)["long"].isna().tolist() == [False, False, False]
    assert load_totals(root, PAIR, "15m", least=0.8)["long"].tolist() == [200.0]


def test_from_a_moment_on(root):
    heard(root, (0, 5 * FIVE))
    whole = load_totals(root, PAIR, "5m")
    first = whole["date"][2]
    pd.testing.assert_frame_equal(
        load_totals(root, PAIR, "5m", first=first), whole[2:].reset_index(drop=True)
    )


def test_of_a_pair_that_was_never_heard_there_is_nothing(root):
    heard(root, (0, FIVE))
    found = load_totals(root, ETH, "5m")
    assert len(found) == 0
    assert list(found.columns) == ["date", "long", "short"]


def test_totals_are_what_the_estimate_takes(root):
    """From the sum of hours, which the scores use, they differ in nothing but what was not heard."""
    from liqfeature.scoring.recorded import hourly_totals, load_recorded

    heard(root, (0, 12 * FIVE))
    ours = load_totals(root, PAIR, "1h")
    theirs = hourly_totals(load_recorded(root, PAIR))
    pd.testing.assert_frame_equal(ours, theirs, check_dtype=False)


def test_spans_of_earlier_runs_and_other_pairs_stay(root):
    heard(root, (0, 10), pairs=(PAIR, ETH))
    heard(root, (20, 30), (30, 40))
    assert read_spans(root, "binance") == {
        PAIR: [(START, START + 10), (START + 20, START + 40)],
        ETH: [(START, START + 10)],
    }
    assert list((root / "binance").iterdir()) == [root / "binance" / "listened.json"]
    assert read_spans(root, "okx") == {}


@pytest.mark.parametrize("content", ["", "[]", '{"A": 5}', '{"A": [[1]]}', '{"A": [["x", 2]]}'])
def test_a_damaged_file_is_told(root, content):
    heard(root, (0, 10))
    (root / "binance" / "listened.json").write_text(content)
    with pytest.raises(DataError, match=r"listened\.json must hold spans of time by pair"):
        read_spans(root, "binance")


def test_the_file_is_plain_json(root):
    heard(root, (0, 10))
    values = json.loads((root / "binance" / "listened.json").read_text())
    assert values == {PAIR: [[START, START + 10]]}


def test_the_estimate_takes_totals_as_they_are(tmp_path):
    """A lookback after it began, `liq_cascade_*` refers to what was recorded; nothing else changes."""
    candles = random_candles(400, 3)
    config = HeatmapConfig(
        max_age=96, lookback=24, cascade=CascadeRule(windows=(3, 6, 12), recorded_share=0.02)
    )
    first = int(candles["date"].iloc[0].timestamp() * 1000) - START
    rng = np.random.default_rng(4)
    prints = [
        sold(first + int(at), ("long", "short")[i % 2], 1000.0 + i)
        for i, at in enumerate(np.sort(rng.integers(0, 400 * FIVE, 3000)))
    ]
    journal = Journal(tmp_path)
    journal.append(prints)
    journal.close()
    heard(tmp_path, (first, first + 250 * FIVE), (first + 253 * FIVE, first + 400 * FIVE))
    totals = load_totals(tmp_path, PAIR, "5m")
    without, informed = (liquidation_features(candles, config, liquidations=one) for one in (None, totals))
    changed = (without != informed) & ~(without.isna() & informed.isna())
    assert set(changed.columns[changed.any()]) == {"liq_cascade_above", "liq_cascade_below"}
    rows = np.flatnonzero(changed.any(axis=1))
    assert rows.size > 50
    assert not set(rows) & set(range(252, 275))  # some of the lookback was not recorded
