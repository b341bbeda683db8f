"""Freqtrade's dry run in this process, candle by candle, and its backtest: what either of them saw.

A program, so that the bot's time can be set and a restart is a real one:

    python stepping.py dry-run --clock FILE --out FILE --start MS --candles N -- <options of freqtrade trade>
    python stepping.py backtest --out FILE -- <options of freqtrade backtesting>
"""

import argparse
import hashlib
import json
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import time_machine
from freqtrade.commands import Arguments
from freqtrade.configuration import Configuration
from freqtrade.enums import RunMode, State
from freqtrade.exchange import timeframe_to_msecs
from freqtrade.optimize.backtesting import Backtesting
from freqtrade.persistence import Trade
from freqtrade.worker import Worker

from liqfeature.sandbox.server.clock import set_clock

LATE = 2_000
"""Milliseconds after a candle's close at which the bot looks at it."""

SIGNALS = ("enter_long", "enter_short", "enter_tag", "exit_long", "exit_short", "exit_tag")


class DryRun:
    """A bot whose time stands still between two steps.

    Parameters
    ----------
    clock : Path
        The sandbox's clock.
    start : int
        Milliseconds since 1970 at which the bot starts.
    options : sequence of str
        As of `freqtrade trade`.
    """

    def __init__(self, clock, start, options):
        self.clock, self.moment = clock, start
        self.travel = time_machine.travel(_moment(start), tick=False)
        self.traveller = self.travel.start()
        set_clock(clock, start)
        arguments = Arguments(["trade", "--dry-run", *options]).get_parsed_arg()
        self.worker = Worker(arguments, Configuration(arguments, RunMode.DRY_RUN).get_config())
        self.bot = self.worker.freqtrade
        self.bot.state = State.RUNNING
        self.bot.startup()

    def step(self, moment):
        """Let it be this moment, and the bot do what it does every few seconds."""
        self.moment = moment
        set_clock(self.clock, moment)
        self.traveller.move_to(_moment(moment))
        self.worker._process_running()

    def stop(self):
        self.worker.exit()
        self.travel.stop()

    @property
    def pairs(self):
        return self.bot.active_pair_whitelist

    def seen(self, pair):
        """Return the last row that the bot analysed, and what it was computed from."""
        strategy = self.bot.strategy
        frame, _ = strategy.dp.get_analyzed_dataframe(pair, strategy.timeframe)
        return observed(strategy, pair, frame, len(frame) - 1)


def _moment(milliseconds):
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def observed(strategy, pair, frame, row):
    """Return a row's columns and signals, and the digests of its inputs."""
    columns = [name for name in frame.columns if name.startswith("liq_")]
    values = frame[["date", *columns, *(name for name in SIGNALS if name in frame)]].iloc[row].to_dict()
    return {"pair": pair, **values, **inputs(strategy, pair, frame, row)}


def inputs(strategy, pair, frame, row):
    """Return digests of all that a row may depend on: the candles of the warm-up, and what is known.

    Open interest and funding are known a period and an hour after their stamp.
    """
    warmup = strategy.heatmap_config(pair).warmup
    candles = frame[["date", "open", "high", "low", "close", "volume"]].iloc[
        max(0, row + 1 - warmup) : row + 1
    ]
    step = pd.Timedelta(milliseconds=timeframe_to_msecs(strategy.timeframe))
    first, close = candles["date"].iloc[0], candles["date"].iloc[-1] + step
    interest, funding = (
        strategy.cluster_feed.open_interest(pair),
        strategy.dp.get_pair_dataframe(pair, "1h", "funding_rate"),
    )
    period = interest["date"].diff().min() if len(interest) > 1 else step
    return {
        "candles": len(candles),
        "candles_digest": _digest(candles),
        "open_interest_digest": _digest(_between(interest, first, close - period)),
        "funding_digest": _digest(_between(funding, first, close - pd.Timedelta(hours=1))),
    }


def _between(frame, first, last):
    return frame[(frame["date"] >= first) & (frame["date"] <= last)]


def _digest(frame):
    values = frame.select_dtypes("number").to_numpy("float64")
    stamps = frame["date"].astype("datetime64[ms, UTC]").astype("int64").to_numpy()
    return hashlib.sha256(stamps.tobytes() + values.tobytes()).hexdigest()[:16]


def trades():
    """Return all trades as the data base has them."""
    return [
        {
            "id": trade.id,
            "pair": trade.pair,
            "is_open": trade.is_open,
            "is_short": trade.is_short,
            "enter_tag": trade.enter_tag,
            "exit_reason": trade.exit_reason,
            "open_rate": trade.open_rate,
            "close_rate": trade.close_rate,
            "opened": str(trade.open_date_utc),
            "closed": str(trade.close_date_utc),
            "amount": trade.amount,
            "stop_loss": trade.stop_loss,
            "plan": trade.get_custom_data("plan"),
            "orders": [
                {"side": order.ft_order_side, "tag": order.ft_order_tag, "amount": order.safe_filled}
                for order in trade.orders
                if order.safe_filled
            ],
        }
        for trade in Trade.get_trades().all()
    ]


def _dry_run(args):
    run = DryRun(args.clock, args.start, args.options)
    step = timeframe_to_msecs(run.bot.strategy.timeframe)
    first = -(-args.start // step) * step
    rows, kept = [], {"first": trades()}
    for moment in range(first, first + args.candles * step, step):
        run.step(moment + LATE)
        rows += [run.seen(pair) for pair in run.pairs]
    kept["last"] = trades()
    _write(args.out, rows)
    args.out.with_suffix(".json").write_text(json.dumps(kept, indent=1))
    if args.kill:
        os.kill(os.getpid(), signal.SIGKILL)
    run.stop()


def _backtest(args):
    arguments = Arguments(["backtesting", *args.options]).get_parsed_arg()
    backtest = Backtesting(Configuration(arguments, RunMode.BACKTEST).get_config())
    backtest._set_strategy(backtest.strategylist[0])
    data, _ = backtest.load_bt_data()
    strategy, rows = backtest.strategy, []
    for pair, frame in strategy.advise_all_indicators(data).items():
        signals = strategy.ft_advise_signals(frame, {"pair": pair})
        first = len(signals) - args.candles
        rows += [observed(strategy, pair, signals, row) for row in range(max(0, first), len(signals))]
    _write(args.out, rows)


def _write(out, rows):
    pd.DataFrame(rows).drop_duplicates(["pair", "date"]).reset_index(drop=True).to_feather(out)


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    for name, run in (("dry-run", _dry_run), ("backtest", _backtest)):
        command = commands.add_parser(name)
        command.add_argument("--out", type=Path, required=True)
        command.add_argument("--candles", type=int, required=True)
        command.set_defaults(run=run)
        if name == "dry-run":
            command.add_argument("--clock", type=Path, required=True)
            command.add_argument("--start", type=int, required=True)
            command.add_argument("--kill", action="store_true", help="end as by a power cut")
    split = arguments.index("--")
    args = parser.parse_args(arguments[:split])
    args.options = arguments[split + 1 :]
    args.run(args)


if __name__ == "__main__":
    main(sys.argv[1:])
