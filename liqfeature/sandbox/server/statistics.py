"""Binance USD-M's statistics under `/futures/data`: open interest and positioning at round times.

A row is the state at its stamp, or the trades of the period that ends there. Within `start_stamped` spans of
the venue it has the stamp of the start of its period, as on Binance since 2026-06-25.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from liqfeature.durations import MINUTE
from liqfeature.sandbox.server.query import BinanceError, limit, mandatory, window
from liqfeature.sandbox.server.venue import Venue
from liqfeature.sandbox.simulation.bars import INTERVALS
from liqfeature.sandbox.simulation.statistics import Statistics
from liqfeature.types import FloatArray

Columns = Callable[[Statistics], dict[str, FloatArray]]

_PERIODS = ("5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d")


def eight_digits(values: FloatArray) -> list[str]:
    """Return numbers with eight digits after the point; blank where NaN."""
    return ["" if value != value else f"{value:.8f}" for value in values.tolist()]


def _rows(columns: Columns, venue: Venue, query: Mapping[str, str]) -> list[dict[str, Any]]:
    perpetual, period = venue.perpetual(query), mandatory(query, "period")
    if period not in _PERIODS:
        raise BinanceError(-1130, "parameter 'period' is invalid")
    asked = limit(query, default=30, most=500, refusal="parameter 'limit' is invalid")
    statistics = perpetual.statistics(period)
    values = columns(statistics)
    stamps = venue.stamps(statistics.time, INTERVALS[period] * MINUTE)
    known = ~np.isnan(np.array(list(values.values()))).any(axis=0)
    kept = np.flatnonzero(known & (stamps >= venue.oldest_open_interest) & (statistics.time <= venue.now))
    rows = kept[window(stamps[kept], query, asked)]
    if int(query.get("startTime", venue.oldest_open_interest)) < venue.oldest_open_interest:
        raise BinanceError(-1130, "parameter 'startTime' is invalid")
    texts = zip(*(eight_digits(column[rows]) for column in values.values()), strict=True)
    return [
        {"symbol": perpetual.symbol, **dict(zip(values, row, strict=True)), "timestamp": stamp}
        for row, stamp in zip(texts, stamps[rows].tolist(), strict=True)
    ]


def _open_interest(statistics: Statistics) -> dict[str, FloatArray]:
    return {
        "sumOpenInterest": statistics.open_interest,
        "sumOpenInterestValue": statistics.open_interest_value,
    }


def _longs_over_shorts(name: str, statistics: Statistics) -> dict[str, FloatArray]:
    ratio: FloatArray = getattr(statistics, name)
    return {"longShortRatio": ratio, "longAccount": ratio / (1 + ratio), "shortAccount": 1 / (1 + ratio)}


def _takers(statistics: Statistics) -> dict[str, FloatArray]:
    bought, sold = statistics.taker_bought, statistics.taker_sold
    return {"buySellRatio": statistics.taker_ratio, "buyVol": bought, "sellVol": sold}


_DATA = "/futures/data"

ROUTES = {
    f"{_DATA}/openInterestHist": partial(_rows, _open_interest),
    f"{_DATA}/topLongShortAccountRatio": partial(_rows, partial(_longs_over_shorts, "top_account_ratio")),
    f"{_DATA}/topLongShortPositionRatio": partial(_rows, partial(_longs_over_shorts, "top_position_ratio")),
    f"{_DATA}/globalLongShortAccountRatio": partial(_rows, partial(_longs_over_shorts, "account_ratio")),
    f"{_DATA}/takerlongshortRatio": partial(_rows, _takers),
}
"""Answers of the venue to a request's parameters, by path."""
