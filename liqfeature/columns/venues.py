"""Columns of several exchanges: which of them agree on a cluster, and what is swept on the others."""

import math

import numpy as np

from liqfeature.columns.column import Column
from liqfeature.estimate.scan import Scan
from liqfeature.estimate.venues import Together
from liqfeature.sides import LONG, SHORT
from liqfeature.types import FloatArray

_SIDED = {
    "venues": Column(
        "exchanges",
        0,
        math.inf,
        "fresh ones that hold more in the nearest cluster than they usually do there",
    ),
    "consensus": Column("share", 0, 1, "of the fresh exchanges' open interest that those hold"),
    "local": Column("share", 0, 1, "of the nearest cluster that rests on the traded exchange"),
}

VENUE_COLUMNS: dict[str, Column] = {
    **{f"liq_{what}_{where}": column for what, column in _SIDED.items() for where in ("above", "below")},
    "liq_elsewhere_long": Column(
        "quote", 0, math.inf, "longs force-closed in this candle on other exchanges"
    ),
    "liq_elsewhere_short": Column(
        "quote", 0, math.inf, "shorts force-closed in this candle on other exchanges"
    ),
    "liq_fresh": Column("share", 0, 1, "of the exchanges, the traded one included, that the row knows of"),
}
"""Columns that are there where `venues` are."""


def venue_columns(scan: Scan, together: Together) -> FloatArray:
    """Return the columns of `VENUE_COLUMNS` after a walk, shape (n_columns, n); NaN where is no cluster."""
    elsewhere = scan.config.cascade.forced_share * together.agreement.elsewhere
    clusters = together.agreement.clusters.reshape(-1, elsewhere.shape[1])
    return np.vstack([clusters, elsewhere[LONG], elsewhere[SHORT], together.fresh_share])
