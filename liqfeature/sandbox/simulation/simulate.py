"""One pair's market, run minute by minute from a seed."""

import hashlib
import math
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from liqfeature.checks import require, require_at_least
from liqfeature.durations import MINUTE
from liqfeature.errors import ConfigError
from liqfeature.sandbox.simulation.kernels.advance import EVENTS_PER_POSITION, advance, has_room
from liqfeature.sandbox.simulation.kernels.layout import Event, Minute, Now, record, records
from liqfeature.sandbox.simulation.kernels.state import (
    N_CELLS,
    OPEN,
    REASONS,
    State,
    empty_ledger,
    empty_log,
    larger_ledger,
)
from liqfeature.sandbox.simulation.pairs import PairCharacter, character
from liqfeature.sandbox.simulation.rules import leverage_ladder, market_rules, tier_table
from liqfeature.sandbox.simulation.scenario import Scenario
from liqfeature.sandbox.simulation.tape import Tape
from liqfeature.sides import SIDES
from liqfeature.types import IntArray

BURN_IN = 21 * 1440
"""Minutes run before the first one of the tape, so that it starts with positions of every age."""

_SLOTS, _EVENTS = 16_384, 262_144

_NARROW = {"minute": np.int32, "number": np.int32, "side": np.int8, "reason": np.int8}


class Run(NamedTuple):
    """A state, and the log of the span that led to it: columns of Event and ForcedOrder, in pieces."""

    state: State
    events: list[dict[str, Any]]
    forced: list[dict[str, Any]]


def simulate(scenario: Scenario, pair: str, *, start: str | datetime, days: float, seed: int) -> Tape:
    """Run one pair's market.

    Parameters
    ----------
    scenario : Scenario
        How its traders behave.
    pair : str
        Freqtrade's name, such as "BTC/USDT:USDT".
    start : str or datetime
        When the first minute opens: ISO 8601, on a whole minute; UTC where it names no zone.
    days : float
        Length; a longer run begins with the same minutes as a shorter one.
    seed : int
        At least 0. Each pair has its own path for the same seed.

    Returns
    -------
    Tape
        Bit-identical for the same arguments. Positions that were open before the first minute are logged
        as opened in it, at the liquidation price that they have then.

    Raises
    ------
    ConfigError
        If the pair is not listed, or a parameter breaks its rule.
    """
    opening, n_minutes = _minute_of(start), _minutes_of(days)
    state = empty_state(scenario, character(pair), opening - BURN_IN, BURN_IN + n_minutes, _rng(pair, seed))
    state = run(state, BURN_IN).state
    carried = carried_in(state)
    state, events, forced = run(state, BURN_IN + n_minutes)
    rows = state.rows[BURN_IN:]
    funded = np.flatnonzero(~np.isnan(rows.funding_rate))
    return Tape(
        pair=pair,
        start=opening * MINUTE,
        funding_time=(opening + funded) * MINUTE,
        funding_rate=rows.funding_rate[funded],
        positions=_positions(opening - BURN_IN, [carried, *events]),
        forced_orders=_forced_orders(opening - BURN_IN, forced, pair),
        hedged_amount=float(state.rules.hedged),
        **{name: rows[name].copy() for name in rows.dtype.names if name != "funding_rate"},
    )


def empty_state(
    scenario: Scenario, traits: PairCharacter, first_minute: int, n_minutes: int, rng: np.random.Generator
) -> State:
    """Return a market without positions.

    Parameters
    ----------
    scenario : Scenario
    traits : PairCharacter
    first_minute : int
        Minutes since 1970.
    n_minutes : int
        Most minutes that it can be run for.
    rng : Generator
        The only source of randomness.
    """
    now = record(
        Now, efficient=math.log(traits.price), last=traits.price, mark=traits.price, nearest_short=N_CELLS
    )
    return State(
        now=now,
        rules=market_rules(scenario, traits, first_minute),
        rows=records(Minute, n_minutes),
        ledger=empty_ledger(_SLOTS),
        log=empty_log(_EVENTS),
        tiers=tier_table(traits),
        ladder=leverage_ladder(scenario),
        rng=rng,
    )


def run(state: State, stop: int) -> Run:
    """Run a market up to a minute; its arrays grow as needed.

    Parameters
    ----------
    state : State
        Changed in place.
    stop : int
        The first minute not run.

    Returns
    -------
    Run
        The state to go on with, and what was logged.
    """
    events, forced = [], []
    while state.now.minute < stop:
        advance(state, stop)
        events.append(_columns(state.log.events[: state.now.n_events]))
        forced.append(_columns(state.log.forced[: state.now.n_forced]))
        state.now.n_events = state.now.n_forced = 0
        if not has_room(state):
            state = _enlarged(state)
    return Run(state, events, forced)


def carried_in(state: State) -> dict[str, Any]:
    """Return opening events, in the next minute, of all positions that are open."""
    live = state.ledger.positions[state.ledger.positions.slot[: state.now.n_live]]
    live = live[np.argsort(live.number)]
    events = records(Event, len(live))
    events.minute, events.reason = state.now.minute, OPEN
    events.number, events.side = live.number, live.side
    events.change, events.liquidation_price = live.amount, live.liquidation_price
    return _columns(events)


def _enlarged(state: State) -> State:
    ledger = larger_ledger(state.ledger)
    capacity = max(len(state.log.events), EVENTS_PER_POSITION * len(ledger.positions))
    return state._replace(ledger=ledger, log=empty_log(capacity))


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
    """Join the pieces of a column and release them: a year's log is long."""
    return np.concatenate([chunk.pop(name) for chunk in chunks])


def _dates(milliseconds: IntArray) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(milliseconds.view("datetime64[ms]")).tz_localize("UTC")


def _category(codes: IntArray, names: tuple[str, ...]) -> Any:
    return pd.Categorical.from_codes(codes.astype(np.int8), categories=pd.Index(names))


def _rng(pair: str, seed: int) -> np.random.Generator:
    require_at_least(0, seed=seed)
    digest = hashlib.sha256(pair.encode()).digest()
    return np.random.Generator(np.random.PCG64([seed, int.from_bytes(digest[:8], "big")]))


def _minute_of(start: str | datetime) -> int:
    try:
        moment = datetime.fromisoformat(start) if isinstance(start, str) else start
    except ValueError as error:
        message = f"start must be a date in ISO 8601, received {start!r}"
        raise ConfigError(message) from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    minute, rest = divmod(moment - datetime(1970, 1, 1, tzinfo=UTC), timedelta(minutes=1))
    require("start", not rest, "on a whole minute", repr(start))
    return minute


def _minutes_of(days: float) -> int:
    require("days", 1 <= days * 1440 < math.inf, "at least a minute", days)
    return round(days * 1440)
