"""`liqfeature sandbox serve` and `liqfeature sandbox run`: options, simulation, and an orderly end."""

import argparse
import json
import shlex
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from liqfeature.errors import ConfigError, MissingExtraError
from liqfeature.sandbox.api import api_access
from liqfeature.sandbox.child import handling, run_child
from liqfeature.sandbox.datadir import claim
from liqfeature.sandbox.freqtrade_config import exchange_config
from liqfeature.sandbox.options import add_market_options, clock_of, faults_of, require_now, start_of
from liqfeature.sandbox.server import running
from liqfeature.sandbox.tape import Tape
from liqfeature.sandbox.venue import Venue

if TYPE_CHECKING:
    from rich.console import Console

_SERVE_EXAMPLE = """\
example:
  liqfeature sandbox serve --port 8080 --days 30 --config-out user_data/sandbox/exchange.json
  freqtrade list-markets --config configs/backtest.json --config user_data/sandbox/exchange.json

The address is written to standard output once the exchange answers; Ctrl-C ends it. Prices, volumes and open
interest are invented: the same pairs, start, days and seed give the same market every time.
"""

_RUN_EXAMPLE = """\
example:
  liqfeature sandbox run --config-out user_data/sandbox/exchange.json -- \\
    freqtrade backtesting --config configs/backtest.json --config user_data/sandbox/exchange.json \\
      --datadir user_data/sandbox/data --strategy LiquidationClusters --cache none

COMMAND gets no keyboard input. Its exit code becomes this command's, and the exchange ends with it, also when
it fails or is interrupted.
"""


def add_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add `sandbox serve` and `sandbox run` to a command line."""
    summary = "a local exchange over a simulated market, which Freqtrade takes for Binance futures"
    sandbox = commands.add_parser("sandbox", help=summary, description=_sentence(summary))
    actions = sandbox.add_subparsers(title="commands", metavar="COMMAND", required=True)
    serve = _add_action(
        actions, "serve", "simulate the market and serve it until interrupted", _SERVE_EXAMPLE
    )
    serve.add_argument("--config-out", type=Path, metavar="FILE", help="write Freqtrade's overlay there")
    serve.set_defaults(run=_serve)
    run = _add_action(actions, "run", "serve the market for as long as COMMAND runs", _RUN_EXAMPLE)
    run.add_argument(
        "--config-out", type=Path, metavar="FILE", required=True, help="write Freqtrade's overlay there"
    )
    run.add_argument(
        "--api", action="store_true", help="COMMAND is a bot: let it serve its REST API on 127.0.0.1"
    )
    run.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="what to run, after --")
    run.set_defaults(run=_run)


def _add_action(actions: Any, name: str, summary: str, example: str) -> argparse.ArgumentParser:
    action: argparse.ArgumentParser = actions.add_parser(
        name,
        help=summary,
        description=_sentence(summary),
        epilog=example,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_market_options(action)
    return action


def _sentence(summary: str) -> str:
    return f"{summary[0].upper()}{summary[1:]}."


def _serve(args: argparse.Namespace) -> int:
    console = _console()
    stopped = threading.Event()
    with _sandbox(args, console) as url, handling(lambda *_: stopped.set()):
        sys.stdout.write(f"{url}\n")
        sys.stdout.flush()
        stopped.wait()
    console.print("sandbox stopped")
    return 0


def _run(args: argparse.Namespace) -> int:
    command = args.command[1:] if args.command[:1] == ["--"] else args.command
    if not command:
        message = "sandbox run needs a command after --, received none"
        raise ConfigError(message)
    console = _console()
    with _sandbox(args, console), _access(args, console) as environment:
        code = run_child(command, environment)
    console.print("sandbox stopped")
    return code


@contextmanager
def _access(args: argparse.Namespace, console: "Console") -> Iterator[dict[str, str]]:
    """Yield what lets the command serve its API, if it was asked for, and say how to get in."""
    if not args.api:
        yield {}
        return
    with api_access() as access:
        login = f"--user {access.user}:$(cat {shlex.quote(str(access.password_file))})"
        console.print(
            f"bot at {access.url} as soon as it runs: user {access.user}, password in {access.password_file}"
        )
        console.print(f"such as: curl {login} {access.url}/api/v1/status", markup=False)
        yield access.environment


@contextmanager
def _sandbox(args: argparse.Namespace, console: "Console") -> Iterator[str]:
    clock = clock_of(args)
    require_now(args, clock)
    faults = faults_of(args)
    venue = Venue.of(
        _simulate(args, console), clock=clock, oi_days=args.oi_days, liquidations=args.liquidations
    )
    if args.datadir is not None:
        claim(args.datadir, venue)
    with running(venue, args.port, faults) as url:
        console.print(f"sandbox at {url}: invented prices, {args.days} days from {start_of(args):%Y-%m-%d}")
        if args.config_out is not None:
            _write_overlay(url, args.config_out, args.datadir or args.config_out.parent)
        yield url


def _write_overlay(url: str, path: Path, trades: Path) -> None:
    """Write Freqtrade's second configuration; invented trades go into a data base in a folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    overlay = exchange_config(url) | {"db_url": f"sqlite:///{trades.resolve()}/trades.sqlite"}
    path.write_text(json.dumps(overlay, indent=2) + "\n", encoding="utf-8")


def _simulate(args: argparse.Namespace, console: "Console") -> list[Tape]:
    from liqfeature.sandbox.market import simulate
    from liqfeature.sandbox.scenario import scenario

    tapes = []
    for pair in dict.fromkeys(args.pairs):
        began = time.monotonic()
        with console.status(f"simulating {pair}"):
            tapes.append(
                simulate(scenario(args.scenario), pair, start=start_of(args), days=args.days, seed=args.seed)
            )
        console.print(f"simulated {pair}: {args.days} days in {time.monotonic() - began:.1f} s")
    return tapes


def _console() -> "Console":
    try:
        from rich.console import Console
    except ImportError as error:
        message = "the sandbox needs rich: pip install liqfeature[sandbox]"
        raise MissingExtraError(message) from error
    return Console(stderr=True, highlight=False, soft_wrap=True)
