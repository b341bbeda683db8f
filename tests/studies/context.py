"""What columns of context tell: `python tests/studies/context.py DIR [DIR ...]`.

Each is a Freqtrade data directory with 5m candles, such as `data/binance`; all pairs of one count together.
Printed as Markdown, with 95 % intervals by day. Schedule: range of the hour that begins within an hour
before, or after, what `liq_until_*` and `liq_since_*` count to, over the range that `liq_sigma` states,
divided by the same of all rows. Air: share of near edges touched within the hour less what `liq_hit_*`
states, in points, by `liq_vacuum_*`. Never a condition.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from liqfeature import HeatmapConfig, liquidation_features
from liqfeature.columns.windows import SCHEDULED, scheduled_windows
from liqfeature.data.store import downloaded_pairs, load_beside, load_candles
from liqfeature.market.market import Market
from liqfeature.scoring.measures.bootstrap import Interval, mean_of_rows
from liqfeature.scoring.measures.reliability import touched_within
from liqfeature.scoring.volatility_rows import VolatilityRows

HORIZON, NEAR = 12, 60
"""Candles ahead, and minutes within which something counts as near."""

AIR = {"below .25": (0.0, 0.25), ".25 to .5": (0.25, 0.5), ".5 to 1": (0.5, 1.0), "1 and more": (1.0, np.inf)}
"""Bins of `liq_vacuum_*`."""


def schedule_rows(candles: pd.DataFrame, funding: pd.DataFrame | None) -> pd.DataFrame:
    """Return `over`, the coming range over the stated one, `day`, and minutes until and since; known rows."""
    config = HeatmapConfig()
    rows = VolatilityRows.of(Market.of(candles, config.join_rule), config, HORIZON)
    over = np.exp(rows.ranged - rows.log_range)
    windows = scheduled_windows(candles, funding_rate=funding)
    return windows.assign(over=over, day=rows.day).dropna(subset="over")


def near_schedule(rows: pd.DataFrame, name: str) -> Interval:
    """Mean of `over` near something over its mean everywhere."""
    near = rows[name].to_numpy() <= NEAR if "until" in name else rows[name].to_numpy() < NEAR
    over, day = rows["over"].to_numpy(), rows["day"].to_numpy()
    return mean_of_rows(over[near] / np.mean(over), day[near])


def touch_rows(candles: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    """Return `vacuum`, `missed` (touched less stated) and `day` of every row and side with a near edge."""
    sides = []
    day = candles["date"].dt.floor("D").astype("int64")
    for where, extreme in (("above", "high"), ("below", "low")):
        edge = features[f"liq_near_{where}"].to_numpy()
        touched = touched_within(candles[extreme].to_numpy(), edge, HORIZON, above=where == "above")
        missed = touched - features[f"liq_hit_{where}"]
        sides.append(pd.DataFrame({"vacuum": features[f"liq_vacuum_{where}"], "missed": missed, "day": day}))
    return pd.concat(sides, ignore_index=True).dropna()


def percent(found: Interval, scale: float = 1.0) -> str:
    """Value and interval."""
    return f"{scale * found.value:.2f} ({scale * found.low:.2f}..{scale * found.high:.2f})"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print two tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("datadirs", type=Path, nargs="+")
    names = [f"liq_{way}_{what}" for what in SCHEDULED if what != "event" for way in ("until", "since")]
    scheduled, touched, heads = [], [], []
    for datadir in parser.parse_args(arguments).datadirs:
        schedules, touches = [], []
        for pair in downloaded_pairs(datadir):
            candles = load_candles(datadir, pair, "5m")
            funding = load_beside(datadir, pair, "5m", "funding_rate")
            schedules.append(schedule_rows(candles, funding))
            touches.append(touch_rows(candles, liquidation_features(candles, funding_rate=funding)))
        heads.append(datadir.parent.name)
        scheduled.append(pd.concat(schedules))
        touched.append(pd.concat(touches))
    print_table(
        "near", heads, {f"`{n}`": [percent(near_schedule(rows, n)) for rows in scheduled] for n in names}
    )
    air = {
        name: [
            percent(mean_of_rows(rows["missed"].to_numpy()[inside], rows["day"].to_numpy()[inside]), 100)
            for rows in touched
            for inside in [rows["vacuum"].between(low, high, inclusive="left").to_numpy()]
        ]
        for name, (low, high) in AIR.items()
    }
    print_table("`liq_vacuum_*`", heads, air)


def print_table(title: str, heads: Sequence[str], rows: dict[str, list[str]]) -> None:
    """Print Markdown."""
    head = [title, *heads]
    lines = ["", f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    print("\n".join([*lines, *(f"| {n} | {' | '.join(cells)} |" for n, cells in rows.items())]))  # noqa: T201


if __name__ == "__main__":
    main()
