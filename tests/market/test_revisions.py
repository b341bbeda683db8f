"""Totals and open interest that came late or were revised: each counts from its arrival on, never before."""

import numpy as np
import pandas as pd
import pytest

from builders.frames import CANDLE, random_candles, random_open_interest, small_config
from liqfeature import DataError, liquidation_features
from liqfeature.market.liquidations import totals_of, usual_liquidations
from liqfeature.market.market import Market
from liqfeature.market.revisions import newest

CONFIG = small_config().changed({"cascade.recorded_share": 0.02})
CANDLES = random_candles(CONFIG.warmup + 200, seed=3, volatility=0.002)
TIME = CANDLES["date"].dt.as_unit("ms").astype("int64").to_numpy()
END = TIME[-1] + CANDLE


def dated(stamp):
    return pd.to_datetime(np.asarray(stamp), unit="ms", utc=True).as_unit("ms")


def bought(period, asked, seed=0, reach=400):
    """A vendor's totals: at each moment `asked`, the ended periods of the last `reach`, some revised."""
    rng, tables = np.random.default_rng(seed), []
    first = TIME[0] // period * period
    usual = rng.lognormal(0, 1, (2, int((END - first) // period) + 1))
    for moment in asked:
        usual *= np.where(rng.random(usual.shape) < 0.05, rng.lognormal(0, 0.3, usual.shape), 1.0)
        ended = np.arange(max(first, (moment // period - reach) * period), moment // period * period, period)
        values = usual[:, (ended - first) // period]
        tables.append(
            pd.DataFrame(
                {
                    "date": dated(ended),
                    "long": values[0],
                    "short": values[1],
                    "available": dated([moment] * len(ended)),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def as_of(totals, moment):
    known = totals[totals["available"] <= moment].sort_values("available", kind="stable")
    return known.drop_duplicates("date", keep="last").sort_values("date")


ASKED = TIME[40:-20:13] + 77_000


@pytest.mark.parametrize("period", [CANDLE, 3 * CANDLE, CANDLE // 5])
@pytest.mark.parametrize("delay", [0, CANDLE])
def test_the_usual_is_the_mean_of_what_had_arrived(period, delay):
    lookback = 24
    totals = bought(period, ASKED, reach=40 * CANDLE // period)
    found = usual_liquidations(totals, TIME, CANDLE, lookback, delay=delay)
    length = max(period, CANDLE)
    for t, opening in enumerate(TIME):
        now = opening + CANDLE - delay
        known = as_of(totals, dated([now])[0])
        expected = np.full(2, np.nan)
        if len(known):
            stamp = known["date"].dt.as_unit("ms").astype("int64").to_numpy()
            whole = pd.Series(stamp // length).value_counts() == length // period
            last = max((int(one) for one in whole.index[whole]), default=None)
            if last is not None and now - (last + 1) * length <= lookback * CANDLE // 2:
                used = known[
                    (stamp // length <= last) & (stamp // length > last - lookback * CANDLE // length)
                ]
                if len(used) == lookback * CANDLE // period:
                    expected = used[["long", "short"]].sum().to_numpy() / lookback
        np.testing.assert_allclose(found[:, t], expected, rtol=1e-12)
    assert np.isfinite(found).mean() > 0.5


def test_what_arrived_at_once_is_the_same_as_totals_that_do_not_say_when():
    plain = bought(CANDLE, [END], reach=10**6).drop(columns="available")
    told = plain.assign(available=plain["date"] + pd.Timedelta(CANDLE, unit="ms"))
    one, other = (usual_liquidations(table, TIME, CANDLE, 24, delay=CANDLE) for table in (plain, told))
    known = np.isfinite(one)
    np.testing.assert_allclose(other[known], one[known], rtol=1e-12)
    assert known.mean() > 0.9


def test_columns_of_a_row_do_not_know_what_arrived_later():
    totals = bought(CANDLE, ASKED)
    whole = liquidation_features(CANDLES, CONFIG, liquidations=totals)
    for row in (CONFIG.warmup + 3, CONFIG.warmup + 60, len(CANDLES) - 2):
        known = totals[totals["available"] <= dated([TIME[row] + CANDLE])[0]]
        part = liquidation_features(CANDLES.iloc[: row + 1], CONFIG, liquidations=known)
        pd.testing.assert_series_equal(part.iloc[-1], whole.iloc[row], check_exact=True)
    without = liquidation_features(CANDLES, CONFIG)
    assert not whole["liq_cascade_above"].equals(without["liq_cascade_above"])


def test_of_revisions_the_newest_is_what_was_liquidated():
    totals = bought(CANDLE, ASKED)
    last = newest(totals)
    assert last["date"].is_unique
    frame = totals_of(totals.sample(frac=1, random_state=1), CANDLE, silence=0).to_frame()
    merged = frame.merge(as_of(totals, dated([END])[0]), on="date", suffixes=("", "_want"))
    np.testing.assert_array_equal(merged["long"], merged["long_want"])


# Open interest.


def late_interest(seed=5):
    """Rows that arrive in batches: of each, the newest counts at once, and older ones never do."""
    rows = random_open_interest(CANDLES, 4).reset_index(drop=True)
    stamp = rows["date"].dt.as_unit("ms").astype("int64").to_numpy()
    asked = TIME[::4] + 77_000
    arrival = np.append(asked, END * 2)[np.searchsorted(asked, stamp)]
    strays = np.random.default_rng(seed).random(len(rows)) < 0.1
    return rows.assign(available=dated(np.where(strays, arrival + 40 * CANDLE, arrival)))


def test_open_interest_at_a_close_is_the_newest_row_that_had_arrived():
    rows = late_interest()
    market = Market.of(CANDLES, CONFIG.join_rule, open_interest=rows)
    stamp = rows["date"].dt.as_unit("ms").astype("int64").to_numpy()
    came = rows["available"].dt.as_unit("ms").astype("int64").to_numpy()
    for t in range(60, len(TIME), 7):
        closing = TIME[t] + CANDLE
        known = np.flatnonzero((came <= closing) & (stamp + CANDLE <= closing))
        assert market.open_interest[t] == rows["open_interest_amount"].iloc[known[-1]]


def test_columns_of_a_row_do_not_know_open_interest_that_arrived_later():
    rows = late_interest()
    whole = liquidation_features(CANDLES, CONFIG, open_interest=rows)
    for row in (CONFIG.warmup + 3, CONFIG.warmup + 60, len(CANDLES) - 2):
        known = rows[rows["available"] <= dated([TIME[row] + CANDLE])[0]]
        part = liquidation_features(CANDLES.iloc[: row + 1], CONFIG, open_interest=known)
        pd.testing.assert_series_equal(part.iloc[-1], whole.iloc[row], check_exact=True)


def test_open_interest_that_arrived_at_its_stamp_is_as_if_nothing_said_so():
    rows = random_open_interest(CANDLES, 4)
    told = rows.assign(available=rows["date"])
    one, other = (liquidation_features(CANDLES, CONFIG, open_interest=table) for table in (rows, told))
    pd.testing.assert_frame_equal(one, other, check_exact=True)


@pytest.mark.parametrize("name", ["liquidations", "open_interest"])
def test_an_arrival_that_is_no_moment_is_refused(name):
    table = bought(CANDLE, ASKED) if name == "liquidations" else late_interest()
    with pytest.raises(DataError, match="'available'"):
        liquidation_features(CANDLES, CONFIG, **{name: table.assign(available=1.0)})
