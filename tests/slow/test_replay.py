"""What a bot read while it was recorded is what its backtest reads, whatever went wrong meanwhile."""

import numpy as np
import pandas as pd
import pytest

from builders.frames import random_candles
from liqfeature import HeatmapConfig, liquidation_features
from liqfeature.data.database import Database, Row
from liqfeature.data.kinds import OPEN_INTEREST, ORDERS, TOTALS, Series
from liqfeature.data.recordings import load_totals
from liqfeature.estimate.cascade import CascadeRule
from liqfeature.recorder.spans import Spans

PAIR = "BTC/USDT:USDT"
SECOND, MINUTE, FIVE = 1000, 60_000, 300_000
CONFIG = HeatmapConfig(max_age=96, lookback=24, cascade=CascadeRule(recorded_share=0.02))
CANDLES = random_candles(7 * 288, 5)
START = int(CANDLES["date"].iloc[0].timestamp() * 1000)
END = START + len(CANDLES) * FIVE
TO_READ = 40
"""Candles before the newest that a bot's totals reach back to."""

EVERY = 4
"""Candles from one reading to the next."""


class Recorder:
    """A recorder on a clock of its own: connections drop, the disk refuses, messages come late and twice."""

    def __init__(self, path, seed):
        self.rng = np.random.default_rng(seed)
        self.spans, self.since, self.waiting = Spans(), START, []
        self.refuses_until = self.away_until = START
        self.database = Database(path, write=True)
        self.database.query("PRAGMA synchronous = OFF")

    def minute(self, now):
        """Listen for a minute, and write."""
        if now < self.away_until:
            self.since = None
        else:
            self.since = self.since or now - MINUTE
            self.spans.hear(self.since, now)
            self.receive(now)
        if self.rng.random() < 0.004:
            self.away_until = now + int(self.rng.integers(1, 40)) * MINUTE
        if self.rng.random() < 0.004:
            self.refuses_until = now + int(self.rng.integers(1, 25)) * MINUTE
        if now >= self.refuses_until:
            self.write(now)

    def receive(self, now):
        for _ in range(self.rng.poisson(1.0)):
            size = float(self.rng.lognormal(8, 1))
            late = int(self.rng.integers(0, 4 * MINUTE)) if self.rng.random() < 0.05 else 0
            side = ("long", "short")[int(self.rng.integers(2))]
            stamp = now - int(self.rng.integers(1, MINUTE)) - late
            self.waiting.append((stamp, (side, 100.0, None, size / 100, size, 0)))
            if self.rng.random() < 0.1:
                self.waiting.append(self.waiting[-1])

    def write(self, now):
        rows = self.spans.rows(now)
        orders = [Row(stamp, now, content) for stamp, content in self.waiting]
        with self.database.writing():
            self.database.add(Series("bybit", PAIR, ORDERS), "stream", orders)
            for (kind, _), row in rows.items():
                self.database.extend(Series("bybit", PAIR, kind), "stream", row)
        self.spans.written(rows)
        self.waiting = []


def states(database, series, now, rng):
    """Fetch the last stamps as a poller does: some late, some revised, most as before."""
    newest = now // FIVE * FIVE - FIVE
    rows = [
        Row(
            newest - back * FIVE,
            now,
            tuple(float(100 + (newest // FIVE - back + i) % 7) for i in range(2)),
        )
        for back in range(3)
    ]
    if rng.random() < 0.05:
        rows[1] = rows[1]._replace(content=tuple(value + 1.0 for value in rows[1].content))
    database.add(series, "rest", [row for row in rows if rng.random() < 0.9])


@pytest.fixture(scope="module")
def week(tmp_path_factory):
    """Record a week, and keep what a bot reads at the close of each candle, a second later."""
    path = tmp_path_factory.mktemp("replay") / "week.sqlite"
    recorder, rng, seen = Recorder(path, 1), np.random.default_rng(2), {}
    given = Series("gate", PAIR, TOTALS, "5m")
    interest = Series("gate", PAIR, OPEN_INTEREST, "5m")
    for now in range(START + MINUTE, END + 1, MINUTE):
        recorder.minute(now)
        if (now - START) % FIVE == 0 and rng.random() < 0.97:
            with recorder.database.writing():
                states(recorder.database, given, now, rng)
                states(recorder.database, interest, now, rng)
        if (now - START) % (EVERY * FIVE) == 0:
            first = pd.Timestamp(now - TO_READ * FIVE, unit="ms", tz="UTC")
            totals = [load_totals(path, PAIR, "5m", name, first=first) for name in ("bybit", "gate")]
            with Database(path) as database:
                orders = database.read(Series("bybit", PAIR, ORDERS), first=now - TO_READ * FIVE, as_of=now)
                seen[now] = (*totals, database.read(interest, as_of=now), orders)
    recorder.database.close()
    return path, seen


@pytest.mark.parametrize(("exchange", "which"), [("bybit", 0), ("gate", 1)])
def test_totals(week, exchange, which):
    """Those that a candle uses: of periods that ended a candle before."""
    path, seen = week
    whole = load_totals(path, PAIR, "5m", exchange).set_index("date")
    compared, unknown = 0, 0
    for now, frames in seen.items():
        used = pd.Timestamp(now - 2 * FIVE, unit="ms", tz="UTC")
        live = frames[which].set_index("date")[:used]
        pd.testing.assert_frame_equal(live, whole.reindex(live.index), check_freq=False)
        missing = whole[pd.Timestamp(now - (TO_READ - 1) * FIVE, unit="ms", tz="UTC") : used]
        assert missing.drop(live.index, errors="ignore").isna().all(axis=None)
        compared, unknown = compared + len(live), unknown + int(live["long"].isna().sum())
    assert compared > 15_000
    assert 150 < unknown < compared / 2


def test_states(week):
    path, seen = week
    with Database(path) as database:
        for now, (_, _, live, _) in seen.items():
            series = Series("gate", PAIR, OPEN_INTEREST, "5m")
            pd.testing.assert_frame_equal(database.read(series, as_of=now), live)
    assert len(live) > 1900


def test_single_liquidations(week):
    """Those that came late, or had to wait for the disk, are not among what was known before."""
    path, seen = week
    later = 0
    with Database(path) as database:
        for now, (*_, live) in seen.items():
            first, series = now - TO_READ * FIVE, Series("bybit", PAIR, ORDERS)
            pd.testing.assert_frame_equal(database.read(series, first=first, as_of=now), live)
            later += len(database.read(series, first=first, last=now)) - len(live)
    assert len(live) > 150
    assert later > 100


def test_columns(week):
    path, seen = week
    whole = liquidation_features(CANDLES, CONFIG, liquidations=load_totals(path, PAIR, "5m", "bybit"))
    without = liquidation_features(CANDLES, CONFIG)
    rows = (
        np.random.default_rng(3).integers(-(-CONFIG.warmup // EVERY), len(CANDLES) // EVERY, 25) * EVERY - 1
    )
    changed = 0
    for row in rows:
        now = START + (int(row) + 1) * FIVE
        candles = CANDLES.iloc[row + 1 - CONFIG.warmup : row + 1]
        live = liquidation_features(candles, CONFIG, liquidations=seen[now][0])
        np.testing.assert_array_equal(live.iloc[-1].to_numpy(), whole.iloc[row].to_numpy())
        changed += not np.array_equal(whole.iloc[row], without.iloc[row], equal_nan=True)
    assert changed > 10
