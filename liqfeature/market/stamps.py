"""What the stamp of a row of open interest means: the moment it was taken, or the opening of its period.

Binance changed it on 2026-06-25 without a word: until then a row stamped T was the state at T, and since then
the state a period later. A row's value over its amount is a price, and says which: it is the close of the
candle that ends when the row was taken.
"""

import numpy as np

from liqfeature.durations import DAY
from liqfeature.market.interest_rows import Rows
from liqfeature.types import FloatArray, IntArray

AT_STAMP, AFTER_PERIOD, BY_DATE = 0, 1, 2
"""A row was taken at its stamp, a period later, or whichever its date says."""

LEAST_ROWS = 6
"""Rows of a day that decide for it; before, those of the day before count too."""

_UNIT = 1e-7
"""Differences of log prices are whole numbers of it: sums of these do not depend on where a frame begins."""

_MOST = 100_000
"""One percent: a larger difference says as much."""

_NOISE = 100.0
"""A tenth of a basis point, by which a mark price and a close differ in a quiet market."""


def meaning_shown(
    rows: Rows, period: IntArray, closing: IntArray, close: FloatArray, *, lookback: int, interval: int
) -> IntArray:
    """Say at each candle what the stamps of the rows before it mean, by their prices.

    Parameters
    ----------
    rows : Rows
    period : ndarray of shape (n_rows,)
        Milliseconds that each of them stands for.
    closing, close : ndarray of shape (n,)
        When each candle closes, in milliseconds, and at which price.
    lookback : int
        Candles before which nothing counts.
    interval : int
        Milliseconds from one candle to the next.

    Returns
    -------
    ndarray of shape (n,)
        `AT_STAMP` or `AFTER_PERIOD` where it explains prices at least twice as well as the other, over a
        quarter of the lookback, or over what lies of it in the candle's day once that has rows enough; else
        `BY_DATE`.
    """
    stamp, price = rows.stamp, rows.price
    spaced = np.zeros(stamp.size, dtype=np.bool_)
    spaced[2:] = stamp[2:] - stamp[:-2] <= lookback * interval // 4  # a period rests on the two rows before
    tells = spaced & ~np.isnan(price)
    if not tells.any():
        return np.full(closing.size, BY_DATE)
    known_at = np.searchsorted(closing, stamp + period)
    tells &= known_at < closing.size
    apart, count = np.zeros((2, 2, closing.size + 1))
    for meaning, taken, at in (
        (AT_STAMP, stamp, np.searchsorted(closing, stamp)),
        (AFTER_PERIOD, stamp + period, known_at),
    ):
        candle = np.minimum(at, closing.size - 1)
        row = np.flatnonzero(tells & (closing[candle] == taken))
        difference = np.rint(np.abs(np.log(price[row] / close[candle[row]])) / _UNIT)
        difference = np.minimum(difference, _MOST)
        apart[meaning] = np.bincount(known_at[row] + 1, difference, closing.size + 1).cumsum()
        count[meaning] = np.bincount(known_at[row] + 1, minlength=closing.size + 1).cumsum()
    first = _window(closing, count, lookback)
    counted = count[:, 1:] - count[:, first]
    mean = (apart[:, 1:] - apart[:, first]) / np.where(counted > 0, counted, np.nan)
    shown = np.where(mean[AFTER_PERIOD] + _NOISE < mean[AT_STAMP] / 2, AFTER_PERIOD, BY_DATE)
    return np.where(mean[AT_STAMP] + _NOISE < mean[AFTER_PERIOD] / 2, AT_STAMP, shown)


def _window(closing: IntArray, count: FloatArray, lookback: int) -> IntArray:
    """First candle whose rows count, at each candle."""
    first = np.maximum(np.arange(closing.size) + 1 - lookback // 4, 0)
    midnight = (closing - 1) // DAY * DAY
    today = np.maximum(np.searchsorted(closing, midnight, side="right"), first)
    return np.where((count[:, 1:] - count[:, today] >= LEAST_ROWS).all(axis=0), today, first)
