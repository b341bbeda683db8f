"""An accelerated dry run through every fault of the sandbox: `python tests/studies/soak.py --minutes 60`.

A command of its own, and no part of the tests: it prints a table, and fails where the bot died, entered on
bad data, lost a stop or kept growing.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import freqtrade.exchange.common
import freqtrade.worker
import psutil
from freqtrade.enums import State
from freqtrade.persistence import Trade
from rich.console import Console
from rich.table import Table

from liqfeature.sandbox.server.clock import set_clock
from slow.stepping import DryRun

ROOT = Path(__file__).parents[2]
START = datetime(2026, 1, 1, tzinfo=UTC)
WARMUP = timedelta(days=10)
CANDLE = 300_000
STRUCK, SOUND = 2, 2
"""Candles of a fault, and of rest after it."""

LEAST = 20
"""Times that each kind has to be switched on, and requests that it has to strike."""

GROWTH = 0.05
PAIRS_AT_ONCE = 20

FAULTS = (
    ({"kind": "delay", "seconds": 0.05, "share": 0.5},),
    ({"kind": "rate_limit", "seconds": 1, "share": 0.6},),
    ({"kind": "server_error", "share": 0.6}, {"kind": "server_error"}),  # by turns: nothing answers at all
    ({"kind": "drop", "share": 0.6}, {"kind": "drop", "path": "/fapi/v1/depth"}),
    (
        {"kind": "malformed", "path": "/fapi/v1/depth"},
        {"kind": "malformed", "path": "/futures/data", "share": 0.6},
        {"kind": "malformed", "path": "/fapi/v1/klines", "share": 0.3},  # Freqtrade then fills up from 1970
    ),
    ({"kind": "stale_open_interest", "seconds": 7200},),
    ({"kind": "missing_open_interest"},),
    ({"kind": "gap"},),
    ({"kind": "clock", "seconds": 90}, {"kind": "clock", "seconds": -90}),
)
"""Of each kind, what comes by turns."""

ROUNDS = LEAST * len(FAULTS)
"""Faults, one after the other, that are switched on however long it takes."""


@dataclass
class Soak:
    """What happened so far."""

    run: DryRun
    faults: Path
    url: str
    first: int
    switched: Counter = field(default_factory=Counter)
    entries: list = field(default_factory=list)
    wrong: list = field(default_factory=list)
    memory: list = field(default_factory=list)
    analysed: list = field(default_factory=list)
    stops: dict = field(default_factory=dict)
    gaps: list = field(default_factory=list)
    filled: list = field(default_factory=list)
    rows: int = 0
    missed: int = 0

    def __post_init__(self):
        self.confirm = self.run.bot.strategy.confirm_trade_entry
        self.run.bot.strategy.confirm_trade_entry = self.confirmed

    @property
    def strategy(self):
        return self.run.bot.strategy

    def switch(self, moment, *faults):
        """Put faults into force, beside the gaps that there were."""
        for fault in faults:
            self.switched[fault["kind"]] += 1
            if fault["kind"] == "gap":
                self.gaps.append(fault | {"since": moment, "until": moment + STRUCK * CANDLE})
        others = [fault for fault in faults if fault["kind"] != "gap"]
        draft = self.faults.with_suffix(".new")
        draft.write_text(json.dumps([*others, *self.gaps]))
        draft.replace(self.faults)

    def confirmed(self, pair, order_type, amount, rate, *args, **kw):
        """Stand before the strategy's own callback, and look at what it enters on."""
        allowed = self.confirm(pair, order_type, amount, rate, *args, **kw)
        if allowed:
            row = self.strategy.cluster_feed.last_row(pair)
            age = (self.run.moment - row["date"].timestamp() * 1000) / CANDLE
            self.entries.append((pair, kw.get("entry_tag")))
            self.judge(age < 2, f"{pair} entered on a row of {age:.1f} candles ago")
            self.judge(row["volume"] > 0, f"{pair} entered on a candle that was filled in")
            frame, _ = self.strategy.dp.get_analyzed_dataframe(pair, self.strategy.timeframe)
            filled = int((frame["volume"].tail(self.strategy.startup_candle_count) == 0).sum())
            holes = STRUCK * len(self.gaps)
            self.filled.append(max(0, filled - holes))
            quality = self.strategy.enter_quality.value
            self.judge(row["liq_quality"] >= quality, f"{pair} entered on quality {row['liq_quality']}")
        return allowed

    def judge(self, holds, complaint):
        if not holds:
            self.wrong.append(complaint)

    def step(self, moment):
        self.run.step(moment)
        self.judge(self.run.bot.state == State.RUNNING, f"the bot is {self.run.bot.state} at {moment}")
        self.run.bot.state = State.RUNNING
        self.look_at_rows(moment)
        for trade in Trade.get_open_trades():
            self.look_at(trade)

    def look_at_rows(self, moment):
        for pair in self.run.pairs:
            row = self.strategy.cluster_feed.last_row(pair)
            newest = row is not None and moment - row["date"].timestamp() * 1000 < 2 * CANDLE
            self.rows += newest
            self.missed += not newest

    def look_at(self, trade):
        """Check that an open trade has a stop of its plan, and that it is never loosened.

        Between the one it was placed at and the one it was tightened to, which the next loop puts in force.
        """
        plan, sign = self.strategy.plan_of(trade), -1 if trade.is_short else 1
        self.judge(plan is not None, f"trade {trade.id} lost its plan")
        self.judge(trade.stop_loss > 0, f"trade {trade.id} has no stop")
        if plan is None:
            return
        former, _ = self.stops.get(trade.id, (trade.stop_loss, 0))
        seen = self.stops.get(trade.id, (0, 0))[1] + 1
        self.judge(sign * (trade.stop_loss - former) >= 0, f"the stop of trade {trade.id} was loosened")
        first, last = sign * plan.stop, sign * plan.current_stop
        placed = first - 1e-3 * plan.stop <= sign * trade.stop_loss <= last + 1e-3 * plan.stop
        planned = f"{plan.stop} to {plan.current_stop}"
        self.judge(
            placed or seen <= 2 * STRUCK, f"trade {trade.id} stops at {trade.stop_loss}, not {planned}"
        )
        self.stops[trade.id] = (trade.stop_loss, seen)

    def measure(self):
        """Note the memory of the bot, and how long a candle of all pairs takes to analyse."""
        self.memory.append(psutil.Process().memory_info().rss / 2**20)
        frames = [(pair, self.strategy.dp.ohlcv(pair, self.strategy.timeframe)) for pair in self.run.pairs]
        began = time.process_time()  # of this process: other programs may keep the machine busy
        for number in range(PAIRS_AT_ONCE):
            pair, frame = frames[number % len(frames)]
            self.strategy.analyze_ticker(frame.copy(), {"pair": pair})
        self.analysed.append(time.process_time() - began)

    def dealt(self):
        with urllib.request.urlopen(self.url + "/sandbox/faults", timeout=200) as answer:
            return json.load(answer)

    @property
    def growth(self):
        """Memory at the end over memory after a quarter of the time."""
        count = len(self.memory)
        settled = self.memory[count // 4 : count // 4 + max(1, count // 10)]
        return statistics.median(self.memory[-max(1, count // 10) :]) / statistics.median(settled) - 1


@contextmanager
def prepared(folder, pairs, days):
    """A bot beside a sandbox whose clock and faults are files."""
    clock, plan = folder / "clock", folder / "faults.json"
    first = round((START + WARMUP).timestamp() * 1000)
    set_clock(clock, first)
    plan.write_text("[]")
    options = [f"--clock-file={clock}", f"--faults={plan}", "--scenario=black_swan", f"--days={days}"]
    program = [Path(sys.executable).with_name("liqfeature"), "sandbox", "serve", "--pairs", *pairs]
    with (folder / "sandbox.log").open("w") as errors:
        command = [*program, *options, f"--config-out={folder}/exchange.json"]
        sandbox = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        url = sandbox.stdout.readline().strip()
        run = DryRun(clock, first, freqtrade_options(folder, pairs))
        try:
            yield Soak(run, plan, url, first)
        finally:
            run.stop()
    finally:
        sandbox.terminate()
        sandbox.wait(200)


def freqtrade_options(folder, pairs):
    settings = {"exchange": {"pair_whitelist": pairs, "pair_blacklist": []}, "max_open_trades": len(pairs)}
    (folder / "pairs.json").write_text(json.dumps(settings))
    strategies = Path(__file__).parents[1] / "slow" / "strategies"
    files = (ROOT / "configs" / "backtest.json", folder / "exchange.json", folder / "pairs.json")
    return [
        *(f"--config={file}" for file in files),
        f"--userdir={folder}",
        f"--datadir={folder}",
        f"--strategy-path={strategies}",
        "--strategy=EntersOften",
        f"--logfile={folder}/bot.log",
    ]


def stepped(soak, minutes, days):
    """Let the bot see one candle after the other; yield after each.

    For the minutes asked for, and on a slow machine for as long as it takes to judge each kind of fault.
    """
    end = time.monotonic() + 60 * minutes
    last = round(START.timestamp() * 1000) + days * 288 * CANDLE - 12 * CANDLE
    moment, number = soak.first, 0
    while (time.monotonic() < end or number < ROUNDS) and moment < last:
        ways = FAULTS[number % len(FAULTS)]
        fault = ways[number // len(FAULTS) % len(ways)]
        for candle in range(STRUCK + SOUND):
            if candle in (0, STRUCK):
                soak.switch(moment, *([fault] if candle == 0 else []))
            soak.step(moment + 2_000)
            soak.step(moment + CANDLE // 2)
            moment += CANDLE
            if candle == STRUCK + SOUND - 1 and number % 5 == 0:
                soak.measure()
            yield soak
        number += 1


_VERDICTS = {True: "as it should be", False: "WRONG", None: "not judged"}


def report(soak, console):
    """Print what happened, and return whether all of it is as it should be."""
    dealt = soak.dealt()
    table = Table("fault", "switched on", "requests struck", title="faults")
    for kind in sorted(soak.switched):
        table.add_row(kind, str(soak.switched[kind]), str(dealt.get(kind, 0)))
    console.print(table)
    trades = Trade.get_trades().all()
    reasons = Counter("open" if trade.is_open else trade.exit_reason for trade in trades)
    few = [kind for kind in soak.switched if min(soak.switched[kind], dealt.get(kind, 0)) < LEAST]
    median = statistics.median(soak.analysed)
    lines = (
        ("rows of the newest candle", f"{soak.rows}, {soak.missed} times there was none", None),
        ("entries", f"{len(soak.entries)}, {len(trades)} trades", bool(soak.entries)),
        (
            "entries on candles filled in, besides the gaps",
            f"{sum(map(bool, soak.filled))}, at most {max(soak.filled, default=0)} candles",
            None,  # the strategy's own rule lets them pass: liq_quality falls by their share, and no further
        ),
        ("how they ended", ", ".join(f"{n} {why}" for why, n in reasons.most_common()), None),
        ("complaints", f"{len(soak.wrong)} {'; '.join(sorted(set(soak.wrong))[:5])}", not soak.wrong),
        (
            "memory of the bot",
            f"{soak.memory[-1]:.0f} MB, {soak.growth:+.1%} since a quarter",
            soak.growth < GROWTH,
        ),
        (f"faults that struck fewer than {LEAST} times", ", ".join(few) or "none", not few),
    )
    table = Table("", "", "", title="dry run")
    for name, text, good in lines:
        table.add_row(name, text, _VERDICTS[good])
    speed = f"{median:.2f} s of CPU, most {max(soak.analysed):.2f} s"
    table.add_row(f"a candle of {PAIRS_AT_ONCE} pairs", speed, "below 1 s" if median < 1 else "SLOW")
    console.print(table)
    return all(good is not False for *_, good in lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60, help="or as long as every kind of fault takes")
    parser.add_argument("--days", type=int, default=40, help="length of the market, of which ten are history")
    parser.add_argument("--pairs", nargs="+", default=["BTC/USDT:USDT", "SOL/USDT:USDT"])
    args = parser.parse_args()
    freqtrade.exchange.common.calculate_backoff = lambda *_: 0.01
    freqtrade.worker.RETRY_TIMEOUT = 0.01
    console = Console(width=130)
    with (
        tempfile.TemporaryDirectory(prefix="soak ") as folder,
        prepared(Path(folder), args.pairs, args.days) as soak,
    ):
        for number, _ in enumerate(stepped(soak, args.minutes, args.days)):
            if number % 100 == 0:
                counts = f"{len(soak.entries)} entries, {len(soak.wrong)} complaints"
                console.print(f"{number} candles, {counts}, {psutil.Process().memory_info().rss >> 20} MB")
        return 0 if report(soak, console) else 1


if __name__ == "__main__":
    sys.exit(main())
