"""Open interest and positioning of a tape at round times, as exchanges publish them."""

from typing import NamedTuple

import numpy as np

from liqfeature.durations import MINUTE
from liqfeature.sandbox.simulation.bars import bars, open_interest_at
from liqfeature.sandbox.simulation.tape import Tape
from liqfeature.types import BoolArray, FloatArray, IntArray

TOP_SHARE = 0.2
"""Top traders are as large as this share of the positions that are open at the start of a tape."""


class Statistics(NamedTuple):
    """The state at round times; every array has one entry per row.

    Parameters
    ----------
    time : ndarray of shape (n_rows,)
        Milliseconds since 1970.
    open_interest, open_interest_value : ndarray of shape (n_rows,)
        Base; quote, at the mark price.
    top_account_ratio, top_position_ratio, account_ratio : ndarray of shape (n_rows,)
        Longs over shorts: number and amount of the positions of top traders, number of all. Each leveraged
        position is one account; unlevered holders and market makers are in no log and do not count. Binance
        ranks top traders by margin; here it is the amount at which a position was opened. NaN where either
        side has none, and where the tape has no log.
    taker_bought, taker_sold : ndarray of shape (n_rows,)
        Base, in the interval that ends at the row; NaN where the tape does not cover it.
    """

    time: IntArray
    open_interest: FloatArray
    open_interest_value: FloatArray
    top_account_ratio: FloatArray
    top_position_ratio: FloatArray
    account_ratio: FloatArray
    taker_bought: FloatArray
    taker_sold: FloatArray

    @property
    def taker_ratio(self) -> FloatArray:
        """Bought over sold; NaN where either is nothing."""
        return _over(self.taker_bought, self.taker_sold)


def statistics_at(tape: Tape, interval: str) -> Statistics:
    """Return open interest and positioning at round times.

    Parameters
    ----------
    tape : Tape
    interval : str
        A key of `INTERVALS`.
    """
    time, amount, value = open_interest_at(tape, interval)
    minutes = (time - tape.start) // MINUTE - 1
    candles = bars(tape, interval)
    ends = np.searchsorted(time, candles.open_time + candles.interval)
    takers = np.full((2, len(time)), np.nan)
    takers[:, ends] = candles.taker_buy_volume, candles.volume - candles.taker_buy_volume
    return Statistics(time, amount, value, *(ratio[minutes] for ratio in _held(tape)), *takers)


def _held(tape: Tape) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the ratios of top accounts, top positions and accounts, at the close of each minute."""
    log = tape.positions[tape.positions["change"].to_numpy(np.float64) != 0]
    number, change = log["position"].to_numpy(np.int64), log["change"].to_numpy(np.float64)
    minute = (log["date"].astype("datetime64[ms, UTC]").astype("int64").to_numpy() - tape.start) // MINUTE
    is_long, opened = (log["side"] == "long").to_numpy(), change > 0
    first = change[opened & (minute == 0)]
    amount = np.bincount(number[opened], change[opened])
    top = amount[number] >= (np.quantile(first, 1 - TOP_SHARE) if len(first) else np.inf)
    accounts = opened - _closing(number, change)

    def ratio(of: FloatArray, chosen: BoolArray) -> FloatArray:
        long, short = (
            np.cumsum(np.bincount(minute[side], of[side], len(tape.close)), dtype=np.float64)
            for side in (chosen & is_long, chosen & ~is_long)
        )
        return _over(long, short)

    return ratio(accounts, top), ratio(change, top), ratio(accounts, np.ones_like(top))


def _closing(number: IntArray, change: FloatArray) -> FloatArray:
    """Return 1 for the event that closes a position, else 0."""
    last = np.full(number.max(initial=-1) + 1, -1)
    last[number] = np.arange(len(number))
    held = np.bincount(number, change)  # in the order of the log: exactly 0 once closed
    closes = np.zeros(len(number))
    closes[last[(last >= 0) & (held == 0)]] = 1
    return closes


def _over(long: FloatArray, short: FloatArray) -> FloatArray:
    """Return long over short; NaN where either is nothing."""
    some = (long > 0) & (short > 0)
    return np.where(some, long / np.where(some, short, 1.0), np.nan)
