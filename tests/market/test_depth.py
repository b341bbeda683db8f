"""Depth of the order book: in the amplification alone, by side, known when a bot knows it."""

import numpy as np
import pandas as pd
import pytest

from builders.frames import CANDLE, random_candles, random_open_interest, small_config
from liqfeature import DataError, MissingColumnError, liquidation_features
from liqfeature.columns.features import WITHOUT_DEPTH
from liqfeature.market.depth import COLUMNS, LEAST, LEAST_KNOWN, MOST, OLDEST, USABLE_AFTER, join_depth

CONFIG = small_config()
CANDLES = random_candles(CONFIG.warmup + 150, seed=3, volatility=0.002)
INTEREST = random_open_interest(CANDLES, 4)
TIME = CANDLES["date"].dt.as_unit("ms").astype("int64").to_numpy()
AMPLIFICATION = ["liq_amplification_below", "liq_amplification_above"]


def books(seed=1, holes=0.2):
    rng = np.random.default_rng(seed)
    stamp = np.arange(TIME[0] - 20 * CANDLE, TIME[-1] + CANDLE, CANDLE)
    stamp = stamp[rng.random(stamp.size) >= holes]
    values = rng.lognormal(15, 1.5, (2, stamp.size))
    values[rng.random(values.shape) < 0.1] = np.nan
    date = pd.to_datetime(stamp, unit="ms", utc=True).as_unit("ms")
    return pd.DataFrame({"date": date, **dict(zip(COLUMNS, values, strict=True))})


def features(depth, candles=CANDLES, config=CONFIG):
    return liquidation_features(candles, config, open_interest=INTEREST, depth=depth)


@pytest.mark.parametrize("lookback", [12, 40])
def test_it_is_the_last_book_that_was_known_over_the_mean_of_the_lookback(lookback):
    frame = books()
    frame.loc[100:130, list(COLUMNS)] = np.nan
    stamp = frame["date"].astype("int64").to_numpy()
    found = join_depth(frame, TIME, CANDLE, lookback)
    for side, name in enumerate(COLUMNS):
        at = []
        for closing in TIME + CANDLE:
            row = np.flatnonzero(stamp + USABLE_AFTER <= closing)
            old = row.size == 0 or closing - stamp[row[-1]] > OLDEST
            at.append(np.nan if old else frame[name].iloc[row[-1]])
            window = np.array(at[-lookback:])
            counted = np.count_nonzero(~np.isnan(window))
            enough = not np.isnan(at[-1]) and counted >= LEAST_KNOWN * lookback
            expected = np.clip(at[-1] / np.nanmean(window), LEAST, MOST) if enough else np.nan
            assert found[side, len(at) - 1] == pytest.approx(expected, rel=1e-9, nan_ok=True)
    assert np.isfinite(found).mean() > 0.5
    assert np.isnan(found).any()


def test_amplification_is_that_of_a_share_of_depth_as_large():
    """Impact goes with one over depth: half of the usual is as half of `depth_share`."""
    depth = books()
    over = join_depth(depth, TIME, CANDLE, CONFIG.lookback)
    found, compared = features(depth), 0
    for side, name in enumerate(AMPLIFICATION):
        for row in np.flatnonzero((over[side] < 2.5) & (np.arange(TIME.size) >= CONFIG.warmup))[::12]:
            share = CONFIG.cascade.depth_share * float(over[side, row])
            other = features(None, config=CONFIG.changed({"cascade.depth_share": share}))
            assert found[name].iloc[row] == pytest.approx(other[name].iloc[row], rel=1e-12)
            compared += 1
    assert compared >= 10


def test_nothing_else_changes_and_without_depth_nothing_at_all():
    frame, plain = books(), features(None)
    known = ~np.isnan(join_depth(frame, TIME, CANDLE, CONFIG.lookback)).any(axis=0)
    found = features(frame)
    rest = [name for name in plain if name not in (*AMPLIFICATION, "liq_quality")]
    pd.testing.assert_frame_equal(found[rest], plain[rest], check_exact=True)
    assert not found[AMPLIFICATION].equals(plain[AMPLIFICATION])
    quality = plain["liq_quality"] * np.where(known, 1.0, WITHOUT_DEPTH)
    pd.testing.assert_series_equal(found["liq_quality"], quality, check_exact=True)
    pd.testing.assert_frame_equal(features(frame.iloc[:0]), plain, check_exact=True)
    unknown = features(frame.assign(**dict.fromkeys(COLUMNS, np.nan)))
    pd.testing.assert_frame_equal(unknown[AMPLIFICATION], plain[AMPLIFICATION], check_exact=True)


def test_a_row_knows_no_later_book_and_depends_on_the_warmup_alone():
    frame = books()
    whole = features(frame)
    for row in (CONFIG.warmup + 3, CONFIG.warmup + 60, len(CANDLES) - 2):
        closing = CANDLES["date"].iloc[row] + pd.Timedelta(CANDLE, unit="ms")
        known = frame[frame["date"] <= closing]
        part = features(known, CANDLES.iloc[row + 1 - CONFIG.warmup : row + 1])
        pd.testing.assert_series_equal(part.iloc[-1], whole.iloc[row], check_exact=True)


def test_what_is_no_book_is_refused():
    with pytest.raises(MissingColumnError, match="'above_1'"):
        features(books().drop(columns="above_1"))
    with pytest.raises(DataError, match="column 'below_1' must be finite and at least 0"):
        features(books().assign(below_1=-1.0))
    with pytest.raises(DataError, match="must ascend"):
        features(books().iloc[::-1])
