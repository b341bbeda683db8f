"""A market without traders, made in milliseconds, and a clock for it that a test sets."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from builders.waiting import until
from liqfeature.data.schema import FORCED_ORDERS, POSITION_EVENTS
from liqfeature.durations import MINUTE
from liqfeature.sandbox.simulation.tape import Tape

START = datetime(2026, 1, 1, tzinfo=UTC)
FUNDING_PERIOD = 8 * 60 * MINUTE


class HandClock:
    """A sandbox's clock that a test sets, and that counts how often it is looked at."""

    def __init__(self, moment):
        self.moment, self.looks = moment, 0

    def now(self):
        self.looks += 1
        return self.moment

    async def turn(self, moment):
        """Let it be this moment, once the connection that is open has seen the one before."""
        seen = self.looks + 5  # a request looks once, and a connection without end
        await until(lambda: self.looks >= seen)
        self.moment = moment


def walking_tape(pair="BTC/USDT:USDT", *, start=START, minutes=3 * 1440, seed=1, price=60_000.0) -> Tape:
    rng = np.random.default_rng([seed, *pair.encode()])
    close = price * np.exp(np.cumsum(0.0005 * rng.standard_normal(minutes)))
    opened = np.concatenate([[price], close[:-1]])
    wick = 1 + 0.0003 * rng.random((2, minutes))
    high, low = np.maximum(opened, close) * wick[0], np.minimum(opened, close) / wick[1]
    volume = 5e5 / price * rng.lognormal(0, 1, minutes)
    first = int(start.timestamp() * 1000)
    last = first + minutes * MINUTE
    funding_time = np.arange(
        -(-first // FUNDING_PERIOD) * FUNDING_PERIOD, last, FUNDING_PERIOD, dtype=np.int64
    )
    return Tape(
        pair=pair,
        start=first,
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=volume,
        quote_volume=volume * close,
        taker_buy_volume=volume * rng.random(minutes),
        mark_open=opened,
        mark_high=high,
        mark_low=low,
        mark_close=close,
        open_interest=5e9 / price * np.exp(np.cumsum(0.0003 * rng.standard_normal(minutes))),
        funding_time=funding_time,
        funding_rate=0.0001 + 0.0001 * rng.standard_normal(len(funding_time)),
        positions=passing_positions(first, minutes),
        forced_orders=pd.DataFrame(columns=list(FORCED_ORDERS)),
    )


def passing_positions(start: int, minutes: int, count: int = 60) -> pd.DataFrame:
    """A log of positions, every other one a short: half are there from the start, and most close again."""
    rng = np.random.default_rng(count)
    opened = np.where(np.arange(count) % 4 < 2, 0, rng.integers(0, minutes, count))
    closed, amount = opened + rng.integers(1, minutes, count), rng.lognormal(0, 1, count)
    log = pd.DataFrame(
        {
            "date": pd.to_datetime(start + MINUTE * np.concatenate([opened, closed]), unit="ms", utc=True),
            "position": np.tile(np.arange(count), 2),
            "side": np.tile(["long", "short"], count),
            "change": np.concatenate([amount, -amount]),
            "liquidation_price": np.nan,
            "reason": np.repeat(["open", "close"], count),
        }
    )[np.concatenate([opened, closed]) < minutes]
    return log.sort_values("date", kind="stable", ignore_index=True)[list(POSITION_EVENTS)]


def with_forced_orders(tape: Tape, *orders: tuple[int, str, float, float]) -> Tape:
    """Add liquidations: milliseconds from the start, side of the position, price, amount."""
    after, side, price, amount = zip(*orders, strict=True)
    forced = {
        "date": pd.to_datetime([tape.start + one for one in after], unit="ms", utc=True),
        "pair": tape.pair,
        "side": side,
        "price": price,
        "bankruptcy_price": [
            one * (0.999 if kind == "long" else 1.001) for one, kind in zip(price, side, strict=True)
        ],
        "amount": amount,
    }
    frame = pd.DataFrame(forced)
    return replace(tape, forced_orders=frame.assign(notional=frame["price"] * frame["amount"]))
