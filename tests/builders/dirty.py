"""Markets as dirty as data can be: each kind of dirt by name, drawn by a seed."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pandas as pd

from builders.frames import random_candles, random_funding, random_open_interest

Inputs: TypeAlias = dict[str, pd.DataFrame]
Rng: TypeAlias = np.random.Generator

PRICES = ("open", "high", "low", "close")


def dirty_market(seed: int, kinds: set[str], n: int = 130) -> Inputs:
    """Candles with every other input, after each of these kinds of dirt.

    Frames by name; a kind may be any of `DIRT`. Later kinds act on what earlier ones left.
    """
    rng = np.random.default_rng(seed)
    candles = random_candles(n, seed, volatility=0.004)
    market = {
        "candles": candles,
        "open_interest": random_open_interest(candles, seed + 1),
        "funding_rate": random_funding(candles, seed + 2, size=3e-4),
        "mark": candles[["date", "high", "low"]].copy(),
        "liquidations": pd.DataFrame(
            {"date": candles["date"], "long": 1e3, "short": rng.exponential(1e3, n)}
        ),
    }
    for kind in (kind for kind in DIRT if kind in kinds):
        DIRT[kind](market, rng)
    return market


def _rows(frame: pd.DataFrame, rng: Rng, share: float = 0.1) -> np.ndarray:
    """At least one row, drawn."""
    drawn = rng.random(len(frame)) < share
    drawn[rng.integers(len(frame))] = True
    return drawn


def _span(frame: pd.DataFrame, rng: Rng) -> slice:
    first, last = sorted(rng.integers(0, len(frame), 2).tolist())
    return slice(first, last + 1)


def _wicks(market: Inputs, rng: Rng) -> None:
    candles = market["candles"]
    for column, sign in (("high", 1), ("low", -1)):
        candles.loc[_rows(candles, rng, 0.03), column] *= 10.0 ** (sign * rng.integers(1, 8))


def _collapse(market: Inputs, rng: Rng) -> None:
    candles = market["candles"]
    k = rng.integers(1, len(candles))
    candles.loc[candles.index[k:], list(PRICES)] *= 10.0 ** rng.integers(-9, 10)


def _extreme_prices(market: Inputs, rng: Rng) -> None:
    market["candles"][list(PRICES)] *= 10.0 ** rng.integers(-80, 81)


def _extreme_volumes(market: Inputs, rng: Rng) -> None:
    candles = market["candles"]
    rows = _rows(candles, rng)
    candles.loc[rows, "volume"] = 10.0 ** rng.integers(-100, 101, rows.sum())


def _silence(market: Inputs, rng: Rng) -> None:
    candles = market["candles"]
    candles.iloc[_span(candles, rng), candles.columns.get_loc("volume")] = 0.0


def _standstill(market: Inputs, rng: Rng) -> None:
    candles = market["candles"]
    span = _span(candles, rng)
    price = candles["close"].iloc[span.start]
    for column in PRICES:
        candles.iloc[span, candles.columns.get_loc(column)] = price


def _gaps(market: Inputs, rng: Rng) -> None:
    candles = market["candles"]
    market["candles"] = candles[(rng.random(len(candles)) > 0.08)].reset_index(drop=True)


def _outage(market: Inputs, rng: Rng) -> None:
    for name in rng.choice(list(market), rng.integers(1, 4), replace=False):
        frame, span = market[name], _span(market[name], rng)
        market[name] = pd.concat([frame.iloc[: span.start], frame.iloc[span.stop :]], ignore_index=True)


def _no_numbers(market: Inputs, rng: Rng) -> None:
    for name, frame in market.items():
        if name != "candles":
            column = rng.choice(frame.columns.drop("date"))
            frame.loc[_rows(frame, rng), column] = rng.choice([np.nan, 0.0])


def _leaps(market: Inputs, rng: Rng) -> None:
    rows = market["open_interest"]
    drawn = _rows(rows, rng, 0.05)
    both = rng.random() < 0.5  # else value over amount shows that it is wrong
    for column in ("open_interest_amount", "open_interest_value")[: 1 + both]:
        rows.loc[drawn, column] *= 10.0 ** rng.integers(-90, 91)


def _other_unit(market: Inputs, rng: Rng) -> None:
    rows = market["open_interest"]
    rows.iloc[_span(rows, rng), 1] *= rng.choice([0.001, 1000.0])


def _dear_funding(market: Inputs, rng: Rng) -> None:
    rows = market["funding_rate"]
    drawn = rng.choice(len(rows), min(len(rows), 4), replace=False)
    rows.loc[rows.index[drawn], "funding_rate"] = rng.choice([-0.0999, 0.0999], len(drawn))


def _other_mark(market: Inputs, rng: Rng) -> None:
    mark = market["mark"]
    mark.loc[_rows(mark, rng), ["high", "low"]] *= 10.0 ** rng.integers(-3, 4)


def _extreme_liquidations(market: Inputs, rng: Rng) -> None:
    totals = market["liquidations"]
    rows = _rows(totals, rng)
    totals.loc[rows, rng.choice(["long", "short"])] = 10.0 ** rng.integers(-100, 101, rows.sum())


def _other_stamps(market: Inputs, rng: Rng) -> None:
    rows = market["open_interest"]
    rows["date"] += pd.Timedelta(int(rng.integers(-600, 601)), unit="s")


def _disorder(market: Inputs, rng: Rng) -> None:
    name = rng.choice(list(market))
    market[name] = market[name].sample(frac=1, random_state=int(rng.integers(2**31)), ignore_index=True)


def _no_market(market: Inputs, rng: Rng) -> None:
    candles = market["candles"]
    wrong = rng.choice([np.inf, -np.inf, np.nan, -1.0, 1e-310, 1e308])
    candles.loc[_rows(candles, rng, 0.01), rng.choice(candles.columns.drop("date"))] = wrong


DIRT: dict[str, Callable[[Inputs, Rng], None]] = {
    "wicks": _wicks,
    "collapse": _collapse,
    "extreme prices": _extreme_prices,
    "extreme volumes": _extreme_volumes,
    "silence": _silence,
    "standstill": _standstill,
    "no numbers": _no_numbers,
    "leaps of open interest": _leaps,
    "open interest in another unit": _other_unit,
    "dear funding": _dear_funding,
    "another mark": _other_mark,
    "extreme liquidations": _extreme_liquidations,
    "other stamps": _other_stamps,
    "gaps": _gaps,
    "outage": _outage,
    "disorder": _disorder,
    "no market": _no_market,
}
"""Each changes a market in place. The last two make what must be refused; the others may."""
