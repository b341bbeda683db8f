"""The scorecard: every score of every map, as tables and as JSON."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from liqfeature.errors import DataError, extra
from liqfeature.scoring.measures.bootstrap import Interval
from liqfeature.types import BoolArray

if TYPE_CHECKING:
    from rich.console import Console

MAP_MEASURES = {
    "rank": "Spearman correlation of hourly swept with recorded notional",
    "partial": "the same with the hour's path, range and volume held fixed",
    "wide": "the same in hours that span more than 1.5 %, with path and distance-only held fixed",
    "known": "what the map knew at the start of the hour, within the reach that came true, with path and "
    "distance-only held fixed",
    "amplitude": "notional predicted over recorded",
    "gain": "bits per unit of forced notional over a distance-only map, in swept bins",
    "mixing": "weight of the map beside distance-only in that gain, fitted on the first 35 %",
    "of_oracle": "that gain over the gain of the positions really open",
    "lift": "share of forced notional in the top 20 % of swept bins, over 0.2",
    "earth_mover": "basis points that the map's notional has to move to become the true one",
    "density": "Spearman correlation of estimated with real density over distances, mean over snapshots",
    "placebo": "chance that a map shifted in time scores as well (partial, in hours; gain, in places)",
}

FORECAST_MEASURES = {
    "calibration": "mean distance of stated probability from frequency: of a touch of the near edge, or of "
    "the map's own sweeps above their trailing 95 % level within the horizon",
    "skill": "Brier skill of the same over the base rate",
    "auc": "area under the curve for those sweeps, all rows",
    "precision": "share of the 5 % of rows with the highest scores on which they came",
    "recall": "share of those sweeps that these rows flagged",
}

RELIABILITY_MEASURES = {
    "stated": "mean probability stated on rows within a tenth of it",
    "came_true": "share of these rows on which it came true",
    "rows": "how many they are",
}

SURGE_MEASURES = {
    "surge_auc": "area under the curve for hours with more liquidated than three times the trailing 24 h "
    "mean, and than the median",
    "surge_precision": "share of surges in the 5 % of hours with the highest scores",
    "surge_recall": "share of the surges among these hours",
    "extreme_auc": "area under the curve for the 1 % of hours with most liquidated",
    "extreme_precision": "share of the top 5 % of hours among the 1 % with the highest scores",
}

VOLATILITY_MEASURES = {
    "r2": "R2 of the logarithm of the range within the horizon; where no level is stated, with the best line "
    "through these rows",
    "qlike": "QLIKE of squared returns within the horizon, 0 is best; where no level is stated, with the "
    "best factor on these rows",
}

EXCURSION_MEASURES = {
    "coverage": "share of rows on which price went no farther than stated within the horizon",
    "worst_month": "the same in the month in which it is farthest from what was stated",
    "tail": "mean of what went farther, over its mean as stated",
}

TOUCH_MEASURES = {
    "over_usual": "mean range (volume) of the candle that touches a near edge, over that of any candle",
    "over_stated": "the same over what was stated before, 1 is right",
    "touches": "how many candles",
}

SIZE_MEASURES = {
    "shortfall_95": "mean loss of the worst 5 % of trades, % of the mean position, which all sizes share",
    "shortfall_99": "the same of the worst 1 %",
    "cut_95": "expected shortfall at 95 % with the size by liq_sigma over that of this row",
    "cut_99": "the same at 99 %",
    "fall": "largest fall of the summed returns, % of the mean position",
}

STOP_MEASURES = {
    "hit": "share of stops hit within four hours, 20 % as stated; ATR's multiple is hit as often in all",
    "decile_least": "the same in the decile of 24 h realised volatility where it is lowest",
    "decile_most": "where it is highest",
    "hour_least": "the same in the hour of the day where it is lowest",
    "hour_most": "where it is highest",
    "stopped_fall": "largest fall of trades of equal risk with that stop, % of the mean position",
}

MEASURES = (
    MAP_MEASURES
    | FORECAST_MEASURES
    | RELIABILITY_MEASURES
    | VOLATILITY_MEASURES
    | EXCURSION_MEASURES
    | TOUCH_MEASURES
    | SIZE_MEASURES
    | STOP_MEASURES
    | SURGE_MEASURES
)
"""Every measure and what it means, in the order of the tables."""

SCORED_SIDES: dict[str, BoolArray] = {
    "long": np.array([True, False]),
    "short": np.array([False, True]),
    "both": np.array([True, True]),
}
"""What a score can be about, and which sides of positions it takes together."""

LEAST_WIDTH = 130
"""Characters: a narrower table would cut its figures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One score of one map; `low` and `high` end its 95 % interval, NaN where there is none."""

    map: str
    measure: str
    side: str
    value: float
    low: float = math.nan
    high: float = math.nan

    @classmethod
    def of(cls, name: str, measure: str, side: str, interval: Interval) -> "Score":
        """Score with an interval."""
        return cls(
            map=name,
            measure=measure,
            side=side,
            value=interval.value,
            low=interval.low,
            high=interval.high,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """All scores, and what they were made from.

    Parameters
    ----------
    about : dict
        Pair, timeframe, period, number of hours, origins and orders, and the configuration.
    scores : tuple of Score
    """

    about: dict[str, Any]
    scores: tuple[Score, ...]

    def value(self, name: str, measure: str, side: str) -> float:
        """Value of one score; NaN where there is none."""
        return next(
            (s.value for s in self.scores if (s.map, s.measure, s.side) == (name, measure, side)), math.nan
        )

    def maps(self) -> list[str]:
        """Names of the maps in the order of their first score."""
        return list(dict.fromkeys(score.map for score in self.scores))

    def to_dict(self) -> dict[str, Any]:
        """Plain dict that JSON can hold; undefined numbers are None."""
        scores = [
            {
                "map": s.map,
                "measure": s.measure,
                "side": s.side,
                **{name: _finite(getattr(s, name)) for name in ("value", "low", "high")},
            }
            for s in self.scores
        ]
        return {"about": self.about, "measures": MEASURES, "scores": scores}


def write_scorecard(card: Scorecard, path: str | Path) -> None:
    """Write a scorecard as JSON, or as Markdown tables where the file's name ends in `.md`."""
    path = Path(path)
    text = to_markdown(card) if path.suffix == ".md" else json.dumps(card.to_dict(), indent=2) + "\n"
    path.write_text(text, encoding="utf-8")


def read_scorecard(path: str | Path) -> Scorecard:
    """Read what `write_scorecard` wrote as JSON; None becomes NaN.

    Parameters
    ----------
    path : path

    Raises
    ------
    DataError
        If it holds something else.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        about, scores = dict(content["about"]), tuple(_score(each) for each in content["scores"])
    except (KeyError, TypeError, ValueError) as error:
        message = f"{path} must be JSON that liqfeature validate --out wrote, received {error!r}"
        raise DataError(message) from error
    return Scorecard(about=about, scores=scores)


def _score(content: dict[str, Any]) -> Score:
    value, low, high = (
        math.nan if content[name] is None else float(content[name]) for name in ("value", "low", "high")
    )
    name, measure, side = (str(content[name]) for name in ("map", "measure", "side"))
    return Score(map=name, measure=measure, side=side, value=value, low=low, high=high)


def to_markdown(card: Scorecard) -> str:
    """Tables for each side, maps down and measures across, intervals in brackets."""
    parts = []
    for title, (head, *rows) in text_tables(card, " "):
        parts += [title, "", _line(head), _line(["---"] * len(head)), *map(_line, rows), ""]
    return "\n".join(parts)


def text_tables(card: Scorecard, between: str) -> Iterator[tuple[str, list[list[str]]]]:
    """For each side and group of measures a title and rows of text: names of measures, then one row per map.

    Parameters
    ----------
    card : Scorecard
    between : str
        What stands between a value and its interval.
    """
    for title, rows in _tables(card):
        cells = [[name, *(_text(score, between) for score in scores.values())] for name, scores in rows]
        yield title, [["map", *rows[0][1]], *cells]


def meanings(card: Scorecard) -> dict[str, str]:
    """Return what each measure of a scorecard means."""
    return {
        name: meaning for name, meaning in MEASURES.items() if any(s.measure == name for s in card.scores)
    }


def print_scorecard(card: Scorecard, console: "Console | None" = None) -> None:
    """Print tables for each side: maps down, measures across, intervals under the values.

    Raises
    ------
    MissingExtraError
        If rich is not installed.
    """
    with extra("cli"):
        from rich.console import Console
        from rich.table import Table
    console = console or Console()
    console.width = max(console.width, LEAST_WIDTH)
    for title, (head, *rows) in text_tables(card, "\n"):
        table = Table(title=title, title_justify="left")
        for name in head:
            table.add_column(name, justify="left" if name == "map" else "right", no_wrap=True)
        for row in rows:
            table.add_row(*row)
        console.print(table)
    for measure, meaning in meanings(card).items():
        console.print(f"{measure:>17}  {meaning}", highlight=False)


_GROUPS = {
    "": MAP_MEASURES,
    ": what the columns forecast": FORECAST_MEASURES,
    ": stated and came true": RELIABILITY_MEASURES,
    ": volatility, from candles alone": VOLATILITY_MEASURES,
    ": how far price goes, from candles alone": EXCURSION_MEASURES,
    ": candles that touch a near edge": TOUCH_MEASURES,
    ": sizes of trades that know nothing of the map": SIZE_MEASURES,
    ": stops, from candles alone": STOP_MEASURES,
    ": alarms on what was liquidated": SURGE_MEASURES,
}

_TITLES = {
    "long": "longs liquidated, below price",
    "short": "shorts liquidated, above price",
    "both": "both sides",
}


def _tables(card: Scorecard) -> Iterator[tuple[str, list[tuple[str, dict[str, Score | None]]]]]:
    """Titles, and what has any score there, each with the same measures in the order of `MEASURES`."""
    for about, group in _GROUPS.items():
        for side in SCORED_SIDES:
            here = [s for s in card.scores if s.side == side and s.measure in group]
            found = {(s.map, s.measure): s for s in here if math.isfinite(s.value)}
            measures = [m for m in group if any(measure == m for _, measure in found)]
            names = [name for name in card.maps() if any(map_ == name for map_, _ in found)]
            if names:
                rows = [(name, {m: found.get((name, m)) for m in measures}) for name in names]
                yield f"{_TITLES[side]}{about}", rows


def _text(score: Score | None, between: str) -> str:
    """Value and interval; empty where there is no score."""
    if score is None:
        return ""
    places = 0 if abs(score.value) >= 100 else 3
    text = f"{score.value:.{places}f}"
    if math.isfinite(score.low):
        places = max(places - 1, 0)
        text += f"{between}({score.low:.{places}f}..{score.high:.{places}f})"
    return text


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
