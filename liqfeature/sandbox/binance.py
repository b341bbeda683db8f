"""Binance USD-M's market history, as it answers: pure functions of the venue and a request's parameters.

Numbers are strings, times are milliseconds. The last candle is the one that is being made, as far as it is
known. A row of open interest is the state at its time.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from liqfeature.sandbox.bars import INTERVALS, Bars, Price, forming, open_interest_at
from liqfeature.sandbox.query import INVALID_INTERVAL, BinanceError, limit, mandatory, window
from liqfeature.sandbox.venue import Market, Venue

Query = Mapping[str, str]
Row = dict[str, Any]

_PERPETUAL = 4133404800000
"""Delivery date that Binance gives contracts which are never delivered."""

_OI_PERIODS = ("5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d")

_LIMIT_REFUSAL = "Data sent for parameter 'limit' is not valid."


def exchange_info(venue: Venue, query: Query) -> Row:
    """List the markets."""
    del query
    return {
        "timezone": "UTC",
        "serverTime": venue.now,
        "futuresType": "U_MARGINED",
        "rateLimits": [
            {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 2400},
        ],
        "exchangeFilters": [],
        "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"}],
        "symbols": [_symbol(market) for market in venue.markets.values()],
    }


def klines(venue: Venue, query: Query) -> list[list[Any]]:
    """Tell candles of the last price."""
    market = venue.market(query)
    candles = _asked_bars(venue, market, query, "last")
    share = candles.taker_buy_volume / np.where(candles.volume > 0, candles.volume, 1)
    amounts = zip(
        _text(candles.volume, 3),
        _text(candles.quote_volume, 2),
        _text(candles.taker_buy_volume, 3),
        _text(candles.quote_volume * share, 2),
        strict=True,
    )
    return [
        [opened, *ohlc, volume, opened + candles.interval - 1, quote, 0, taker, taker_quote, "0"]
        for opened, ohlc, (volume, quote, taker, taker_quote) in zip(
            candles.open_time.tolist(), _prices(candles, market.filters.price), amounts, strict=True
        )
    ]


def mark_price_klines(venue: Venue, query: Query) -> list[list[Any]]:
    """Tell candles of the mark price; they have no volume."""
    candles = _asked_bars(venue, venue.market(query), query, "mark")
    updates = candles.interval // 1000
    return [
        [opened, *ohlc, "0", opened + candles.interval - 1, "0", updates, "0", "0", "0"]
        for opened, ohlc in zip(candles.open_time.tolist(), _prices(candles, 8), strict=True)
    ]


def funding_rate(venue: Venue, query: Query) -> list[Row]:
    """Tell past fundings, of all markets where none is named."""
    asked = limit(query, default=100, most=1000, refusal=_LIMIT_REFUSAL)
    fundings = [
        row for market in venue.asked_markets(query) for row in _fundings(venue, market, query, asked)
    ]
    return sorted(fundings, key=lambda row: int(row["fundingTime"]))[:asked]


def open_interest_history(venue: Venue, query: Query) -> list[Row]:
    """Tell open interest at round times; where the venue has a wall, not from before it."""
    market, period = venue.market(query), mandatory(query, "period")
    if period not in _OI_PERIODS:
        raise BinanceError(-1130, "parameter 'period' is invalid")
    asked = limit(query, default=30, most=500, refusal="parameter 'limit' is invalid")
    time, amount, value = open_interest_at(market.tape, period)
    told = (time >= venue.oldest_open_interest) & (time <= venue.now)
    time, amount, value = time[told], amount[told], value[told]
    rows = window(time, query, asked)
    if int(query.get("startTime", venue.oldest_open_interest)) < venue.oldest_open_interest:
        raise BinanceError(-1130, "parameter 'startTime' is invalid")
    return [
        {
            "symbol": market.symbol,
            "sumOpenInterest": one_amount,
            "sumOpenInterestValue": one_value,
            "timestamp": stamp,
        }
        for stamp, one_amount, one_value in zip(
            time[rows].tolist(), _text(amount[rows], 8), _text(value[rows], 8), strict=True
        )
    ]


def _symbol(market: Market) -> Row:
    filters = market.filters
    tick, step = f"{10.0**-filters.price:.{filters.price}f}", f"{10.0**-filters.amount:.{filters.amount}f}"
    return {
        "symbol": market.symbol,
        "pair": market.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": _PERPETUAL,
        "onboardDate": market.tape.start,
        "status": "TRADING",
        "baseAsset": market.base,
        "quoteAsset": "USDT",
        "marginAsset": "USDT",
        "pricePrecision": filters.price,
        "quantityPrecision": filters.amount,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "10000000", "tickSize": tick},
            {"filterType": "LOT_SIZE", "minQty": step, "maxQty": "1000000", "stepSize": step},
            {"filterType": "MARKET_LOT_SIZE", "minQty": step, "maxQty": "100000", "stepSize": step},
            {"filterType": "MIN_NOTIONAL", "notional": str(filters.notional)},
        ],
        "orderTypes": ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET"],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
    }


def _asked_bars(venue: Venue, market: Market, query: Query, price: Price) -> Bars:
    interval = mandatory(query, "interval")
    if interval not in INTERVALS:
        raise BinanceError(*INVALID_INTERVAL)
    asked = limit(query, default=500, most=1500, refusal=_LIMIT_REFUSAL)
    candles = market.bars(interval, price)
    finished = int(np.searchsorted(candles.open_time, venue.now - candles.interval, side="right"))
    current = forming(market.tape, interval, venue.now, price)
    rows = window(np.append(candles.open_time[:finished], current.open_time), query, asked)
    told = candles.rows(slice(rows.start, min(rows.stop, finished)))
    return told.then(current) if rows.stop > max(rows.start, finished) else told


def _fundings(venue: Venue, market: Market, query: Query, asked: int) -> list[Row]:
    tape = market.tape
    past = int(np.searchsorted(tape.funding_time, venue.now, side="right"))
    rows = window(tape.funding_time[:past], query, asked)
    minutes = np.clip((tape.funding_time[rows] - tape.start) // 60_000, 0, len(tape.mark_open) - 1)
    return [
        {"symbol": market.symbol, "fundingRate": rate, "fundingTime": time, "markPrice": price}
        for time, rate, price in zip(
            tape.funding_time[rows].tolist(),
            _text(tape.funding_rate[rows], 8),
            _text(tape.mark_open[minutes], 8),
            strict=True,
        )
    ]


def _prices(candles: Bars, digits: int) -> list[tuple[str, ...]]:
    columns = (candles.open, candles.high, candles.low, candles.close)
    return list(zip(*(_text(column, digits) for column in columns), strict=True))


def _text(values: Any, digits: int) -> list[str]:
    return [f"{value:.{digits}f}" for value in values.tolist()]
