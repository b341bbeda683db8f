"""The true map, which an estimate is scored against: the positions that were open, from their log."""

from collections.abc import Iterable, Iterator
from datetime import datetime

import numpy as np
import pandas as pd

from liqfeature.durations import MINUTE
from liqfeature.errors import DataError
from liqfeature.sandbox.simulation.tape import Tape
from liqfeature.sides import SIDES
from liqfeature.types import BoolArray, FloatArray


def true_maps(
    tape: Tape, dates: Iterable[datetime | str], *, width: float = 0.0005
) -> Iterator[pd.DataFrame]:
    """Rebuild the open amount by liquidation price, at one moment after the other.

    Parameters
    ----------
    tape : Tape
    dates : iterable of datetime or str
        Ascending, from the start of the tape to its end; UTC where one names no zone. A minute counts once
        it is over, as in open interest.
    width : float, default 0.0005
        Of the bins of log price: `bin = floor(ln(price) / width)`, whatever the tape.

    Yields
    ------
    DataFrame
        One per date. Index `bin`, ascending, only bins with an amount; columns `long` and `short`, base
        currency. Positions that no price liquidates are in none.

    Raises
    ------
    DataError
        If a date is not on the tape, or dates do not ascend.
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
            message = f"dates must ascend, received {date} after a later one"
            raise DataError(message)
        rows = slice(done, until)
        np.add.at(amount, number[rows], change[rows])
        level[number[rows]] = price[rows]
        short[number[rows]] = is_short[rows]
        done = until
        live = np.flatnonzero((amount > 0) & ~np.isnan(level))
        yield _by_bin(level[live], amount[live], short[live], width)


def _by_bin(level: FloatArray, amount: FloatArray, short: BoolArray, width: float) -> pd.DataFrame:
    bins, place = np.unique(np.floor(np.log(level) / width).astype(np.int64), return_inverse=True)
    columns = {
        side: np.bincount(
            place, weights=np.where(short == (side == "short"), amount, 0.0), minlength=len(bins)
        )
        for side in SIDES
    }
    return pd.DataFrame(columns, index=pd.Index(bins, name="bin"))


def _millisecond(tape: Tape, date: datetime | str) -> int:
    moment = pd.Timestamp(date)
    moment = moment.tz_localize("UTC") if moment.tzinfo is None else moment.tz_convert("UTC")
    millisecond = (moment - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(milliseconds=1)
    if not tape.start <= millisecond <= tape.start + len(tape.close) * MINUTE:
        message = f"date must be on the tape, received {date}"
        raise DataError(message)
    return millisecond
