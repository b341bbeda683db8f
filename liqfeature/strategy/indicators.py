"""What a chart reader looks at beside the clusters: ranges, old highs and lows, round numbers, divergence.

All take series or columns and return series of the same index. Row t knows candles up to t only.
"""

import numpy as np
import pandas as pd

from liqfeature.checks import require_at_least, require_share
from liqfeature.errors import DataError
from liqfeature.market.frames import require_column
from liqfeature.market.rolling import trailing_sum
from liqfeature.types import BoolArray, FloatArray


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
        message = f"price must be a Series of numbers, received one of {price.dtype}"
        raise DataError(message)
    value = price.to_numpy(dtype=np.float64, na_value=np.nan)
    widest = np.where((value >= _LEAST_PRICE) & (value < np.inf), value, np.nan) * step
    power = 10.0 ** np.floor(np.log10(widest))
    # A power of ten is a rounding error above or below itself, and so is twice or five times it.
    multiple = np.floor(widest / power * (1 + 1e-9))
    unit = power * np.select([multiple >= 10, multiple >= 5, multiple >= 2], [10.0, 5.0, 2.0], 1.0)
    return pd.Series(np.round(value / unit) * unit, index=price.index)


_LEAST_PRICE = 1e-100
"""Below it a hundredth of a price would soon be no number of full precision."""


def near(price: FloatArray, level: FloatArray, tolerance: FloatArray) -> BoolArray:
    """Return True where a price lies within a tolerance of a level; False where any of them is NaN."""
    within: BoolArray = np.abs(price - level) <= tolerance
    return within


def prior_extreme(candles: pd.DataFrame, span: int, *, is_high: bool) -> pd.Series:
    """Return the highest high or lowest low of the `span` candles before each one, its own left out.

    NaN until there are `span`.
    """
    require_at_least(1, span=span)
    before = (candles["high"] if is_high else candles["low"]).shift().rolling(span)
    return before.max() if is_high else before.min()


def usual_volume(volume: pd.Series, span: int = 288) -> pd.Series:
    """Return the mean volume of the last `span` candles, NaN until there are as many.

    A running sum would depend, in its last digits, on where the candles begin; this one does not.
    """
    require_at_least(1, span=span)
    total = trailing_sum(volume.to_numpy(dtype=np.float64, copy=True), span)
    mean = pd.Series(total / span, index=volume.index)
    return mean.where(np.arange(len(volume)) >= span - 1)


def volume_rises(volume: pd.Series, span: int = 12) -> pd.Series:
    """Return True where the mean volume of the last candles is above that of as many before."""
    mean = usual_volume(volume, span)
    return mean > mean.shift(span)


def divergence(candles: pd.DataFrame, rsi: pd.Series, span: int = 24, *, is_short: bool) -> pd.Series:
    """Return True where price made a new extreme and momentum did not follow.

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


def chart_reasons(rows: pd.DataFrame, span: int = 288) -> dict[str, pd.Series]:
    """Return the columns that `confluence` reads and that do not depend on a level.

    Parameters
    ----------
    rows : DataFrame
        `high`, `low`, `volume`, `rsi`.
    span : int, default 288
        Candles in which a prior high or low is sought.

    Returns
    -------
    dict of Series
        `prior_high` and `prior_low`, quote per base, NaN until there are `span` candles; `volume_rises`,
        `divergence_long` and `divergence_short`, bool.
    """
    for name in ("rsi", "volume"):
        require_column(rows, name, "rows")
    return {
        "prior_high": prior_extreme(rows, span, is_high=True),
        "prior_low": prior_extreme(rows, span, is_high=False),
        "volume_rises": volume_rises(rows["volume"]),
        "divergence_long": divergence(rows, rows["rsi"], is_short=False),
        "divergence_short": divergence(rows, rows["rsi"], is_short=True),
    }


def confluence(rows: pd.DataFrame, level: pd.Series, *, is_short: bool) -> pd.Series:
    """Count how many of four usual reasons speak for a trade at a level.

    Parameters
    ----------
    rows : DataFrame
        `atr`, `ema_fast`, `ema_slow`, and the columns of `chart_reasons`.
    level : Series
        Price of the cluster that the trade is about; NaN is near nothing.
    is_short : bool
        Side of the position.

    Returns
    -------
    Series of int
        0 to 4: the level lies within an average true range of a prior high or low, or a quarter of one of a
        round number; volume rises; the fast average is on the trade's side of the slow one; divergence.
    """
    diverges = f"divergence_{'short' if is_short else 'long'}"
    names = ("atr", "ema_fast", "ema_slow", "prior_high", "prior_low")
    for name in (*names, "volume_rises", diverges):
        require_column(rows, name, "rows")
    atr, fast, slow, high, low = (rows[name].to_numpy(dtype=np.float64) for name in names)
    price, round_price = (prices.to_numpy(dtype=np.float64) for prices in (level, round_number(level)))
    at_level = near(price, high, atr) | near(price, low, atr) | near(price, round_price, atr / 4)
    with_trend = (fast < slow) if is_short else (fast > slow)
    reasons = (
        at_level,
        with_trend,
        *(rows[name].to_numpy(dtype=np.bool_) for name in ("volume_rises", diverges)),
    )
    return pd.Series(np.sum(reasons, axis=0, dtype=np.int64), index=rows.index)
