"""What an estimator is scored against: the positions that were really open, and what was really forced."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from liqfeature.errors import DataError
from liqfeature.sandbox.tape import MINUTE, Tape
from liqfeature.types import BoolArray, FloatArray

_SIDES = ("long", "short")


def true_map(tape: Tape, date: datetime | str, *, width: float = 0.0005) -> pd.DataFrame:
    """Rebuild the open amount by liquidation price, at a moment.

    Parameters
    ----------
    tape : Tape
    date : datetime or str
        From the start of the tape to its end; UTC where it names no zone. A minute counts once it is over,
        as with open interest.
    width : float, default 0.0005
        Of the bins of log price: `bin = floor(ln(price) / width)`, whatever the tape.

    Returns
    -------
    DataFrame
        Index `bin`, ascending, only those with an amount; columns `long` and `short`, base currency.
        Positions that no price liquidates are in none.

    Raises
    ------
    DataError
        If `date` is not on the tape.
    """
    return next(true_maps(tape, [date], width=width))


def true_maps(
    tape: Tape, dates: Iterable[datetime | str], *, width: float = 0.0005
) -> Iterator[pd.DataFrame]:
    """Rebuild the open amount by liquidation price at many moments, reading the log once.

    Parameters
    ----------
    tape : Tape
    dates : iterable of datetime or str
        Ascending; as in `true_map`.
    width : float, default 0.0005
        As in `true_map`.

    Yields
    ------
    DataFrame
        As from `true_map`, one per date.
    """
    log = tape.positions
    event = log["date"].dt.as_unit("ms").astype("int64").to_numpy()
    number, change = log["position"].to_numpy(), log["change"].to_numpy()
    price = log["liquidation_price"].to_numpy()
    is_short = (log["side"] == "short").to_numpy()
    size = int(number.max(initial=-1)) + 1
    amount, level, short = np.zeros(size), np.full(size, np.nan), np.zeros(size, np.bool_)
    done = 0
    for date in dates:
        until = int(np.searchsorted(event, _millisecond(tape, date)))
        if until < done:
            message = f"dates must ascend, got {date} after a later one"
            raise DataError(message)
        rows = slice(done, until)
        np.add.at(amount, number[rows], change[rows])
        level[number[rows]] = price[rows]
        short[number[rows]] = is_short[rows]
        done = until
        live = np.flatnonzero((amount > 0) & ~np.isnan(level))
        yield _by_bin(level[live], amount[live], short[live], width)


def true_swept(tape: Tape, timeframe: str = "1h") -> pd.DataFrame:
    """Sum the notional that was really liquidated.

    Parameters
    ----------
    tape : Tape
    timeframe : str, default "1h"
        Length of a row: Freqtrade's timeframe or a fixed frequency of pandas.

    Returns
    -------
    DataFrame
        `date` (open of the row; UTC), `long` and `short` (quote currency, 0 where nothing was). Every whole
        row of the tape is there.
    """
    step = _milliseconds(timeframe)
    first = -(-tape.start // step) * step
    count = max(0, (tape.start + len(tape.close) * MINUTE - first) // step)
    forced = tape.forced_orders
    row = (forced["date"].dt.as_unit("ms").astype("int64").to_numpy() - first) // step
    inside = (row >= 0) & (row < count)
    notional = forced["notional"].to_numpy()
    opened = (first + step * np.arange(count, dtype=np.int64)).view("datetime64[ms]")
    swept: dict[str, Any] = {"date": pd.DatetimeIndex(opened).tz_localize("UTC")}
    for side in _SIDES:
        mine = inside & (forced["side"] == side).to_numpy()
        swept[side] = np.bincount(row[mine], weights=notional[mine], minlength=count)
    return pd.DataFrame(swept)


def _by_bin(level: FloatArray, amount: FloatArray, short: BoolArray, width: float) -> pd.DataFrame:
    bins, place = np.unique(np.floor(np.log(level) / width).astype(np.int64), return_inverse=True)
    columns = {
        side: np.bincount(
            place, weights=np.where(short == (side == "short"), amount, 0.0), minlength=len(bins)
        )
        for side in _SIDES
    }
    return pd.DataFrame(columns, index=pd.Index(bins, name="bin"))


def _millisecond(tape: Tape, date: datetime | str) -> int:
    moment = pd.Timestamp(date)
    moment = moment.tz_localize("UTC") if moment.tzinfo is None else moment.tz_convert("UTC")
    millisecond = (moment - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(milliseconds=1)
    if not tape.start <= millisecond <= tape.start + len(tape.close) * MINUTE:
        message = f"date must be on the tape, got {date}"
        raise DataError(message)
    return millisecond


def _milliseconds(timeframe: str) -> int:
    return int(pd.Timedelta(timeframe) // pd.Timedelta(milliseconds=1))
