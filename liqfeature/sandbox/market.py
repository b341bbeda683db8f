"""One pair's market, run minute by minute from a seed."""

import hashlib
import math
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from liqfeature.errors import ConfigError
from liqfeature.sandbox.kernels.clock import EVENTS_PER_POSITION, advance, has_room
from liqfeature.sandbox.kernels.layout import Event, Minute, Now, record, records
from liqfeature.sandbox.kernels.state import (
    N_CELLS,
    OPEN,
    REASONS,
    Market,
    empty_book,
    empty_log,
    larger_book,
)
from liqfeature.sandbox.pairs import PairCharacter, character
from liqfeature.sandbox.rules import leverage_ladder, market_rules, tier_table
from liqfeature.sandbox.scenario import MarketConfig
from liqfeature.sandbox.tape import MINUTE, Tape
from liqfeature.types import IntArray

BURN_IN = 21 * 1440
"""Minutes run before the first one that is told, so that it finds positions of every age."""

SIDES = ("long", "short")

_SLOTS, _EVENTS = 16_384, 262_144

_NARROW = {"minute": np.int32, "number": np.int32, "side": np.int8, "reason": np.int8}


class Run(NamedTuple):
    """A market, and the log of the span that it was run for: columns of Event and ForcedOrder, in pieces."""

    market: Market
    events: list[dict[str, Any]]
    forced: list[dict[str, Any]]


def simulate(config: MarketConfig, pair: str, *, start: str | datetime, days: float, seed: int) -> Tape:
    """Run one pair's market.

    Parameters
    ----------
    config : MarketConfig
        How its traders behave.
    pair : str
        Freqtrade's name, such as "BTC/USDT:USDT".
    start : str or datetime
        When the first minute opens: ISO 8601, on a whole minute; UTC where it names no zone.
    days : float
        Length; a longer run begins with the very minutes of a shorter one.
    seed : int
        At least 0. Pairs of one seed have paths of their own.

    Returns
    -------
    Tape
        The same for the same arguments, to the last bit. Positions that were open before the first minute
        are logged as opened in it, at the liquidation price that they have by then.

    Raises
    ------
    ConfigError
        If the pair is not listed, or a parameter breaks its rule.
    """
    opening, n_minutes = _minute_of(start), _minutes_of(days)
    market = empty_market(config, character(pair), opening - BURN_IN, BURN_IN + n_minutes, _rng(pair, seed))
    market = run(market, BURN_IN).market
    carried = carried_in(market)
    market, events, forced = run(market, BURN_IN + n_minutes)
    rows = market.rows[BURN_IN:]
    funded = np.flatnonzero(~np.isnan(rows.funding_rate))
    return Tape(
        pair=pair,
        start=opening * MINUTE,
        funding_time=(opening + funded) * MINUTE,
        funding_rate=rows.funding_rate[funded],
        positions=_positions(opening - BURN_IN, [carried, *events]),
        forced_orders=_forced_orders(opening - BURN_IN, forced, pair),
        hedged_amount=float(market.rules.hedged),
        **{name: rows[name].copy() for name in rows.dtype.names if name != "funding_rate"},
    )


def empty_market(
    config: MarketConfig, traits: PairCharacter, first_minute: int, n_minutes: int, rng: np.random.Generator
) -> Market:
    """Return a market without positions.

    Parameters
    ----------
    config : MarketConfig
    traits : PairCharacter
    first_minute : int
        Minutes since 1970.
    n_minutes : int
        Length of the tape that it can write.
    rng : Generator
        The only source of chance.
    """
    now = record(
        Now, efficient=math.log(traits.price), last=traits.price, mark=traits.price, nearest_short=N_CELLS
    )
    return Market(
        now=now,
        rules=market_rules(config, traits, first_minute),
        rows=records(Minute, n_minutes),
        book=empty_book(_SLOTS),
        log=empty_log(_EVENTS),
        tiers=tier_table(traits),
        ladder=leverage_ladder(config),
        rng=rng,
    )


def run(market: Market, stop: int) -> Run:
    """Run a market up to a minute of its tape; its arrays grow as they must.

    Parameters
    ----------
    market : Market
        Changed in place.
    stop : int
        The first minute not run.

    Returns
    -------
    Run
        The market to go on with, and what was logged.
    """
    events, forced = [], []
    while market.now.minute < stop:
        advance(market, stop)
        events.append(_columns(market.log.events[: market.now.n_events]))
        forced.append(_columns(market.log.forced[: market.now.n_forced]))
        market.now.n_events = market.now.n_forced = 0
        if not has_room(market):
            market = _enlarged(market)
    return Run(market, events, forced)


def carried_in(market: Market) -> dict[str, Any]:
    """Return opening events, in the next minute, of all positions that are open."""
    live = market.book.positions[market.book.positions.slot[: market.now.n_live]]
    live = live[np.argsort(live.number)]
    events = records(Event, len(live))
    events.minute, events.reason = market.now.minute, OPEN
    events.number, events.side = live.number, live.side
    events.change, events.liquidation_price = live.amount, live.liquidation_price
    return _columns(events)


def _enlarged(market: Market) -> Market:
    book = larger_book(market.book)
    capacity = max(len(market.log.events), EVENTS_PER_POSITION * len(book.positions))
    return market._replace(book=book, log=empty_log(capacity))


def _columns(rows: Any) -> dict[str, Any]:
    return {name: rows[name].astype(_NARROW.get(name, rows[name].dtype)) for name in rows.dtype.names}


def _positions(first_minute: int, chunks: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "date": _dates((first_minute + _column(chunks, "minute").astype(np.int64)) * MINUTE),
            "position": _column(chunks, "number").astype(np.int64),
            "side": _category(_column(chunks, "side"), SIDES),
            "change": _column(chunks, "change"),
            "liquidation_price": _column(chunks, "liquidation_price"),
            "reason": _category(_column(chunks, "reason"), REASONS),
        },
        copy=False,
    )


def _forced_orders(first_minute: int, chunks: list[dict[str, Any]], pair: str) -> pd.DataFrame:
    price, amount = _column(chunks, "price"), _column(chunks, "amount")
    return pd.DataFrame(
        {
            "date": _dates(first_minute * MINUTE + _column(chunks, "millisecond")),
            "pair": _category(np.zeros(len(price), np.int64), (pair,)),
            "side": _category(_column(chunks, "side"), SIDES),
            "price": price,
            "bankruptcy_price": _column(chunks, "bankruptcy_price"),
            "amount": amount,
            "notional": amount * price,
        },
        copy=False,
    )


def _column(chunks: list[dict[str, Any]], name: str) -> Any:
    """Join the pieces of a column and let go of them: a year's log is long."""
    return np.concatenate([chunk.pop(name) for chunk in chunks])


def _dates(milliseconds: IntArray) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(milliseconds.view("datetime64[ms]")).tz_localize("UTC")


def _category(codes: IntArray, names: tuple[str, ...]) -> Any:
    return pd.Categorical.from_codes(codes.astype(np.int8), categories=pd.Index(names))


def _rng(pair: str, seed: int) -> np.random.Generator:
    if seed < 0:
        message = f"seed must be at least 0, got {seed}"
        raise ConfigError(message)
    digest = hashlib.sha256(pair.encode()).digest()
    return np.random.Generator(np.random.PCG64([seed, int.from_bytes(digest[:8], "big")]))


def _minute_of(start: str | datetime) -> int:
    try:
        moment = datetime.fromisoformat(start) if isinstance(start, str) else start
    except ValueError as error:
        message = f"start must be a date in ISO 8601, got {start!r}"
        raise ConfigError(message) from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    minute, rest = divmod(moment - datetime(1970, 1, 1, tzinfo=UTC), timedelta(minutes=1))
    if rest:
        message = f"start must be on a whole minute, got {start!r}"
        raise ConfigError(message)
    return minute


def _minutes_of(days: float) -> int:
    if not 1 <= days * 1440 < math.inf:
        message = f"days must cover at least a minute, got {days}"
        raise ConfigError(message)
    return round(days * 1440)
