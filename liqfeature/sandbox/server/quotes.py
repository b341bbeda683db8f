"""Binance USD-M's routes of the present moment, which a dry run asks for: pure functions like `history`."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from liqfeature.durations import MINUTE
from liqfeature.sandbox.server.query import BinanceError, number
from liqfeature.sandbox.server.venue import Perpetual, Venue

Query = Mapping[str, str]
Row = dict[str, Any]

_DAY_MINUTES = 1440
_HOUR_MINUTES = 60
_DEPTHS = (5, 10, 20, 50, 100, 500, 1000)
FUNDING_HOURS = 8
_LEVEL_SHARE = 0.02
"""Amount at one level of the order book, as a share of the volume of a minute."""


def ping(venue: Venue, query: Query) -> Row:
    """Return an empty answer."""
    del venue, query
    return {}


def time(venue: Venue, query: Query) -> Row:
    """Return the time of the venue's clock."""
    del query
    return {"serverTime": venue.now}


def depth(venue: Venue, query: Query) -> Row:
    """Return an order book of equal levels, one tick apart, around the last price."""
    perpetual = venue.perpetual(query)
    asked = number(query, "limit") or 500
    if asked not in _DEPTHS:
        raise BinanceError(-4021, f"{asked} is not valid depth limit.")
    return {
        "lastUpdateId": venue.now,
        "E": venue.now,
        "T": venue.now,
        "bids": _levels(venue, perpetual, -1, asked),
        "asks": _levels(venue, perpetual, 1, asked),
    }


def ticker_price(venue: Venue, query: Query) -> Row | list[Row]:
    """Return the last price of one perpetual, or of all."""
    return _one_or_all(venue, query, _ticker_price)


def ticker_book(venue: Venue, query: Query) -> Row | list[Row]:
    """Return the best bid and ask of one perpetual, or of all."""
    return _one_or_all(venue, query, _ticker_book)


def ticker_24hr(venue: Venue, query: Query) -> Row | list[Row]:
    """Return the statistics of the last 24 hours of one perpetual, or of all."""
    return _one_or_all(venue, query, _ticker_24hr)


def premium_index(venue: Venue, query: Query) -> Row | list[Row]:
    """Return mark price and funding of one perpetual, or of all."""
    return _one_or_all(venue, query, _premium_index)


def open_interest(venue: Venue, query: Query) -> Row:
    """Return open interest now."""
    perpetual = venue.perpetual(query)
    amount = perpetual.tape.open_interest[_last(venue, perpetual)]
    return {"symbol": perpetual.symbol, "openInterest": f"{amount:.3f}", "time": venue.now}


def funding_info(venue: Venue, query: Query) -> list[Row]:
    """Return the funding interval of each perpetual."""
    del query
    return [
        {
            "symbol": symbol,
            "adjustedFundingRateCap": "0.02000000",
            "adjustedFundingRateFloor": "-0.02000000",
            "fundingIntervalHours": FUNDING_HOURS,
            "disclaimer": False,
        }
        for symbol in venue.perpetuals
    ]


def _one_or_all(venue: Venue, query: Query, row_of: Any) -> Row | list[Row]:
    rows: list[Row] = [row_of(venue, perpetual) for perpetual in venue.asked_perpetuals(query)]
    return rows[0] if "symbol" in query else rows


def _last(venue: Venue, perpetual: Perpetual) -> int:
    """Index of the last minute that has closed, or of the first minute."""
    closed = (venue.now - perpetual.tape.start) // MINUTE
    return int(np.clip(closed - 1, 0, len(perpetual.tape.close) - 1))


def _price(perpetual: Perpetual, price: float) -> str:
    return f"{price:.{perpetual.filters.price}f}"


def level_amount(perpetual: Perpetual, last: int) -> str:
    """Return the amount at each level of the order book after a minute."""
    digits = perpetual.filters.amount
    hour = perpetual.tape.volume[max(0, last + 1 - _HOUR_MINUTES) : last + 1]
    return f"{max(_LEVEL_SHARE * float(hour.mean()), 10.0**-digits):.{digits}f}"


def _levels(venue: Venue, perpetual: Perpetual, direction: int, count: int) -> list[list[str]]:
    last, tick = _last(venue, perpetual), 10.0**-perpetual.filters.price
    amount, middle = level_amount(perpetual, last), float(perpetual.tape.close[last])
    return [[_price(perpetual, middle + direction * tick * step), amount] for step in range(1, count + 1)]


def _ticker_price(venue: Venue, perpetual: Perpetual) -> Row:
    last = float(perpetual.tape.close[_last(venue, perpetual)])
    return {"symbol": perpetual.symbol, "price": _price(perpetual, last), "time": venue.now}


def _ticker_book(venue: Venue, perpetual: Perpetual) -> Row:
    (bid,), (ask,) = _levels(venue, perpetual, -1, 1), _levels(venue, perpetual, 1, 1)
    return {
        "symbol": perpetual.symbol,
        "bidPrice": bid[0],
        "bidQty": bid[1],
        "askPrice": ask[0],
        "askQty": ask[1],
        "time": venue.now,
    }


def _ticker_24hr(venue: Venue, perpetual: Perpetual) -> Row:
    tape, last = perpetual.tape, _last(venue, perpetual)
    day = slice(max(0, last + 1 - _DAY_MINUTES), last + 1)
    first, close = float(tape.open[day][0]), float(tape.close[last])
    volume, quote = float(tape.volume[day].sum()), float(tape.quote_volume[day].sum())
    return {
        "symbol": perpetual.symbol,
        "priceChange": _price(perpetual, close - first),
        "priceChangePercent": f"{100 * (close / first - 1):.3f}",
        "weightedAvgPrice": _price(perpetual, quote / volume if volume else close),
        "lastPrice": _price(perpetual, close),
        "lastQty": f"{tape.volume[last]:.3f}",
        "openPrice": _price(perpetual, first),
        "highPrice": _price(perpetual, float(np.max(tape.high[day]))),
        "lowPrice": _price(perpetual, float(np.min(tape.low[day]))),
        "volume": f"{volume:.3f}",
        "quoteVolume": f"{quote:.2f}",
        "openTime": venue.now - _DAY_MINUTES * MINUTE,
        "closeTime": venue.now,
        "firstId": 0,
        "lastId": 0,
        "count": 0,
    }


def _premium_index(venue: Venue, perpetual: Perpetual) -> Row:
    tape, mark = perpetual.tape, f"{perpetual.tape.mark_close[_last(venue, perpetual)]:.8f}"
    past = int(np.searchsorted(tape.funding_time, venue.now, side="right"))
    period = FUNDING_HOURS * _HOUR_MINUTES * MINUTE
    return {
        "symbol": perpetual.symbol,
        "markPrice": mark,
        "indexPrice": mark,
        "estimatedSettlePrice": mark,
        "lastFundingRate": f"{tape.funding_rate[past - 1] if past else 0.0:.8f}",
        "interestRate": "0.00010000",
        "nextFundingTime": (venue.now // period + 1) * period,
        "time": venue.now,
    }
