"""`liqfeature sandbox serve` and `liqfeature sandbox run`."""

import argparse
import shlex
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from liqfeature.cli.options import Commands, add_command, console_of
from liqfeature.cli.sandbox_options import add_market_options, clock_of, faults_of, require_now, start_of
from liqfeature.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import Console

    from liqfeature.sandbox.simulation.tape import Tape

_SERVE_EXAMPLE = """\
example:
  liqfeature sandbox serve --port 8080 --days 30 --config-out user_data/sandbox/exchange.json
  freqtrade list-markets --config configs/backtest.json --config user_data/sandbox/exchange.json

The address is written to standard output once the exchange answers; Ctrl-C ends it. Prices, volumes and open
interest are simulated: the same pairs, start, days and seed give the same market every time. Below the path
/data/futures/um/ the same history is there as files, in the layout of Binance's public archive.
"""

_RUN_EXAMPLE = """\
example:
  liqfeature sandbox run --config-out user_data/sandbox/exchange.json -- \\
    freqtrade backtesting --config configs/backtest.json --config user_data/sandbox/exchange.json \\
      --datadir user_data/sandbox/data --strategy LiquidationClusters --cache none

COMMAND gets no keyboard input. Its exit code becomes this command's. The exchange ends with it, also when it
fails or is interrupted.
"""


def add_to(commands: Commands) -> None:
    """Add `sandbox serve` and `sandbox run` to a command line."""
    summary = "a local exchange over a simulated market, which Freqtrade takes for Binance futures"
    actions = add_command(commands, "sandbox", _run, summary).add_subparsers(
        title="commands", metavar="COMMAND", required=True
    )
    summary = "simulate the market and serve it until interrupted"
    serve = add_command(actions, "serve", _serve, summary, _SERVE_EXAMPLE)
    run = add_command(actions, "run", _run, "serve the market for as long as COMMAND runs", _RUN_EXAMPLE)
    for action in (serve, run):
        add_market_options(action)
        overlay, required = "write Freqtrade's overlay there", action is run
        action.add_argument("--config-out", type=Path, metavar="FILE", required=required, help=overlay)
    run.add_argument(
        "--api", action="store_true", help="COMMAND is a bot: let it serve its REST API on 127.0.0.1"
    )
    run.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="what to run, after --")


def _serve(args: argparse.Namespace) -> int:
    from liqfeature.sandbox.child import handling

    console = console_of("sandbox")
    stopped = threading.Event()
    with _sandbox(args, console) as url, handling(lambda *_: stopped.set()):
        print(url, flush=True)
        stopped.wait()
    console.print("sandbox stopped")
    return 0


def _run(args: argparse.Namespace) -> int:
    from liqfeature.sandbox.child import run_child

    command = args.command[1:] if args.command[:1] == ["--"] else args.command
    if not command:
        message = "sandbox run needs a command after --, received none"
        raise ConfigError(message)
    console = console_of("sandbox")
    with _sandbox(args, console), _access(args, console) as environment:
        code = run_child(command, environment)
    console.print("sandbox stopped")
    return code


@contextmanager
def _access(args: argparse.Namespace, console: "Console") -> Iterator[dict[str, str]]:
    """Yield the environment for the command's REST API if it is wanted, and print the login."""
    if not args.api:
        yield {}
        return
    from liqfeature.sandbox.bot_access import api_access

    with api_access() as access:
        login = f"--user {access.user}:$(cat {shlex.quote(str(access.password_file))})"
        console.print(
            f"bot at {access.url} as soon as it runs: user {access.user}, password in {access.password_file}"
        )
        console.print(f"such as: curl {login} {access.url}/api/v1/status", markup=False)
        yield access.environment


@contextmanager
def _sandbox(args: argparse.Namespace, console: "Console") -> Iterator[str]:
    from liqfeature.sandbox.datadir import check_datadir, claim
    from liqfeature.sandbox.freqtrade_config import check_overlay, write_overlay
    from liqfeature.sandbox.server.serve import running
    from liqfeature.sandbox.server.venue import Venue

    clock = clock_of(args)
    require_now(args, clock)
    faults = faults_of(args)
    if args.config_out is not None:
        check_overlay(args.config_out)
    if args.datadir is not None:
        check_datadir(args.datadir)
    venue = Venue.of(
        _simulate(args, console), clock=clock, oi_days=args.oi_days, liquidations=args.liquidations
    )
    if args.datadir is not None:
        claim(args.datadir, venue)
    with running(venue, args.port, faults) as url:
        console.print(f"sandbox at {url}: simulated prices, {args.days} days from {start_of(args):%Y-%m-%d}")
        if args.config_out is not None:
            write_overlay(args.config_out, url, args.datadir or args.config_out.parent)
        yield url


def _simulate(args: argparse.Namespace, console: "Console") -> "list[Tape]":
    from liqfeature.sandbox.simulation.scenario import scenario
    from liqfeature.sandbox.simulation.simulate import simulate

    tapes = []
    for pair in dict.fromkeys(args.pairs):
        began = time.monotonic()
        with console.status(f"simulating {pair}"):
            tapes.append(
                simulate(scenario(args.scenario), pair, start=start_of(args), days=args.days, seed=args.seed)
            )
        console.print(f"simulated {pair}: {args.days} days in {time.monotonic() - began:.1f} s")
    return tapes
