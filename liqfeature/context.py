"""What a chart reader looks at beside the clusters: ranges, old highs and lows, round numbers, divergence.

All take series or columns and return series of the same index. Row t knows candles up to t only.
"""

import numpy as np
import pandas as pd

from liqfeature.checks import require, require_at_least, require_share
from liqfeature.errors import DataError
from liqfeature.flow import trailing_sum
from liqfeature.join import join_open_interest
from liqfeature.tables import numbers, require_column, times


def average_true_range(candles: pd.DataFrame, span: int = 14) -> pd.Series:
    """Return Wilder's average true range.

    Parameters
    ----------
    candles : DataFrame
        `high`, `low`, `close`.
    span : int, default 14
        Candles, at least 1.

    Returns
    -------
    Series
        Quote per base; the first `span - 1` rows are NaN.

    Notes
    -----
    Mean with weight `1 / span` for the newest of `max(high, close before) - min(low, close before)`, after
    Wilder (1978).
    """
    require_at_least(1, span=span)
    before = candles["close"].shift()
    highest, lowest = candles["high"].where(~(candles["high"] < before), before), candles["low"]
    lowest = lowest.where(~(lowest > before), before)
    return (highest - lowest).ewm(alpha=1 / span, adjust=False, min_periods=span).mean()


def open_interest_change(
    candles: pd.DataFrame,
    open_interest: pd.DataFrame | None,
    span: int,
    *,
    in_contracts: bool = False,
    within: int | None = None,
) -> pd.Series:
    """Return how open interest changed over the last candles, as far as a live bot knows it.

    Parameters
    ----------
    candles : DataFrame
        `date`, `close`.
    open_interest : DataFrame or None
        Freqtrade's frame, as `liquidation_features` takes it.
    span : int
        Candles, at least 1.
    in_contracts : bool, default False
        As `HeatmapConfig.flow.open_interest_in_contracts` says for the exchange.
    within : int, optional
        Candles that a live bot has, Freqtrade's `startup_candle_count`: OKX and Bitget give no more than the
        columns need. A span that reaches farther back would be known in a backtest only.

    Returns
    -------
    Series
        Fraction of what it was `span` candles before; NaN where either is not known, or older than four
        spans: a row depends on five spans, where open interest comes regularly.

    Raises
    ------
    ConfigError
        If five spans are more than `within`.
    """
    require_at_least(1, span=span)
    if within is not None:
        most = within // (_CARRIED + 1)
        require("span", span <= most, f"at most {most}, a fifth of the {within} candles loaded", span)
    time, close = times(candles, "candles"), numbers(candles, "close", "candles")
    interval = int(np.min(np.diff(time))) if time.size > 1 else 1
    known = join_open_interest(
        open_interest, time, close, interval, _CARRIED * span, in_contracts=in_contracts
    )
    amount = pd.Series(known.amount, index=candles.index)
    return amount / amount.shift(span) - 1


_CARRIED = 4
"""Spans for which a row of open interest is carried on."""


def round_number(price: pd.Series, step: float = 0.02) -> pd.Series:
    """Return the round number next to each price.

    Parameters
    ----------
    price : Series
        Quote per base, of any scale.
    step : float, default 0.02
        Largest distance from one round number to the next, as a fraction of price, between 0 and 1.

    Returns
    -------
    Series
        The nearest multiple of the largest of 1, 2 or 5 times a power of ten that is at most `step * price`:
        of 1,000 for a price of 65,000, of 2 for 142. NaN where price is NaN, infinite, or not above 0.

    Raises
    ------
    DataError
        If prices are not numbers.
    ConfigError
        If `step` breaks its rule.
    """
    require_share(step=step)
    if not pd.api.types.is_numeric_dtype(price.dtype):
        msg = f"price must be a Series of numbers, received one of {price.dtype}"
        raise DataError(msg)
    value = price.to_numpy(dtype=np.float64, na_value=np.nan)
    widest = np.where((value >= _LEAST_PRICE) & (value < np.inf), value, np.nan) * step
    power = 10.0 ** np.floor(np.log10(widest))
    # A power of ten is a rounding error above or below itself, and so is twice or five times it.
    multiple = np.floor(widest / power * (1 + 1e-9))
    unit = power * np.select([multiple >= 10, multiple >= 5, multiple >= 2], [10.0, 5.0, 2.0], 1.0)
    return pd.Series(np.round(value / unit) * unit, index=price.index)


_LEAST_PRICE = 1e-100
"""Below it a hundredth of a price would soon be no number of full precision."""


def near(price: pd.Series, level: pd.Series, tolerance: pd.Series) -> pd.Series:
    """Tell where a price lies within a tolerance of a level, all in the same unit; not where any is NaN."""
    return (price - level).abs() <= tolerance


def prior_extreme(candles: pd.DataFrame, span: int, *, is_high: bool) -> pd.Series:
    """Return the highest high or lowest low of the `span` candles before each one, its own left out.

    NaN until there are so many.
    """
    require_at_least(1, span=span)
    before = (candles["high"] if is_high else candles["low"]).shift().rolling(span)
    return before.max() if is_high else before.min()


def usual_volume(volume: pd.Series, span: int = 288) -> pd.Series:
    """Return the mean volume of the last candles, NaN until there are so many.

    A running sum would depend, in its last digits, on where the candles begin; this one does not.
    """
    require_at_least(1, span=span)
    total = trailing_sum(volume.to_numpy(dtype=np.float64, copy=True), span)
    mean = pd.Series(total / span, index=volume.index)
    return mean.where(np.arange(len(volume)) >= span - 1)


def volume_rises(volume: pd.Series, span: int = 12) -> pd.Series:
    """Tell where the mean volume of the last candles is above that of as many before them."""
    mean = usual_volume(volume, span)
    return mean > mean.shift(span)


def divergence(candles: pd.DataFrame, rsi: pd.Series, span: int = 24, *, is_short: bool) -> pd.Series:
    """Tell where price made a new extreme and momentum did not follow.

    Parameters
    ----------
    candles : DataFrame
        `high`, `low`.
    rsi : Series
        Relative strength, or another oscillator.
    span : int, default 24
        Candles of either stretch that is compared, at least 1.
    is_short : bool
        A long looks for a lower low of price with a higher low of the oscillator; a short for a higher high
        with a lower high.

    Returns
    -------
    Series of bool
        False until both stretches are complete.
    """
    require_at_least(1, span=span)
    if is_short:
        price, pulse = candles["high"].rolling(span).max(), rsi.rolling(span).max()
        return (price > price.shift(span)) & (pulse < pulse.shift(span))
    price, pulse = candles["low"].rolling(span).min(), rsi.rolling(span).min()
    return (price < price.shift(span)) & (pulse > pulse.shift(span))


def confluence(rows: pd.DataFrame, level: pd.Series, *, is_short: bool, span: int = 288) -> pd.Series:
    """Count how many of four usual reasons speak for a trade at a level.

    Parameters
    ----------
    rows : DataFrame
        `high`, `low`, `volume`, `atr`, `rsi`, `ema_fast`, `ema_slow`.
    level : Series
        Price of the cluster that the trade is about; NaN is near nothing.
    is_short : bool
        Side of the position.
    span : int, default 288
        Candles in which a prior high or low is sought.

    Returns
    -------
    Series of int
        0 to 4: the level lies within an average true range of a prior high or low, or a quarter of one of a
        round number; volume rises; the fast average is on the trade's side of the slow one; divergence.
    """
    for name in ("atr", "rsi", "ema_fast", "ema_slow", "volume"):
        require_column(rows, name, "rows")
    atr = rows["atr"]
    at_high, at_low = (
        near(level, prior_extreme(rows, span, is_high=is_high), atr) for is_high in (True, False)
    )
    at_round = near(level, round_number(level), atr / 4)
    trend = rows["ema_fast"] - rows["ema_slow"]
    reasons = (
        at_high | at_low | at_round,
        volume_rises(rows["volume"]),
        (trend < 0) if is_short else (trend > 0),
        divergence(rows, rows["rsi"], is_short=is_short),
    )
    return pd.concat(reasons, axis=1).sum(axis=1)
