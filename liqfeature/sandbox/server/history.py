"""Binance USD-M's history routes: pure functions of the venue and the parameters of a request.

Numbers are strings, times are milliseconds. The last candle is the open one.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from liqfeature.durations import MINUTE
from liqfeature.sandbox.server.query import INVALID_INTERVAL, BinanceError, limit, mandatory, window
from liqfeature.sandbox.server.venue import Perpetual, Venue
from liqfeature.sandbox.simulation.bars import INTERVALS, Bars, Price, forming

Query = Mapping[str, str]
Row = dict[str, Any]

_PERPETUAL = 4133404800000
"""Delivery date that Binance gives perpetuals."""

_LIMIT_REFUSAL = "Data sent for parameter 'limit' is not valid."


def exchange_info(venue: Venue, query: Query) -> Row:
    """Return all perpetuals."""
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
        "symbols": [_symbol(perpetual) for perpetual in venue.perpetuals.values()],
    }


def klines(venue: Venue, query: Query) -> list[list[Any]]:
    """Return candles of the last price."""
    perpetual = venue.perpetual(query)
    return kline_rows(perpetual, _asked_bars(venue, perpetual, query, "last"))


def kline_rows(perpetual: Perpetual, candles: Bars) -> list[list[Any]]:
    """Return candles of the last price in Binance's form."""
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
            candles.open_time.tolist(), _prices(candles, perpetual.filters.price), amounts, strict=True
        )
    ]


def mark_price_klines(venue: Venue, query: Query) -> list[list[Any]]:
    """Return candles of the mark price."""
    return mark_price_rows(_asked_bars(venue, venue.perpetual(query), query, "mark"))


def mark_price_rows(candles: Bars) -> list[list[Any]]:
    """Return candles of the mark price in Binance's form; they have no volume."""
    updates = candles.interval // 1000
    return [
        [opened, *ohlc, "0", opened + candles.interval - 1, "0", updates, "0", "0", "0"]
        for opened, ohlc in zip(candles.open_time.tolist(), _prices(candles, 8), strict=True)
    ]


def funding_rate(venue: Venue, query: Query) -> list[Row]:
    """Return past fundings, of all perpetuals where none is named."""
    asked = limit(query, default=100, most=1000, refusal=_LIMIT_REFUSAL)
    fundings = [
        row
        for perpetual in venue.asked_perpetuals(query)
        for row in _fundings(venue, perpetual, query, asked)
    ]
    return sorted(fundings, key=lambda row: int(row["fundingTime"]))[:asked]


def _symbol(perpetual: Perpetual) -> Row:
    filters = perpetual.filters
    tick, step = f"{10.0**-filters.price:.{filters.price}f}", f"{10.0**-filters.amount:.{filters.amount}f}"
    return {
        "symbol": perpetual.symbol,
        "pair": perpetual.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": _PERPETUAL,
        "onboardDate": perpetual.tape.start,
        "status": "TRADING",
        "baseAsset": perpetual.base,
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


def _asked_bars(venue: Venue, perpetual: Perpetual, query: Query, price: Price) -> Bars:
    interval = mandatory(query, "interval")
    if interval not in INTERVALS:
        raise BinanceError(*INVALID_INTERVAL)
    asked = limit(query, default=500, most=1500, refusal=_LIMIT_REFUSAL)
    candles = perpetual.bars(interval, price)
    finished = int(np.searchsorted(candles.open_time, venue.now - candles.interval, side="right"))
    current = forming(perpetual.tape, interval, venue.now, price)
    rows = window(np.append(candles.open_time[:finished], current.open_time), query, asked)
    closed = candles.rows(slice(rows.start, min(rows.stop, finished)))
    return closed.then(current) if rows.stop > max(rows.start, finished) else closed


def _fundings(venue: Venue, perpetual: Perpetual, query: Query, asked: int) -> list[Row]:
    tape = perpetual.tape
    past = int(np.searchsorted(tape.funding_time, venue.now, side="right"))
    rows = window(tape.funding_time[:past], query, asked)
    minutes = np.clip((tape.funding_time[rows] - tape.start) // MINUTE, 0, len(tape.mark_open) - 1)
    return [
        {"symbol": perpetual.symbol, "fundingRate": rate, "fundingTime": time, "markPrice": price}
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
