"""A row that a live bot computes is the row that a later backtest computes: to the last bit."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, timedelta
from pathlib import Path

import pandas as pd
import pytest

from liqfeature import COLUMNS
from liqfeature.sandbox.server.clock import set_clock
from slow.conftest import ROOT, sandboxed
from slow.span import START, WARMUP_DAYS, timerange

STEPPING = Path(__file__).parent / "stepping.py"
STRATEGY = [f"--strategy-path={Path(__file__).parent / 'strategies'}", "--strategy=EntersOften"]
SIGNALS = ["enter_long", "enter_short", "enter_tag", "exit_long", "exit_short", "exit_tag"]
DIGESTS = ["candles_digest", "open_interest_digest", "funding_digest"]
BEGIN = START.replace(tzinfo=UTC) + timedelta(days=WARMUP_DAYS)
STALE = (BEGIN + timedelta(hours=14), BEGIN + timedelta(hours=14, minutes=30))


@dataclass(frozen=True)
class Dry:
    """A sandbox whose clock a test sets, and the programs that run against it."""

    bot: object
    clock: Path
    more: tuple = ()

    def run(self, action, name, *options):
        """Run tests/slow/stepping.py; return the table that it wrote and its exit code."""
        out = self.bot.directory / f"{name}.feather"
        line = [str(part) for part in self.bot.line("", *STRATEGY, *self.more)[2:]]
        log = self.bot.directory / f"{name}.log"
        with log.open("w") as output:
            done = subprocess.run(
                [
                    sys.executable,
                    STEPPING,
                    action,
                    f"--out={out}",
                    *map(str, options[0]),
                    "--",
                    *line,
                    *options[1:],
                ],
                cwd=self.bot.directory,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                check=False,
            )
        text = log.read_text()
        assert done.returncode in (0, -signal.SIGKILL), text[-4000:]
        assert "Unexpected error" not in text, text[-4000:]
        return pd.read_feather(out), done.returncode

    def dry_run(self, name, start, candles, *flags):
        options = [f"--clock={self.clock}", f"--start={ms(start)}", f"--candles={candles}", *flags]
        seen, code = self.run("dry-run", name, options)
        kept = json.loads((self.bot.directory / f"{name}.json").read_text())
        return seen, kept, code

    def backtest(self, candles, end, timeframe="5m"):
        """Download what there is by the clock, and compute the same candles from it."""
        set_clock(self.clock, ms(end))
        days = timerange(0, WARMUP_DAYS + 3)
        self.bot("download-data", days, "-t", timeframe, "--candle-types", "futures")
        self.bot("download-data", days, "-t", "5m", "--candle-types", "open_interest")
        self.bot("download-data", days, "-t", "1h", "--candle-types", "mark", "funding_rate")
        seen, _ = self.run(
            "backtest", "backtest", [f"--candles={candles}"], timerange(WARMUP_DAYS, WARMUP_DAYS + 3)
        )
        return seen


def ms(moment):
    return round(moment.timestamp() * 1000)


def dry_sandbox(folder, pairs, *more):
    """A sandbox of much movement, and its clock."""
    clock = folder / "clock"
    set_clock(clock, ms(BEGIN))
    options = [f"--clock-file={clock}", "--scenario=black_swan", "--seed=3", *more]
    return clock, sandboxed(folder, pairs, START, WARMUP_DAYS + 2, *options)


@dataclass(frozen=True)
class Stepped:
    """What was seen and kept: live, killed in the middle and begun again, and in the backtest."""

    live: pd.DataFrame
    back: pd.DataFrame
    killed: dict
    restarted: dict
    codes: tuple

    @property
    def joined(self):
        return self.live.merge(self.back, on=["pair", "date"], suffixes=("", "_back"), validate="1:1")


@pytest.fixture(scope="module")
def stepped(tmp_path_factory):
    """More than 200 candles of two pairs; for half an hour the newest open interest is an hour old."""
    folder = tmp_path_factory.mktemp("dry run")
    since, until = STALE
    fault = {"kind": "stale_open_interest", "seconds": 3600, "since": ms(since), "until": ms(until)}
    (folder / "faults.json").write_text(json.dumps([fault]))
    pairs = ("BTC/USDT:USDT", "SOL/USDT:USDT")
    clock, sandbox = dry_sandbox(folder, pairs, f"--faults={folder / 'faults.json'}")
    with sandbox as bot:
        dry = Dry(bot, clock, (f"--config={only(folder, pairs)}",))
        first, killed, code = dry.dry_run("first", BEGIN, 100, "--kill")
        again = BEGIN + timedelta(minutes=5 * 100)
        second, restarted, end = dry.dry_run("second", again, 110)
        back = dry.backtest(230, again + timedelta(minutes=5 * 111))
    live = pd.concat([first, second]).drop_duplicates(["pair", "date"], ignore_index=True)
    return Stepped(live, back, killed, restarted, (code, end))


def only(folder, pairs, **more):
    """A configuration that trades these pairs."""
    path = folder / "pairs.json"
    path.write_text(json.dumps(more | {"exchange": {"pair_whitelist": pairs, "pair_blacklist": []}}))
    return path


def same(frame, columns):
    """Where a row's values are the same in both, to the last bit; NaN is NaN."""
    equal = pd.Series(data=True, index=frame.index)
    for column in columns:
        ours, theirs = frame[column], frame[f"{column}_back"]
        bits = ours.dtype == theirs.dtype == "float64"
        alike = ours.to_numpy().view("i8") == theirs.to_numpy().view("i8") if bits else ours == theirs
        equal &= alike | (ours.isna() & theirs.isna())
    return equal


def test_rows_with_the_same_inputs_are_the_same_to_the_last_bit(stepped):
    rows = stepped.joined
    assert len(rows) == len(stepped.live)  # the backtest knows every row that the bot saw
    assert rows["date"].nunique() >= 200
    alike = rows[same(rows, DIGESTS)]
    assert alike["date"].nunique() >= 200
    assert set(COLUMNS) <= set(rows.columns)
    assert same(alike, COLUMNS).all()
    assert alike["liq_peak_above"].notna().sum() > 100
    assert alike["liq_quality"].min() == 1


def test_and_so_are_their_signals(stepped):
    rows = stepped.joined
    alike = rows[same(rows, DIGESTS)]
    assert same(alike, SIGNALS).all()
    assert alike["enter_tag"].notna().sum() > 20


def test_rows_whose_inputs_differed_saw_open_interest_late(stepped, record_property):
    rows = stepped.joined
    other = rows[~same(rows, DIGESTS)]
    record_property("rows", len(rows))
    record_property("rows with other inputs", len(other))
    assert same(other, ["candles_digest", "funding_digest"]).all()
    since, until = STALE
    closed = other["date"] + timedelta(minutes=5)
    assert closed.between(since, until).all()
    assert len(other) == 2 * 6  # two pairs, six candles: Freqtrade asked again as soon as it was told more
    assert not same(other, COLUMNS).any()
    assert not (other["liq_quality"] > other["liq_quality_back"]).any()


def orders(kept):
    return [(trade, [order["tag"] for order in trade["orders"]]) for trade in kept["last"]]


def test_it_enters_sells_a_part_at_a_target_and_is_stopped_out(stepped):
    trades = orders(stepped.restarted)
    assert any("near_edge" in tags for _, tags in trades)
    assert any(trade["exit_reason"] == "stop_loss" for trade, _ in trades)
    assert {trade["is_short"] for trade, _ in trades} == {True, False}
    for trade, tags in trades:
        assert tags[0] == trade["enter_tag"]


def test_a_killed_bot_goes_on_with_its_trades_their_stops_and_their_targets(stepped):
    assert stepped.codes == (-signal.SIGKILL, 0)
    before = [trade for trade in stepped.killed["last"] if trade["is_open"]]
    assert before
    assert stepped.restarted["first"] == stepped.killed["last"]
    after = {trade["id"]: trade for trade in stepped.restarted["last"]}
    for trade in before:
        assert {"stop", "first_target"} <= set(trade["plan"])
        later = after[trade["id"]]
        assert later["plan"]["stop"] == trade["plan"]["stop"]
        sign = -1 if trade["is_short"] else 1
        assert sign * (later["stop_loss"] - trade["stop_loss"]) >= 0  # Freqtrade never loosens a stop
    stopped = [after[trade["id"]] for trade in before if after[trade["id"]]["exit_reason"] == "stop_loss"]
    assert stopped
    for trade in stopped:
        sign = -1 if trade["is_short"] else 1
        assert -0.003 < sign * (trade["close_rate"] / trade["plan"]["stop"] - 1) <= 0


def test_a_bot_on_minutes_sees_open_interest_of_five(tmp_path_factory):
    folder = tmp_path_factory.mktemp("one minute")
    pairs = ["BTC/USDT:USDT"]
    clock, sandbox = dry_sandbox(folder, pairs)
    with sandbox as bot:
        dry = Dry(bot, clock, (f"--config={only(folder, pairs, timeframe='1m')}",))
        live, _, _ = dry.dry_run("minutes", BEGIN, 40)
        back = dry.backtest(60, BEGIN + timedelta(minutes=41), timeframe="1m")
    rows = Stepped(live, back, {}, {}, ()).joined
    assert len(rows) == 40
    assert same(rows, DIGESTS).all()
    assert same(rows, COLUMNS).all()
    assert same(rows, SIGNALS).all()
    assert rows["liq_quality"].min() > 0.9
