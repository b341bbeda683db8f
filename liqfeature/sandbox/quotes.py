"""Binance USD-M's view of the present moment, which a dry-run asks for: pure functions like `binance`."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from liqfeature.sandbox.query import BinanceError, number
from liqfeature.sandbox.tape import MINUTE
from liqfeature.sandbox.venue import Market, Venue

Query = Mapping[str, str]
Row = dict[str, Any]

_DAY_MINUTES = 1440
_HOUR_MINUTES = 60
_DEPTHS = (5, 10, 20, 50, 100, 500, 1000)
_FUNDING_HOURS = 8
_LEVEL_SHARE = 0.02
"""Amount that rests at one level of the order book, as a share of what trades in a minute."""


def ping(venue: Venue, query: Query) -> Row:
    """Answer that the venue is there."""
    del venue, query
    return {}


def time(venue: Venue, query: Query) -> Row:
    """Tell the venue's clock."""
    del query
    return {"serverTime": venue.now}


def depth(venue: Venue, query: Query) -> Row:
    """Tell an order book of even levels, one tick apart, around the last price."""
    market = venue.market(query)
    asked = number(query, "limit") or 500
    if asked not in _DEPTHS:
        raise BinanceError(-4021, f"{asked} is not valid depth limit.")
    return {
        "lastUpdateId": venue.now,
        "E": venue.now,
        "T": venue.now,
        "bids": _levels(venue, market, -1, asked),
        "asks": _levels(venue, market, 1, asked),
    }


def ticker_price(venue: Venue, query: Query) -> Row | list[Row]:
    """Tell the last price of one market, or of all."""
    return _one_or_all(venue, query, _ticker_price)


def ticker_book(venue: Venue, query: Query) -> Row | list[Row]:
    """Tell the best bid and ask of one market, or of all."""
    return _one_or_all(venue, query, _ticker_book)


def ticker_24hr(venue: Venue, query: Query) -> Row | list[Row]:
    """Tell what happened within a day, in one market or in all."""
    return _one_or_all(venue, query, _ticker_24hr)


def premium_index(venue: Venue, query: Query) -> Row | list[Row]:
    """Tell mark price and funding of one market, or of all."""
    return _one_or_all(venue, query, _premium_index)


def open_interest(venue: Venue, query: Query) -> Row:
    """Tell open interest now."""
    market = venue.market(query)
    amount = market.tape.open_interest[_last(venue, market)]
    return {"symbol": market.symbol, "openInterest": f"{amount:.3f}", "time": venue.now}


def funding_info(venue: Venue, query: Query) -> list[Row]:
    """Tell how often funding is paid."""
    del query
    return [
        {
            "symbol": symbol,
            "adjustedFundingRateCap": "0.02000000",
            "adjustedFundingRateFloor": "-0.02000000",
            "fundingIntervalHours": _FUNDING_HOURS,
            "disclaimer": False,
        }
        for symbol in venue.markets
    ]


def _one_or_all(venue: Venue, query: Query, tell: Any) -> Row | list[Row]:
    rows: list[Row] = [tell(venue, market) for market in venue.asked_markets(query)]
    return rows[0] if "symbol" in query else rows


def _last(venue: Venue, market: Market) -> int:
    """Index of the last minute that closed at the venue's clock, or of the first of all."""
    closed = (venue.now - market.tape.start) // MINUTE
    return int(np.clip(closed - 1, 0, len(market.tape.close) - 1))


def _price(market: Market, price: float) -> str:
    return f"{price:.{market.filters.price}f}"


def _levels(venue: Venue, market: Market, direction: int, count: int) -> list[list[str]]:
    last, digits = _last(venue, market), market.filters.amount
    tick = 10.0**-market.filters.price
    hour = market.tape.volume[max(0, last + 1 - _HOUR_MINUTES) : last + 1]
    amount = f"{max(_LEVEL_SHARE * float(hour.mean()), 10.0**-digits):.{digits}f}"
    middle = float(market.tape.close[last])
    return [[_price(market, middle + direction * tick * step), amount] for step in range(1, count + 1)]


def _ticker_price(venue: Venue, market: Market) -> Row:
    last = float(market.tape.close[_last(venue, market)])
    return {"symbol": market.symbol, "price": _price(market, last), "time": venue.now}


def _ticker_book(venue: Venue, market: Market) -> Row:
    (bid,), (ask,) = _levels(venue, market, -1, 1), _levels(venue, market, 1, 1)
    return {
        "symbol": market.symbol,
        "bidPrice": bid[0],
        "bidQty": bid[1],
        "askPrice": ask[0],
        "askQty": ask[1],
        "time": venue.now,
    }


def _ticker_24hr(venue: Venue, market: Market) -> Row:
    tape, last = market.tape, _last(venue, market)
    day = slice(max(0, last + 1 - _DAY_MINUTES), last + 1)
    first, close = float(tape.open[day][0]), float(tape.close[last])
    volume, quote = float(tape.volume[day].sum()), float(tape.quote_volume[day].sum())
    return {
        "symbol": market.symbol,
        "priceChange": _price(market, close - first),
        "priceChangePercent": f"{100 * (close / first - 1):.3f}",
        "weightedAvgPrice": _price(market, quote / volume if volume else close),
        "lastPrice": _price(market, close),
        "lastQty": f"{tape.volume[last]:.3f}",
        "openPrice": _price(market, first),
        "highPrice": _price(market, float(np.max(tape.high[day]))),
        "lowPrice": _price(market, float(np.min(tape.low[day]))),
        "volume": f"{volume:.3f}",
        "quoteVolume": f"{quote:.2f}",
        "openTime": venue.now - _DAY_MINUTES * MINUTE,
        "closeTime": venue.now,
        "firstId": 0,
        "lastId": 0,
        "count": 0,
    }


def _premium_index(venue: Venue, market: Market) -> Row:
    tape, mark = market.tape, f"{market.tape.mark_close[_last(venue, market)]:.8f}"
    past = int(np.searchsorted(tape.funding_time, venue.now, side="right"))
    period = _FUNDING_HOURS * _HOUR_MINUTES * MINUTE
    return {
        "symbol": market.symbol,
        "markPrice": mark,
        "indexPrice": mark,
        "estimatedSettlePrice": mark,
        "lastFundingRate": f"{tape.funding_rate[past - 1] if past else 0.0:.8f}",
        "interestRate": "0.00010000",
        "nextFundingTime": (venue.now // period + 1) * period,
        "time": venue.now,
    }
