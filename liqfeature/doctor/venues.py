"""Other exchanges of a bot: what is read of each, and up to when."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from liqfeature.data.venues import VenueSource
from liqfeature.doctor.finding import Finding, fail, fine, warn
from liqfeature.errors import LiqFeatureError

COLLECT = "liqfeature collect"


def check_venues(
    config: Mapping[str, Any], datadir: Path, pairs: Sequence[str], timeframe: str, options: str
) -> Iterator[Finding]:
    """Check the `venues` of a configuration; nothing without them."""
    try:
        source = VenueSource.of(config, datadir)
        if source is None:
            return
        for name in source.directories:
            yield _of_exchange(name, source, config, pairs, timeframe, options)
    except LiqFeatureError as error:
        yield fail("venues", str(error), "correct `venues` of the configuration")


def _of_exchange(
    name: str,
    source: VenueSource,
    config: Mapping[str, Any],
    pairs: Sequence[str],
    timeframe: str,
    options: str,
) -> Finding:
    own = str(config.get("exchange", {}).get("name", ""))
    read = {pair: source.load(pair, timeframe, own)[name] for pair in pairs}
    there = {pair: venue.candles for pair, venue in read.items() if len(venue.candles)}
    missing = [pair for pair in pairs if pair not in there]
    advice = f"{COLLECT} {options}"
    title = f"venue {name}"
    if not there:
        return warn(title, "nothing of it is read: it will never be fresh", advice)
    newest = min(pd.Timestamp(candles["date"].iloc[-1]) for candles in there.values())
    said = f"{len(there)} of {len(pairs)} pairs, candles up to {newest:%Y-%m-%d %H:%M}"
    silent = [
        pair for pair, venue in read.items() if pair in there and _without_interest(venue.open_interest)
    ]
    if silent:
        return warn(title, f"{said}; never fresh without open interest: {', '.join(silent)}", advice)
    if missing:
        return warn(title, f"{said}; nothing of {', '.join(missing)}", advice)
    return fine(title, said)


def _without_interest(rows: pd.DataFrame | None) -> bool:
    return rows is None or rows.empty
