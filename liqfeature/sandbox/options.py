"""Options of the simulated market and its clock."""

import argparse
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from liqfeature.errors import ConfigError
from liqfeature.sandbox.clock import Clock, FileClock, WallClock, milliseconds
from liqfeature.sandbox.faults import Faults, read_plan
from liqfeature.sandbox.scenario import SCENARIOS
from liqfeature.sandbox.venue import DAY

_FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)

_HISTORY = timedelta(days=10)
"""What a live market has behind it: more than the columns' warm-up on candles of 5 minutes."""


def add_market_options(action: argparse.ArgumentParser) -> None:
    """Add what to simulate, what to tell of it, what its clock shows, and what goes wrong."""
    _add_market(action)
    _add_told(action)
    _add_clock(action)


def _add_market(action: argparse.ArgumentParser) -> None:
    add = action.add_argument
    add("--port", type=int, default=0, help="port on 127.0.0.1; 0 (default) takes a free one")
    add(
        "--pairs",
        type=_pair,
        nargs="+",
        default=["BTC/USDT:USDT"],
        metavar="PAIR",
        help="default: BTC/USDT:USDT",
    )
    add(
        "--start",
        type=_day,
        metavar="DATE",
        help="first day, UTC (default 2026-01-01; of a live market ten days ago)",
    )
    add("--days", type=_positive, default=30, help="length of the market (default 30)")
    add("--seed", type=int, default=1, help="another number, another market (default 1)")
    add(
        "--scenario",
        choices=list(SCENARIOS),
        default="liquid",
        help="how deep and how crowded the market is (default liquid)",
    )


def _add_told(action: argparse.ArgumentParser) -> None:
    add = action.add_argument
    add(
        "--oi-days",
        type=_positive,
        help="tell only so many days of open interest, as Binance (30); default: all",
    )
    add(
        "--liquidations",
        choices=["throttled", "all"],
        default="throttled",
        help="forced orders streamed: as Binance the latest of each symbol and second (default), or all",
    )
    add(
        "--datadir",
        type=Path,
        metavar="DIR",
        help="keep DIR for this market: data of another one are removed",
    )
    add(
        "--faults",
        type=Path,
        metavar="FILE",
        help='what goes wrong, as JSON, such as [{"kind": "delay", "share": 0.1}]; read anew when changed',
    )
    add("--fault-seed", type=int, default=0, help="another number, other requests struck (default 0)")


def _add_clock(action: argparse.ArgumentParser) -> None:
    clock = action.add_mutually_exclusive_group()
    clock.add_argument(
        "--live", action="store_true", help="the market goes on: nothing is told before its time has come"
    )
    clock.add_argument(
        "--clock-file",
        type=Path,
        metavar="FILE",
        help="the time is what stands in FILE at each request: milliseconds, or ISO 8601",
    )
    action.add_argument(
        "--now",
        type=_moment,
        metavar="DATE",
        help="what a live clock shows at first; default: the time of day",
    )
    action.add_argument(
        "--speed", type=float, help="simulated seconds per second of a live clock (default 1)"
    )


def start_of(args: argparse.Namespace) -> datetime:
    """Return the first day of the market."""
    first: datetime | None = args.start
    if first is None and args.live and args.now is None:
        return _day(f"{datetime.now(UTC) - _HISTORY:%Y-%m-%d}")
    return first or _FIRST_DAY


def clock_of(args: argparse.Namespace) -> Clock | None:
    """Return the clock that was asked for; None for one that stands at the end of the market."""
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
    """Return the faults that were asked for; an error if the file is missing or holds no plan."""
    plan = () if args.faults is None else read_plan(args.faults)
    return Faults(plan, args.fault_seed, args.faults)


def require_now(args: argparse.Namespace, clock: Clock | None) -> None:
    """Refuse a clock that does not begin on the market, before that is simulated."""
    first = round(start_of(args).timestamp() * 1000)
    end = first + args.days * DAY
    now = first if clock is None else clock.now()
    if not first <= now <= end:
        span = f"{_iso(first)} to {_iso(end)}"
        message = f"the clock must begin on the market, {span}, received {_iso(now)}: see --start and --days"
        raise ConfigError(message)


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
