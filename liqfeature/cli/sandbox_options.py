"""Options of the commands `sandbox serve` and `sandbox run`: market, exchange, clock."""

import argparse
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from liqfeature.checks import require
from liqfeature.durations import DAY
from liqfeature.errors import ConfigError
from liqfeature.sandbox.server.clock import Clock, FileClock, WallClock, milliseconds
from liqfeature.sandbox.server.faults import Faults
from liqfeature.sandbox.simulation.scenario import SCENARIOS

_FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)

_HISTORY = timedelta(days=10)
"""History before a live market starts: more than the columns' warm-up on 5m candles."""


def add_market_options(action: argparse.ArgumentParser) -> None:
    """Add the options of the market, of the exchange that serves it, and of its clock."""
    _add_market(action)
    _add_exchange(action)
    _add_clock(action)


def _add_market(action: argparse.ArgumentParser) -> None:
    add = action.add_argument
    add("--port", type=int, default=0, help="port on 127.0.0.1; 0 (default) takes a free one")
    pair = "BTC/USDT:USDT"
    add("--pairs", type=_pair, nargs="+", default=[pair], metavar="PAIR", help=f"default: {pair}")
    start = "first day, UTC (default 2026-01-01; with --live ten days ago)"
    add("--start", type=_day, metavar="DATE", help=start)
    add("--days", type=_positive, default=30, help="length of the market (default 30)")
    add("--seed", type=int, default=1, help="another number gives another market (default 1)")
    scenario = "how deep and how crowded the market is (default liquid)"
    add("--scenario", choices=list(SCENARIOS), default="liquid", help=scenario)


def _add_exchange(action: argparse.ArgumentParser) -> None:
    add, modes = action.add_argument, ["throttled", "all"]
    interest = "days of open interest in the history; Binance keeps 30, default: all"
    add("--oi-days", type=_positive, help=interest)
    stream = "forced orders in the stream: as on Binance the latest per symbol and second (default), or all"
    add("--liquidations", choices=modes, default="throttled", help=stream)
    data = "data directory of this market; data of another simulated one are removed"
    add("--datadir", type=Path, metavar="DIR", help=data)
    faults = 'faults as JSON, such as [{"kind": "delay", "share": 0.1}]; read again when it changes'
    add("--faults", type=Path, metavar="FILE", help=faults)
    add("--fault-seed", type=int, default=0, help="another number strikes other requests (default 0)")


def _add_clock(action: argparse.ArgumentParser) -> None:
    clock = action.add_mutually_exclusive_group()
    clock.add_argument("--live", action="store_true", help="the market runs on with the time of day")
    file = "the exchange's time is that in FILE, read at each request: milliseconds or ISO 8601"
    clock.add_argument("--clock-file", type=Path, metavar="FILE", help=file)
    add, now = action.add_argument, "start of a live clock; default: the time of day"
    add("--now", type=_moment, metavar="DATE", help=now)
    add("--speed", type=float, help="simulated seconds per second of a live clock (default 1)")


def start_of(args: argparse.Namespace) -> datetime:
    """Return the first day of the market."""
    first: datetime | None = args.start
    if first is None and args.live and args.now is None:
        return _day(f"{datetime.now(UTC) - _HISTORY:%Y-%m-%d}")
    return first or _FIRST_DAY


def clock_of(args: argparse.Namespace) -> Clock | None:
    """Return the clock that the options name; None for one fixed at the end of the market."""
    if not args.live and (args.now is not None or args.speed is not None):
        message = "--now and --speed need --live"
        raise ConfigError(message)
    if args.clock_file is not None:
        return FileClock(args.clock_file)
    if not args.live:
        return None
    speed = 1.0 if args.speed is None else args.speed
    return WallClock(args.now, speed) if args.now is not None else replace(WallClock.of_day(), speed=speed)


def faults_of(args: argparse.Namespace) -> Faults:
    """Return the faults that the options name; a ConfigError if the file is missing or holds no plan."""
    if args.faults is not None:
        require("--faults", args.faults.is_file(), "a file that exists", args.faults)
    return Faults(seed=args.fault_seed, file=args.faults)


def require_now(args: argparse.Namespace, clock: Clock | None) -> None:
    """Refuse a clock that starts outside of the market, before the simulation."""
    first = round(start_of(args).timestamp() * 1000)
    end = first + args.days * DAY
    now = first if clock is None else clock.now()
    span = f"{_iso(first)} to {_iso(end)}"
    require("start of the clock", first <= now <= end, f"on the market, {span}", _iso(now))


def _iso(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment / 1000, UTC):%Y-%m-%dT%H:%M}"


def _moment(text: str) -> int:
    try:
        return milliseconds(text)
    except ValueError:
        message = f"must be milliseconds or a date such as 2026-01-01T12:00, received {text!r}"
        raise argparse.ArgumentTypeError(message) from None


def _day(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        message = f"must be a date such as 2026-01-01, received {text!r}"
        raise argparse.ArgumentTypeError(message) from None


def _pair(text: str) -> str:
    if not re.fullmatch(r"[A-Z0-9]+/USDT:USDT", text):
        message = f"must be a pair such as BTC/USDT:USDT, received {text!r}"
        raise argparse.ArgumentTypeError(message)
    return text


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        message = f"must be a whole number above 0, received {text!r}"
        raise argparse.ArgumentTypeError(message)
    return int(text)
