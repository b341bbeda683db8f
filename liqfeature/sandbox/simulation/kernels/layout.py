"""Layouts of the records that compiled code changes in place.

A class with annotated fields is the layout of a NumPy record of float64 and int64 fields. Amounts are base
currency, prices quote per base, or logs of it where stated. A step is ten seconds.
"""

from typing import Any

import numpy as np


class Now:
    """The state of the market, apart from its positions."""

    # Prices: logs, except `last` and `mark`; cells of the mark and of the nearest triggers on either side.
    efficient: float
    premium: float
    basis_average: float
    last: float
    mark: float
    mark_cell: int
    nearest_long: int
    nearest_short: int
    # Flow: base amount that market makers hold and will pass on; its forced share in units of depth; trend.
    flow: float
    stress: float
    momentum: float
    # Volatility: two factors of its log, and their sum.
    fast: float
    slow: float
    log_ratio: float
    # Open leveraged positions, base, and how far arrays are filled.
    long_amount: float
    short_amount: float
    n_live: int
    n_events: int
    n_forced: int
    next_number: int
    # The running minute and the running funding interval.
    minute: int
    step: int
    traded: float
    bought: float
    premium_sum: float
    premium_count: int


class Position:
    """One leveraged position, and its places in the lists of the ledger."""

    number: int
    side: int
    amount: float
    entry_price: float
    margin: float
    isolated: int
    liquidation_price: float
    stop_price: float
    call_price: float
    trigger_price: float
    slot: int
    place: int
    head: int
    before: int
    after: int
    expiry_head: int
    expiry_before: int
    expiry_after: int


class Minute:
    """One row of the tape."""

    open: float
    high: float
    low: float
    close: float
    volume: float
    quote_volume: float
    taker_buy_volume: float
    mark_open: float
    mark_high: float
    mark_low: float
    mark_close: float
    open_interest: float
    funding_rate: float


class Event:
    """One change of a position."""

    minute: int
    number: int
    side: int
    change: float
    liquidation_price: float
    reason: int


class ForcedOrder:
    """One liquidation."""

    millisecond: int
    side: int
    price: float
    bankruptcy_price: float
    amount: float


class Rules:
    """Parameters in the units of the kernels: per step, base currency, log price."""

    first_minute: int
    reference: float
    # price
    volatility: float
    usual_volatility: float
    fast_pull: float
    fast_kick: float
    slow_pull: float
    slow_kick: float
    down_volatility: float
    jump_rate: float
    jump_size: float
    down_jump_share: float
    jump_compensation: float
    anchor_pull: float
    # impact
    daily_volatility: float
    depth: float
    flow_pull: float
    permanent_pull: float
    stress_unit: float
    stress_cap: float
    stress_pull: float
    # premium, mark price and funding
    premium_pull: float
    premium_gain: float
    basis_pull: float
    interest_rate: float
    funding_cap: float
    # traders
    arrivals: float
    size_location: float
    size_sigma: float
    momentum_pull: float
    momentum_scale: float
    trend_following: float
    contrarian: float
    long_bias: float
    premium_aversion: float
    paired_share: float
    paired_leverage: float
    cross_share: float
    cross_sigma: float
    stop_share: float
    top_up_share: float
    holding_median: float
    holding_sigma: float
    absorbed_share: float
    # everyone else
    hedged: float
    background_volume: float


def record_type(layout: type) -> np.dtype[np.void]:
    """Return the dtype of records with the annotated fields of a class."""
    kinds = {float: np.float64, int: np.int64}
    return np.dtype([(name, kinds[kind]) for name, kind in layout.__annotations__.items()])


def records(layout: type, size: int) -> Any:
    """Return `size` records of zeros whose fields are attributes."""
    return np.zeros(size, record_type(layout)).view(np.recarray)


def record(layout: type, **values: float) -> Any:
    """Return one record; fields not named are zero, an unknown name is a TypeError."""
    if unknown := values.keys() - layout.__annotations__.keys():
        message = f"{layout.__name__} has no field {sorted(unknown)}"
        raise TypeError(message)
    row = records(layout, 1)[0]
    for name, value in values.items():
        setattr(row, name, value)
    return row
