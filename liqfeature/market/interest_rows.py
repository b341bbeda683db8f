"""Rows of open interest: read from a frame, turned into base currency, and those of no use left out."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from liqfeature.market.frames import amounts, require_column, times
from liqfeature.market.revisions import AVAILABLE, arrivals
from liqfeature.market.rule import JoinRule
from liqfeature.types import FloatArray, IntArray

OPEN_INTEREST_COLUMNS = ("open_interest_amount", "open_interest_value")

PRICE_TOLERANCE = 1.5
"""Open-interest value over amount is a price: a row whose price is off by more belongs to another pair."""

ROUND, ROUND_FURTHER = 0.05, 0.025
"""Contract sizes are few digits and zeros: value over amount and price is rounded to one digit where it lies
as near to that, to two where it lies as near to those, else to three."""


class Rows(NamedTuple):
    """Rows of open interest that can be used; every array has shape (n_rows,).

    `stamp` in milliseconds; `amount` in base currency; `contract_size` in base currency, 1 where the amount
    did not come in contracts; `price`, value over amount, NaN where either is not given; `available` the
    moment from which a row could be known, in milliseconds: its stamp where the frame does not say.
    """

    stamp: IntArray
    amount: FloatArray
    contract_size: FloatArray
    price: FloatArray
    available: IntArray


def rows_of(frame: pd.DataFrame, time: IntArray, close: FloatArray, rule: JoinRule) -> Rows:
    """Read the rows that can be used.

    Parameters
    ----------
    frame : DataFrame
        `date, open_interest_amount, open_interest_value`; either column may be absent or empty. The amount is
        preferred, since value mixes in price. Rows that are NaN or 0, or whose value over amount is not near
        the price, are passed over; so are amounts in contracts of a size that nothing says. With `available`
        a row counts from then on; one that came after a newer one never does.
    time, close : ndarray of shape (n,), n at least 1
        Opening of each candle in milliseconds, and its close.
    rule : JoinRule

    Raises
    ------
    MissingColumnError, DataError
        Naming the column, the rule and the value received.
    """
    stamp = times(frame, "open interest")
    available = arrivals(frame, "open interest") if AVAILABLE in frame else stamp
    if not any(column in frame.columns for column in OPEN_INTEREST_COLUMNS):
        require_column(frame, OPEN_INTEREST_COLUMNS[0], "open interest")
    amount, value = (_positive(frame, column) for column in OPEN_INTEREST_COLUMNS)
    close_before = close[np.clip(np.searchsorted(time, stamp, side="left") - 1, 0, None)]
    size = _contract_size(value / amount / close_before, rule)
    amount = amount * size
    price = value / amount
    off = price / close_before
    amount = np.where(np.isfinite(amount), amount, value / close_before)
    foreign = (off > PRICE_TOLERANCE) | (off < 1 / PRICE_TOLERANCE)
    usable = np.flatnonzero(np.isfinite(amount) & ~foreign)
    if AVAILABLE in frame and usable.size:
        came = available[usable]
        usable = usable[came <= np.minimum.accumulate(came[::-1])[::-1]]  # before all newer ones
    return Rows(stamp[usable], amount[usable], size[usable], price[usable], available[usable])


def _contract_size(told: FloatArray, rule: JoinRule) -> FloatArray:
    """Return base currency per contract of each row, as given, else as value, amount and price tell it."""
    if not rule.open_interest_in_contracts:
        return np.ones_like(told)
    if rule.contract_size > 0:
        return np.full_like(told, rule.contract_size)
    one, two, three = (_to_digits(told, digits) for digits in (1, 2, 3))
    further = np.where(np.abs(two / told - 1.0) <= ROUND_FURTHER, two, three)
    return np.where(np.abs(one / told - 1.0) <= ROUND, one, further)


def _to_digits(values: FloatArray, digits: int) -> FloatArray:
    power = np.floor(np.log10(values)) + 1 - digits
    whole = np.rint(values / 10.0**power)
    # Multiplied or divided by a power that is exact: the result is the number that an exchange publishes.
    return np.where(power < 0, whole / 10.0**-power, whole * 10.0**power)


def _positive(frame: pd.DataFrame, column: str) -> FloatArray:
    """Column with NaN for 0, which some feeds give where they know nothing; all NaN where it is absent."""
    if column not in frame.columns:
        return np.full(len(frame), np.nan)
    values = amounts(frame, column, "open interest")
    return np.where(values > 0, values, np.nan)
