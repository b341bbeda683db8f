"""A tape as the frames that Freqtrade passes to a strategy."""

from typing import Literal

import numpy as np
import pandas as pd

from liqfeature.checks import require
from liqfeature.sandbox.simulation.bars import INTERVALS, bars, open_interest_at
from liqfeature.sandbox.simulation.tape import Tape
from liqfeature.types import IntArray


def candles(tape: Tape, timeframe: str, price: Literal["last", "mark"] = "last") -> pd.DataFrame:
    """Return whole candles.

    Parameters
    ----------
    tape : Tape
    timeframe : str
        Freqtrade's name, such as "5m".
    price : {"last", "mark"}, default "last"
        Mark candles have volume 0, as on Binance.

    Returns
    -------
    DataFrame
        `date` (open of the candle), `open, high, low, close, volume`.

    Raises
    ------
    ConfigError
        If Binance has no such timeframe.
    """
    rows = bars(tape, _known(timeframe), price)
    volume = rows.volume if price == "last" else np.zeros(len(rows.volume))
    values = {"open": rows.open, "high": rows.high, "low": rows.low, "close": rows.close, "volume": volume}
    return pd.DataFrame({"date": _dates(rows.open_time), **values})


def open_interest(tape: Tape, timeframe: str) -> pd.DataFrame:
    """Return open interest; a row stamped t is the state at t, where a candle closes.

    Parameters
    ----------
    tape : Tape
    timeframe : str
        Freqtrade's name, such as "5m".

    Returns
    -------
    DataFrame
        `date`, `open_interest_amount` (base, one side), `open_interest_value` (quote, at the mark price).

    Raises
    ------
    ConfigError
        If Binance has no such timeframe.
    """
    time, amount, value = open_interest_at(tape, _known(timeframe))
    return pd.DataFrame({"date": _dates(time), "open_interest_amount": amount, "open_interest_value": value})


def funding(tape: Tape) -> pd.DataFrame:
    """Return funding rates as they were paid.

    Parameters
    ----------
    tape : Tape

    Returns
    -------
    DataFrame
        `date`, `funding_rate` (fraction of notional that longs paid to shorts), one row per eight hours.
    """
    return pd.DataFrame({"date": _dates(tape.funding_time), "funding_rate": tape.funding_rate})


def _known(timeframe: str) -> str:
    require("timeframe", timeframe in INTERVALS, f"one of {', '.join(INTERVALS)}", repr(timeframe))
    return timeframe


def _dates(milliseconds: IntArray) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(milliseconds.view("datetime64[ms]")).tz_localize("UTC")
