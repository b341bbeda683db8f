"""The record of one simulated market, minute by minute: prices, volume, open interest, funding, truth."""

from dataclasses import dataclass

import pandas as pd

from liqfeature.types import FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Tape:
    """One pair; every array has one entry per minute unless stated otherwise.

    Parameters
    ----------
    pair : str
        Freqtrade's name, such as "BTC/USDT:USDT".
    start : int
        Milliseconds since 1970 at which the first minute opens.
    open, high, low, close : ndarray of shape (n_minutes,)
        Last price, quote per base.
    volume, quote_volume, taker_buy_volume : ndarray of shape (n_minutes,)
        Base, quote, base.
    mark_open, mark_high, mark_low, mark_close : ndarray of shape (n_minutes,)
        Mark price, which triggers liquidations.
    open_interest : ndarray of shape (n_minutes,)
        Base, one side, at the close of the minute.
    funding_time, funding_rate : ndarray of shape (n_fundings,)
        Milliseconds since 1970; fraction of notional that longs paid to shorts at that time.
    positions : DataFrame
        Event log of every leveraged position; see `liqfeature.data.schema.POSITION_EVENTS`.
    forced_orders : DataFrame
        Every liquidation; see `liqfeature.data.schema.FORCED_ORDERS`.
    hedged_amount : float
        Base, one side: matched unlevered longs and shorts, which are in no log. At every close
        `open_interest = hedged_amount + max(live longs, live shorts)`: an unlevered market maker holds the
        difference, so each long has its short.
    """

    pair: str
    start: int
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    quote_volume: FloatArray
    taker_buy_volume: FloatArray
    mark_open: FloatArray
    mark_high: FloatArray
    mark_low: FloatArray
    mark_close: FloatArray
    open_interest: FloatArray
    funding_time: IntArray
    funding_rate: FloatArray
    positions: pd.DataFrame
    forced_orders: pd.DataFrame
    hedged_amount: float = 0.0
