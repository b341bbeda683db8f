"""Checks of what a data directory holds of one pair: plain functions of its files' names and tables."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from liqfeature.columns.health import open_interest_used
from liqfeature.doctor.finding import Finding, fail, fine, warn
from liqfeature.durations import DAY, MINUTE, minutes
from liqfeature.errors import DataError
from liqfeature.estimate.config import HeatmapConfig
from liqfeature.exchange.traits import EXCHANGES, canonical
from liqfeature.market.frames import times
from liqfeature.market.funding import join_funding
from liqfeature.market.interest_rows import OPEN_INTEREST_COLUMNS
from liqfeature.market.market import Market
from liqfeature.market.payments import funding_interval
from liqfeature.types import IntArray

MOST_MISSING = 0.001
"""Share of candles that may be missing before it is worth a word."""

LEAST_COVERED = 0.99
"""Share of candles at which the map should use open interest."""

MARK_TIMEFRAME = "1h"
"""Of mark prices and funding rates, unless the configuration's `_ft_has_params` says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a pair's data should hold.

    Parameters
    ----------
    pair : str
    exchange : str
    timeframe : str
        Of the strategy.
    open_interest : bool
        Whether the exchange has a history of it.
    mark, funding : str
        Timeframes of mark prices and funding rates.
    mark_type : str
        Candle type that Freqtrade takes for mark prices: Hyperliquid's are futures candles.
    options : str
        Of Freqtrade's commands, as the user gave them.
    """

    pair: str
    exchange: str
    timeframe: str
    open_interest: bool = True
    mark: str = MARK_TIMEFRAME
    funding: str = MARK_TIMEFRAME
    mark_type: str = "mark"
    options: str = "--config CONFIG"

    @property
    def interest(self) -> str:
        """Timeframe of open interest that goes with the strategy's; empty where the exchange has none."""
        known = canonical(self.exchange)
        return EXCHANGES[known].interest_timeframe(self.timeframe) if known in EXCHANGES else self.timeframe

    def download(self, timeframe: str, candle_type: str, days: int | None = None) -> str:
        """Return the command that gets data; of open interest Binance keeps 30 days, and refuses more."""
        days = days or (29 if candle_type == "open_interest" else 90)
        what = f"-t {timeframe} --candle-types {candle_type}"
        return f"freqtrade download-data {self.options} -p {self.pair} --days {days} {what}"


def check_candle_types(wanted: Wanted, held: Mapping[str, set[str]]) -> list[Finding]:
    """Whether each candle type is there in its own timeframe.

    Parameters
    ----------
    wanted : Wanted
    held : mapping
        Timeframes there are, by candle type.
    """
    found = [_check_type(wanted, "futures", wanted.timeframe, held, fatal=True)]
    if wanted.open_interest:
        found.append(_check_type(wanted, "open_interest", wanted.interest, held, fatal=False))
    found.append(_check_type(wanted, wanted.mark_type, wanted.mark, held, fatal=True))
    found.append(_check_type(wanted, "funding_rate", wanted.funding, held, fatal=True))
    return found


def _check_type(
    wanted: Wanted, candle_type: str, timeframe: str, held: Mapping[str, set[str]], *, fatal: bool
) -> Finding:
    check, there = f"{wanted.pair} {candle_type}", held.get(candle_type, set())
    if timeframe in there:
        return fine(check, timeframe)
    saw = f"none at {timeframe}" + (f", only {', '.join(sorted(there))}" if there else "")
    why = {"open_interest": ": liq_quality falls to 0.5", "futures": ""}
    saw += why.get(candle_type, ": a backtest counts no funding fees")
    return (fail if fatal else warn)(check, saw, wanted.download(timeframe, candle_type))


def check_positioning(wanted: Wanted, positioning: pd.DataFrame) -> Finding:
    """Until when there are ratios of longs to shorts, which nothing needs."""
    check, unused = f"{wanted.pair} positioning", "for study, strategies do not read it"
    last = "" if positioning.empty else f" until {positioning['date'].iloc[-1]:%Y-%m-%d}"
    return fine(check, f"{len(positioning):,} rows{last}: {unused}")


def check_depth(wanted: Wanted, depth: pd.DataFrame) -> Finding:
    """Until when there are order books, which nothing needs."""
    check, used = f"{wanted.pair} order books", "read with --depth, strategies do not read them"
    last = "" if depth.empty else f" until {depth['date'].iloc[-1]:%Y-%m-%d}"
    return fine(check, f"{len(depth):,} rows{last}: {used}")


def check_candles(wanted: Wanted, candles: pd.DataFrame, interval: int, warmup: int) -> list[Finding]:
    """Whether candles are in order, complete, and more than the warm-up.

    Parameters
    ----------
    wanted : Wanted
    candles : DataFrame
        Freqtrade's.
    interval : int
        Milliseconds from one to the next.
    warmup : int
        Candles.
    """
    check = f"{wanted.pair} candles"
    again = wanted.download(wanted.timeframe, "futures") + " --erase"
    try:
        time = times(candles, "candles")
    except DataError as error:
        return [fail(check, str(error), again)]
    if time.size <= warmup:
        days = int((warmup + 5000) * interval / DAY) + 1
        saw = f"{time.size}, and the warm-up takes {warmup}: every column is NaN"
        return [fail(check, saw, wanted.download(wanted.timeframe, "futures", days))]
    return [_check_gaps(check, time, interval, again)]


def _check_gaps(check: str, time: IntArray, interval: int, again: str) -> Finding:
    expected = (int(time[-1]) - int(time[0])) // interval + 1
    missing = 1 - time.size / expected
    longest = int(np.max(np.diff(time), initial=0)) // interval - 1
    saw = f"{time.size} to {_day(time[-1])}"
    if missing > MOST_MISSING:
        return warn(check, f"{saw}, {missing:.1%} missing, up to {longest} in a row", again)
    return fine(check, saw)


def check_open_interest(
    wanted: Wanted,
    rows: pd.DataFrame,
    candles: pd.DataFrame,
    interval: int,
    config: HeatmapConfig | None = None,
) -> Finding:
    """Whether the map uses open interest at the candles.

    A candle is covered where the map uses a row, and the next one is not overdue.

    Parameters
    ----------
    wanted : Wanted
    rows, candles : DataFrame
        Freqtrade's.
    interval : int
        Milliseconds from one candle to the next.
    config : HeatmapConfig, optional
        Of the map, if not the exchange's.
    """
    check = f"{wanted.pair} open interest"
    again = wanted.download(wanted.interest, "open_interest") + " --erase"
    config = config or HeatmapConfig.for_exchange(wanted.exchange)
    try:
        market = Market.of(candles, config.join_rule, open_interest=rows)
        stamps, closes = times(rows, "open interest"), times(candles, "candles") + interval
    except DataError as error:
        return fail(check, str(error), again)
    valued = rows[[name for name in OPEN_INTEREST_COLUMNS if name in rows]].fillna(0).gt(0).any(axis=1)
    stamps = stamps[valued.to_numpy(dtype=bool)]
    if not stamps.size:
        return fail(check, "holds no value", again)
    period = minutes(wanted.interest) * MINUTE
    covered = open_interest_used(market, config) & (market.staleness * interval <= period)
    share, gaps = float(np.mean(covered)), _runs(~covered)
    if not np.any((stamps > closes[0] - 2 * period) & (stamps <= closes[-1])):
        saw = f"{_day(stamps[0])} to {_day(stamps[-1])}, candles to {_day(closes[-1])}: none has any"
        return fail(check, saw, again)
    if not covered[min(config.lookback, covered.size) - 1 :].any():  # before, usual volume is not known
        return fail(check, "no row fits the candles' price and volume: another pair's or unit's", again)
    if share < LEAST_COVERED:
        saw = f"used at {share:.1%} of the candles, from {_day(stamps[0])}, {gaps} gaps: liq_quality suffers"
        reach = "a backtest from where it begins is sounder; Binance tells 30 days and has gaps of its own"
        return warn(check, saw, f"{again}; {reach}")
    return fine(check, f"used at {share:.1%} of the candles, {gaps} gaps")


def check_funding(wanted: Wanted, rows: pd.DataFrame, candles: pd.DataFrame, interval: int) -> Finding:
    """Whether funding rates can be used, and how often they are paid."""
    check = f"{wanted.pair} funding"
    again = wanted.download(wanted.funding, "funding_rate") + " --erase"
    try:
        join_funding(rows, times(candles, "candles"), interval)
        every = funding_interval(candles, rows).dropna().unique()
    except DataError as error:
        return fail(check, str(error), again)
    if not every.size:
        return warn(check, f"{len(rows)} payments: too few to say how often they are made", again)
    return fine(check, f"{len(rows)} payments, every {', '.join(f'{hours:g}' for hours in every)} hours")


def _runs(flags: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> int:
    return int(np.sum(np.diff(flags.astype(np.int8), prepend=0) == 1))


def _day(moment: int) -> str:
    return f"{pd.Timestamp(int(moment), unit='ms'):%Y-%m-%d %H:%M}"
