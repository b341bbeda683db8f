"""What another exchange adds: `several_exchanges.py DATADIR --interest DIR [--candles DIR]`.

DATADIR is the traded exchange's. The other one has the open interest of the directory of `--interest`, which
is called as that exchange, and is walked on the candles of `--candles`, by default DATADIR's own: then its
open interest and its leverage alone are its own.

Candles of exchanges agree by a basis point, so that maps made of them agree by construction. The control
takes that out: the same exchange on its prices of now, with volume and open interest of seven days before.
What another exchange really says is what is left over the control.

Printed for each pair, of the nearest clusters: the mean of `liq_consensus_*`; and where all exchanges agree
less where not all do: how often the near edge was touched within the horizon beyond what `liq_hit_*` states,
in points, and the range of the candle that touches it over what is usual, in per cent. Intervals of 95 % by
day. Never a condition.
"""

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from liqfeature import HeatmapConfig, Venue, liquidation_features
from liqfeature.data.pair import PairData
from liqfeature.data.store import downloaded_pairs, load_beside, load_candles
from liqfeature.exchange.coins import counterpart
from liqfeature.scoring.measures.bootstrap import Interval, bootstrap, mean_of_rows
from liqfeature.scoring.measures.reliability import touched_within

WEEK = pd.Timedelta("7D")


def other_exchange(data: PairData, interest: Path, candles: Path | None) -> Venue:
    """The other exchange, on its own candles or on those that are traded."""
    listed = [f"{coin}:{coin.partition('/')[2]}" for coin in _coins_of(interest)]
    found = counterpart(data.pair, data.exchange, interest.name, listed)
    if found is None:
        message = f"{interest} must hold open interest of {data.pair}, received that of {', '.join(listed)}"
        raise SystemExit(message)
    return Venue(
        candles=load_candles(candles, found.pair, data.timeframe) if candles else data.candles,
        open_interest=load_beside(interest, found.pair, data.timeframe, "open_interest"),
        config=HeatmapConfig.for_pair(found.pair, interest.name),
        multiple=found.multiple if candles else 1.0,
    )


def _coins_of(directory: Path) -> list[str]:
    stems = [path.name.split("-")[0] for path in (directory / "futures").glob("*-open_interest.feather")]
    return ["/".join(stem.rsplit("_", 2)[:2]) for stem in stems]


def a_week_before(venue: Venue) -> Venue:
    """The control: prices of now, volume and open interest of seven days before."""
    volume = venue.candles.set_index("date")["volume"]
    volume.index = volume.index + WEEK
    before = volume.reindex(venue.candles["date"]).to_numpy()
    candles = venue.candles.assign(volume=np.where(np.isnan(before), venue.candles["volume"], before))
    if (rows := venue.open_interest) is not None:
        rows = rows.assign(date=rows["date"] + WEEK).drop(columns="open_interest_value", errors="ignore")
    return dataclasses.replace(venue, candles=candles, open_interest=rows)


def cluster_rows(data: PairData, venue: Venue) -> pd.DataFrame:
    """Return `consensus`, `missed` (touched less stated), `range` of a touching candle, and `day`."""
    inputs = {**data.inputs, "venues": {"other": venue}}
    features = liquidation_features(data.candles, data.config, **inputs)
    horizon, candles, sides = data.config.horizon, data.candles, []
    usual = features["liq_sigma"] / np.sqrt(horizon) * np.sqrt(8 / np.pi)
    over = (np.log(candles["high"] / candles["low"]) / usual.shift()).to_numpy()
    for where, extreme in (("above", "high"), ("below", "low")):
        edge, price = features[f"liq_near_{where}"].to_numpy(), candles[extreme].to_numpy()
        touched = touched_within(price, edge, horizon, above=where == "above")
        at_once = touched_within(price, edge, 1, above=where == "above") == 1.0
        columns = {
            "consensus": features[f"liq_consensus_{where}"],
            "fresh": features["liq_fresh"],
            "missed": touched - features[f"liq_hit_{where}"],
            "range": np.where(at_once, np.append(over[1:], np.nan), np.nan),
            "day": candles["date"].dt.floor("D").astype("int64"),
        }
        sides.append(pd.DataFrame(columns))
    rows = pd.concat(sides, ignore_index=True)
    return rows[(rows["fresh"] == 1.0) & rows["consensus"].notna()]


def difference(rows: pd.DataFrame, what: str) -> Interval:
    """Mean where all exchanges agree less that where not all do."""
    known = rows[rows[what].notna()]
    agree, value = known["consensus"].to_numpy() > 1 - 1e-9, known[what].to_numpy()
    terms = np.stack([agree * value, agree, ~agree * value, ~agree], axis=1).astype(np.float64)
    return bootstrap(_difference, terms, known["day"].to_numpy())


def _difference(sums: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums[:, 0] / sums[:, 1] - sums[:, 2] / sums[:, 3]


def cell(found: Interval, scale: float = 100.0) -> str:
    """Value and interval."""
    return f"{scale * found.value:.1f} ({scale * found.low:.1f} to {scale * found.high:.1f})"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("datadir", type=Path)
    parser.add_argument("--interest", type=Path, required=True, metavar="DIR")
    parser.add_argument("--candles", type=Path, metavar="DIR")
    args = parser.parse_args(arguments)
    head = [
        "pair",
        "other exchange",
        "clusters",
        "all agree, %",
        "consensus, %",
        "touched, points",
        "range, %",
    ]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for pair in downloaded_pairs(args.datadir):
        data = PairData.load(args.datadir, pair, "5m")
        venue = other_exchange(data, args.interest, args.candles)
        for name, one in (("as it was", venue), ("a week before", a_week_before(venue))):
            rows = cluster_rows(data, one)
            mean = mean_of_rows(rows["consensus"].to_numpy(), rows["day"].to_numpy())
            agree = f"{100 * np.mean(rows['consensus'] > 1 - 1e-9):.0f}"
            found = [cell(difference(rows, what)) for what in ("missed", "range")]
            lines.append(f"| {' | '.join([pair, name, str(len(rows)), agree, cell(mean), *found])} |")
    print("\n".join(lines))  # noqa: T201


if __name__ == "__main__":
    main()
