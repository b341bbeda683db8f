"""How true stated risk is, on several data directories: `python tests/studies/risk.py FIRST DIR [DIR ...]`.

Each is a Freqtrade data directory with 5m candles, such as `data/binance`; all of its pairs count. HAR with
hours is fitted to the first pair of FIRST and to nothing else; sigma and reach were fitted to BTC of 2024.
Printed as Markdown, with 95 % intervals by day: R2 and QLIKE of sigma beside other forecasts; coverage of the
quantiles by series and in the worst month; days named with --day by themselves; first touch in bins;
touching candles; sizes; stops by decile and hour. Never a condition.
"""

import argparse
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from liqfeature import HeatmapConfig
from liqfeature.data.store import downloaded_pairs, load_candles
from liqfeature.durations import HOUR
from liqfeature.estimate.prepare import walk_market
from liqfeature.market.market import Market
from liqfeature.scoring.measures.bootstrap import Interval
from liqfeature.scoring.measures.excursions import coverage, shortfall
from liqfeature.scoring.measures.first_touch import driftless, touched_first
from liqfeature.scoring.measures.losses import expected_shortfall, shortfall_ratio
from liqfeature.scoring.measures.reference_forecasts import predicted
from liqfeature.scoring.measures.reliability import reliability_table
from liqfeature.scoring.neutral_trades import (
    CONSTANT,
    RANGE_STOP,
    SIGMA_SIZE,
    STATED,
    SizedTrades,
    Stops,
    neutral_sides,
)
from liqfeature.scoring.score_touches import RANGE, VOLUME, score_touches
from liqfeature.scoring.score_trades import STOP_HOURS, decile_of, hit_rates
from liqfeature.scoring.score_volatility import HAR, SIGMA, score_volatility, worst_month
from liqfeature.scoring.volatility_rows import PROBABILITIES, TAIL, USUAL, VolatilityRows
from liqfeature.types import FloatArray, IntArray

TIMEFRAME = "5m"
HORIZONS = {12: "one hour", 48: "four hours"}
LEVELS = (0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
"""Distances of the two levels of a first touch, in sigmas of four hours; every pair of them is tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One pair of one directory; `scored` is where its warm-up is over."""

    name: str
    place: str
    market: Market
    config: HeatmapConfig

    def rows(self, horizon: int) -> VolatilityRows:
        return VolatilityRows.of(self.market, self.config, horizon)

    @property
    def first(self) -> int:
        return self.config.warmup - 1


def load(directories: Sequence[Path]) -> list[Series]:
    """Every pair that has candles of the timeframe."""
    found = []
    for directory in directories:
        for pair in downloaded_pairs(directory):
            candles, config = load_candles(directory, pair, TIMEFRAME), HeatmapConfig()
            place = directory.parent.name if directory.parent.name != "data" else directory.name
            name = f"{pair.partition('/')[0]}, {place}"
            found.append(
                Series(name=name, place=place, market=Market.of(candles, config.join_rule), config=config)
            )
    return found


def with_har(series: Sequence[Series], horizon: int) -> list[tuple[Series, VolatilityRows, FloatArray]]:
    """Scored rows of each, and HAR's forecast by the weights of the first."""
    whole = [each.rows(horizon) for each in series]
    learned = whole[0].taken(slice(series[0].first, None))
    found = []
    for each, rows in zip(series, whole, strict=True):
        scored = rows.taken(slice(each.first, None))
        unknown = np.full(scored.day.size, np.nan)
        har = predicted(
            np.concatenate([learned.har.T, scored.har.T]),
            np.concatenate([learned.ranged, unknown]),
            horizon=horizon,
            first=learned.day.size,
            every=max(scored.day.size, 1),
        )[learned.day.size :]
        found.append((each, scored, har))
    return found


def text(found: Interval, places: int = 3, scale: float = 1.0) -> str:
    """Value and interval."""
    value = f"{scale * found.value:.{places}f}"
    if not math.isfinite(found.low):
        return value
    return f"{value} ({scale * found.low:.{places}f}..{scale * found.high:.{places}f})"


def table(title: str, head: Sequence[str], rows: Iterator[Sequence[str]] | Sequence[Sequence[str]]) -> None:
    """Print a table of Markdown."""
    lines = ["", f"**{title}**", "", "| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    print("\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]), flush=True)  # noqa: T201


def volatility(series: Sequence[Series], horizon: int) -> None:
    """R2 and QLIKE of every forecast, by series and of all but the first together."""
    names, scored = (SIGMA, HAR, *USUAL), with_har(series, horizon)
    later = [(rows, har) for _, rows, har in scored[1:]]
    pooled = VolatilityRows.joined([rows for rows, _ in later]), np.concatenate([har for _, har in later])
    groups = [*((each.name, rows, har) for each, rows, har in scored), ("all but the first", *pooled)]
    for measure in ("r2", "qlike"):
        lines = []
        for name, rows, har in groups:
            found = {s.map: s for s in score_volatility(rows, har) if s.measure == measure}
            ours = found[SIGMA]
            cells = [text(Interval(value=ours.value, low=ours.low, high=ours.high))]
            lines.append([name, *cells, *(f"{found[n].value:.3f}" for n in names[1:])])
        table(f"{measure}, {HORIZONS[horizon]} ahead", ["series", *names], lines)


def excursions(series: Sequence[Series], horizon: int, days: Sequence[int]) -> None:
    """Coverage of the quantiles, worst month and tail, and the named days by themselves."""
    head = ["series", *(f"{100 * p:g} %" for p in PROBABILITIES), "95 % below", "95 % above"]
    lines, alone = [], []
    for each in series:
        rows = each.rows(horizon).taken(slice(each.first, None))
        cells = [_coverage(rows, p) for p in PROBABILITIES]
        cells += [_coverage(rows, TAIL, side) for side in range(2)]
        cells += [_worst(rows, p) for p in (0.95, 0.99)]
        lines.append([each.name, *cells, text(_tail(rows), 2)])
        for day in days:
            taken = rows.taken(rows.day == day)
            if taken.day.size:
                alone.append([each.name, str(np.datetime64(day, "D")), *_day_alone(taken)])
    head += ["95 %, worst month", "99 %, worst month", "tail over stated"]
    table(f"Price within the stated quantile, in %, {HORIZONS[horizon]} ahead", head, lines)
    if alone:
        head = ["series", "day", *(f"{100 * p:g} %" for p in PROBABILITIES), "farthest, in sigmas", "tail"]
        table(f"The same on days by themselves, {HORIZONS[horizon]} ahead", head, alone)


def _coverage(rows: VolatilityRows, probability: float, side: int | None = None) -> str:
    sides = range(2) if side is None else [side]
    stated = rows.quantile[PROBABILITIES.index(probability)]
    excursion, quantile = (np.concatenate([values[s] for s in sides]) for values in (rows.excursion, stated))
    return text(coverage(excursion, quantile, np.tile(rows.day, len(sides))), 1, 100)


def _worst(rows: VolatilityRows, probability: float) -> str:
    found = worst_month(rows, probability)
    return "" if found is None else f"{100 * found[1].value:.1f} in {np.datetime64(found[0], 'M')}"


def _tail(rows: VolatilityRows) -> Interval:
    stated = np.ravel(rows.quantile[PROBABILITIES.index(TAIL)])
    return shortfall(np.ravel(rows.excursion), stated, np.ravel(rows.shortfall), np.tile(rows.day, 2))


def _day_alone(rows: VolatilityRows) -> list[str]:
    within = [f"{100 * np.nanmean(rows.excursion <= quantile):.1f}" for quantile in rows.quantile]
    farthest = float(np.nanmax(rows.excursion / rows.sigma))
    return [*within, f"{farthest:.1f}", f"{_tail(rows).value:.2f}"]


def first_touch(series: Sequence[Series]) -> None:
    """Stated against came true, for pairs of levels at fixed multiples of sigma, once an hour."""
    found = [_first_touches(each) for each in series]
    groups = [*zip((each.name for each in series), found, strict=True)]
    groups += [("all but the first", tuple(map(np.concatenate, zip(*found[1:], strict=True))))]
    groups += [("all", tuple(map(np.concatenate, zip(*found, strict=True))))]
    lines, head = [], []
    for name, (stated, came_true, day) in groups:
        bins = reliability_table(stated, came_true, day)
        used = np.flatnonzero(bins.rows > 0)
        head = [f"{bins.stated[b]:.3f}" for b in used]
        lines.append([name, *(text(bins.came_true[b]) for b in used)])
    table("Level above touched before the one below: stated, and came true", ["stated", *head], lines)


def _first_touches(series: Series) -> tuple[FloatArray, FloatArray, IntArray]:
    market, rows = series.market, series.rows(48)
    hourly = (market.tick + 1) * market.interval % HOUR == 0
    hourly[: series.first] = False
    sigma = np.where(hourly, rows.sigma, np.nan)
    parts = []
    for up in LEVELS:
        for down in LEVELS:
            above, below = market.close * np.exp(up * sigma), market.close * np.exp(-down * sigma)
            stated = driftless(market.close, above, below)[hourly]
            came_true = touched_first(market.high, market.low, above, below, series.config.max_age)[hourly]
            parts.append((stated, came_true, rows.day[hourly]))
    stated, came_true, day = map(np.concatenate, zip(*parts, strict=True))
    return stated, came_true, day


def touches(series: Sequence[Series]) -> None:
    """Range and volume of candles that touch a near edge, over the usual and over what was stated."""
    lines = []
    for each in series:
        scan = walk_market(each.market, each.config)
        scores = score_touches(scan, (each.first, each.market.tick.size - 1))
        found = {(s.map, s.measure, s.side): s for s in scores}
        for side, where in (("short", "above"), ("long", "below")):
            cells = [f"{found[RANGE, 'touches', side].value:.0f}"]
            for name in (RANGE, VOLUME):
                cells.append(f"{found[name, 'over_usual', side].value:.2f}")
                over = found[name, "over_stated", side]
                cells.append(text(Interval(value=over.value, low=over.low, high=over.high), 2))
            lines.append([each.name, where, *cells])
    head = ["series", "near edge", "touches", "range", "over stated", "volume", "over stated"]
    table("The candle that touches a near edge, over a usual one", head, lines)


def sizes(series: Sequence[Series]) -> None:
    """Expected shortfall of trades of one hour, by directory and entry: size by sigma over other sizes."""
    traded = [(each, _sized(each)) for each in series]
    others = (CONSTANT, *USUAL)
    for level, share in (("95", 0.05), ("99", 0.01)):
        lines = []
        for place in dict.fromkeys(each.place for each in series):
            for entry in traded[0][1]:
                parts = [trades[entry] for each, trades in traded if each.place == place]
                day = np.concatenate([np.tile(t.day, len(t.returns[CONSTANT])) for t in parts])
                joined = {
                    n: np.concatenate([np.ravel(t.returns[n]) for t in parts]) for n in parts[0].returns
                }
                ours = joined[SIGMA_SIZE]
                cells = [text(shortfall_ratio(ours, joined[name], share, day), 2) for name in others]
                shown = text(expected_shortfall(100 * ours, share, day), 2)
                lines.append([place, entry, shown, *cells])
        head = ["data", "entry", "with sigma, %", *(f"over {name}" for name in others)]
        table(f"Expected shortfall at {level} % of trades of one hour", head, lines)


def _sized(series: Series) -> dict[str, SizedTrades]:
    at = np.arange(series.first, series.market.tick.size, 12)
    rows = series.rows(12).taken(at)
    return {name: SizedTrades.of(rows, side[:, at]) for name, side in neutral_sides(series.market).items()}


def stops(series: Sequence[Series]) -> None:
    """Hit rates of both stops by decile and hour, of the first series and of all others together."""
    candles = STOP_HOURS * 12
    found = [Stops.of(each.rows(candles).taken(slice(each.first, None))) for each in series]
    for title, parts in ((series[0].name, found[:1]), ("all but the first", found[1:])):
        day = np.concatenate([part.rows.day for part in parts])
        realised = USUAL.index("24 h realised")
        groups = {
            "decile of sigma": [decile_of(part.rows.sigma) for part in parts],
            "decile of 24 h realised volatility": [decile_of(part.rows.usual[realised]) for part in parts],
            "hour of the day": [part.rows.hour for part in parts],
        }
        for what, group in groups.items():
            of, lines = np.concatenate(group), []
            for stop in (STATED, RANGE_STOP):
                hit = np.concatenate([part.hit[stop] for part in parts], axis=1)
                lines.append([stop, *(text(rate, 1, 100) for rate in hit_rates(hit, of, day))])
            head = ["stop", *(str(i + (what != "hour of the day")) for i in range(len(lines[0]) - 1))]
            table(f"Stops hit within {STOP_HOURS} hours, in %, by {what}: {title}", head, lines)


def main() -> None:
    """Print every table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("datadirs", type=Path, nargs="+")
    parser.add_argument("--day", type=date.fromisoformat, nargs="*", default=[], help="days shown alone")
    options = parser.parse_args()
    series = load(options.datadirs)
    days = [(day - date(1970, 1, 1)).days for day in options.day]
    for horizon in HORIZONS:
        volatility(series, horizon)
        excursions(series, horizon, days)
    first_touch(series)
    touches(series)
    sizes(series)
    stops(series)


if __name__ == "__main__":
    main()
