"""How far price may go: for any horizon without a scan, and at the configured one as columns."""

import math
from functools import cache

import numpy as np
import pandas as pd

from liqfeature.columns.column import Column
from liqfeature.estimate.config import HeatmapConfig, configuration
from liqfeature.estimate.kernels.excursion import excursions
from liqfeature.estimate.outlook import SIGN, Outlook
from liqfeature.estimate.prepare import outlook_of
from liqfeature.estimate.reach import ReachRule
from liqfeature.estimate.scan import Scan
from liqfeature.market.market import Market
from liqfeature.sides import SIDE_AT
from liqfeature.types import FloatArray

QUANTILES = (50, 80, 95, 99)
"""Per cent of the excursions that a column bounds."""

SHORTFALL = 95
"""Per cent beyond whose quantile the mean is taken."""

OUTLOOK_COLUMNS: dict[str, Column] = {
    "liq_sigma": Column(
        "fraction of price", 0, math.inf, "one-sigma move of the logarithm of price within `horizon`"
    ),
    **{
        f"liq_excursion_{q}_{where}": Column(
            "fraction of close",
            0,
            math.inf,
            f"farthest that price goes to this side within `horizon` in {q} %",
        )
        for q in QUANTILES
        for where in SIDE_AT
    },
    **{
        f"liq_shortfall_{where}": Column(
            "fraction of close", 0, math.inf, f"mean of the excursions beyond the {SHORTFALL} % quantile"
        )
        for where in SIDE_AT
    },
}
"""The columns of `write_outlook`, in order."""


def outlook(candles: pd.DataFrame, config: HeatmapConfig | None = None) -> Outlook:
    """Look back from the close of each candle, so that any horizon can be asked for.

    Row t depends on nothing after the close of candle t. At `config.horizon` the answers are the columns:
    `outlook(candles, config).sigma(config.horizon)` is `liq_sigma`, bit-identical.

    Parameters
    ----------
    candles : DataFrame
        Freqtrade's frame: `date, open, high, low, close, volume`, any timeframe. Nothing else plays a part.
    config : HeatmapConfig, optional
        Default: `HeatmapConfig()`. Its `reach`, `max_age` and `lookback` count.

    Returns
    -------
    Outlook
        Ask it for `sigma`, `quantile`, `shortfall`, `stop_distance`; NaN in the first `config.warmup - 1`
        rows.

    Raises
    ------
    MissingColumnError, DataError
        Naming the column, the rule and the value received.

    Examples
    --------
    Stops of longs that price touches within 4 hours in one case of five, if it has no drift::

        stop = close * (1 - outlook(candles, config).stop_distance("below", 0.20, horizon=48))
    """
    config = configuration(config)
    return outlook_of(Market.of(candles, config.join_rule), config)


def write_outlook(scan: Scan, rows: FloatArray) -> None:
    """Write the columns of `OUTLOOK_COLUMNS` after a walk, from the end of the warm-up on.

    `rows` has shape (n_columns, n).
    """
    first, sigmas = scan.config.warmup - 1, _in_sigmas(scan.config.reach)
    rows[0, first:] = scan.config.grid.width * scan.reading.sigma[first:]
    for i, (where, side) in enumerate(SIDE_AT.items()):
        tilts = scan.reading.tilts[side, first:]
        for row, farthest in zip(rows[1 + i :: 2], sigmas, strict=True):
            excursions(rows[0, first:], tilts, farthest, SIGN[where], row[first:])


@cache
def _in_sigmas(rule: ReachRule) -> FloatArray:
    """Quantiles of the excursion and its shortfall by recent move; shape (n_quantiles + 1, N_TILTS)."""
    quantiles = [rule.quantile(q / 100) for q in QUANTILES]
    return np.stack([*quantiles, rule.shortfall(SHORTFALL / 100)])
