"""What a strategy reads: Freqtrade's frames go in, columns come out, and whether a row is sound."""

import logging
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from liqfeature.checks import require
from liqfeature.columns.events import load_events
from liqfeature.columns.features import columns_of, walk_for_columns
from liqfeature.columns.health import (
    BLOCKING,
    COLUMN,
    WORDS,
    HealthRule,
    Reason,
    health_of,
    is_sound,
    sound,
    unspoken,
)
from liqfeature.columns.windows import scheduled_windows
from liqfeature.data.maps import load_maps
from liqfeature.data.recordings import load_open_interest, load_totals, recorded_exchanges
from liqfeature.data.venues import VenueSource
from liqfeature.durations import HOUR
from liqfeature.estimate.config import HeatmapConfig
from liqfeature.estimate.outlook import Outlook
from liqfeature.estimate.prepare import outlook_of
from liqfeature.exchange.facts import MarketFacts, facts_of
from liqfeature.exchange.traits import canonical, exchange_traits
from liqfeature.heatmap.clusters import Ladder, ladder_of
from liqfeature.market.market import Inputs, Market
from liqfeature.market.payments import funding_interval, last_funding
from liqfeature.market.venue import Venue
from liqfeature.strategy.indicators import average_true_range
from liqfeature.strategy.rule import PlanRule
from liqfeature.strategy.signals import outside_windows
from liqfeature.types import FloatArray

_LOG = logging.getLogger(__name__)

LIVE = ("live", "dry_run")
"""Freqtrade's names of the modes in which a missing input is a failure, and not a choice."""

WITHOUT_MARK = ("okx", "hyperliquid")
"""Where Freqtrade gives a live bot fewer mark candles than candles, or none: a backtest would know more."""


class Strategy(Protocol):
    """What the feed needs of the strategy that it belongs to."""

    config: dict[str, Any]
    dp: Any
    timeframe: str
    plan_rule: PlanRule
    health_rule: HealthRule
    quiet_windows: Mapping[str, tuple[float, float]]
    least_event_weight: float
    mark_candles: bool
    longest_hours: float

    def heatmap_config(self, pair: str) -> HeatmapConfig:
        """Return the parameters of the pair's map."""


class ClusterFeed:
    """What one strategy knows of its markets.

    Parameters
    ----------
    strategy : Strategy
        `recordings` in its configuration names a database that `liqfeature record` writes: `liq_cascade_*`
        then refers to what is usually liquidated there, and open interest is read from it where the exchange
        has no history of its own. `map_source` names whose maps in it take the place of the estimate.
        `events` names a file that `load_events` reads. `venues` names other exchanges, as
        `liqfeature.data.venues.VenueSource` reads them: a backtest has their data directories and the
        database, a bot the database alone, for which it waits at most as long as `wait` says.

    Raises
    ------
    ConfigError
        If the database is not there, or `map_source` is given without one, a window of events is wanted and
        no file of them is named, or `mark_candles` is on for an exchange of `WITHOUT_MARK`.
    """

    def __init__(self, strategy: Strategy) -> None:
        self._strategy = strategy
        self._spoken: set[tuple[str, Reason]] = set()  # reasons reported, by pair
        self._without_mark: set[str] = set()  # pairs reported
        self.venue: str = strategy.config["exchange"]["name"]
        recordings = strategy.config.get("recordings")
        self.ladders: dict[str, Ladder] = {}  # all clusters at the newest candle, by pair
        self.recordings = Path(recordings) if recordings else None
        self.venues = VenueSource.of(strategy.config, Path(strategy.config.get("datadir") or "."))
        there = self.recordings is None or self.recordings.is_file()
        require("recordings", there, "a file of liqfeature record", self.recordings)
        self.map_source: str = strategy.config.get("map_source") or ""
        told = "left out where there are no recordings"
        require("map_source", self.recordings is not None or not self.map_source, told, self.map_source)
        events = strategy.config.get("events")
        named = bool(events) or "event" not in strategy.quiet_windows
        require("events", named, "the path of a file of events, for their quiet window", repr(events))
        self._events = load_events(events) if events else None
        offered = not strategy.mark_candles or self.venue not in WITHOUT_MARK
        require("mark_candles", offered, f"False on {self.venue}", strategy.mark_candles)

    # What Freqtrade is asked for.

    def informative_pairs(self) -> list[tuple[str, str, str]]:
        """Return what Freqtrade loads beside candles, for every pair.

        Funding, open interest where the exchange has a history of it, and mark candles if they are wanted.
        """
        strategy = self._strategy
        wanted = [("1h", "funding_rate")]
        if exchange_traits(self.venue).open_interest:
            wanted.append((self._interest_timeframe, "open_interest"))
        if strategy.mark_candles:
            wanted.append((strategy.timeframe, "mark"))
        pairs = strategy.dp.current_whitelist()
        return [(pair, timeframe, candle_type) for pair in pairs for timeframe, candle_type in wanted]

    def open_interest(self, pair: str) -> pd.DataFrame:
        """Return Freqtrade's rows of open interest."""
        return self._frame(pair, self._interest_timeframe, "open_interest")

    def funding_rate(self, pair: str) -> pd.DataFrame:
        """Return Freqtrade's rows of funding."""
        return self._frame(pair, "1h", "funding_rate")

    def _mark(self, pair: str) -> pd.DataFrame | None:
        """Return Freqtrade's mark candles of the candles' own timeframe, if they are wanted."""
        if not self._strategy.mark_candles:
            return None
        rows = self._frame(pair, self._strategy.timeframe, "mark")
        if rows.empty and pair not in self._without_mark:
            self._without_mark.add(pair)
            timeframe = self._strategy.timeframe
            self._tell(
                f"{pair}: no mark candles of {timeframe}: every wick counts (download them for a backtest)"
            )
        return rows

    def _frame(self, pair: str, timeframe: str, candle_type: str) -> pd.DataFrame:
        rows: pd.DataFrame = self._strategy.dp.get_pair_dataframe(pair, timeframe, candle_type)
        return rows

    @property
    def _interest_timeframe(self) -> str:
        """Timeframe of open interest: of those that the exchange has, the one that goes with the candles."""
        return exchange_traits(self.venue).interest_timeframe(self._strategy.timeframe)

    def facts(self, pair: str) -> MarketFacts:
        """Return what the pair's market says of itself: highest leverage, contract size."""
        return facts_of(self._market(pair))

    def _market(self, pair: str) -> dict[str, Any] | None:
        """Return ccxt's market; None in a notebook, whose data provider has no exchange."""
        dp = self._strategy.dp
        if getattr(dp, "_exchange", dp) is None:
            return None
        market: dict[str, Any] | None = dp.market(pair)
        return market

    def inputs(self, candles: pd.DataFrame, pair: str) -> Inputs:
        """Return all that the map of a pair takes beside candles."""
        return {
            "open_interest": self._interest(candles, pair),
            "funding_rate": self.funding_rate(pair),
            "mark": self._mark(pair),
            "liquidations": self._recorded(candles, pair),
            "maps": self._maps(candles, pair),
            "venues": self._elsewhere(candles, pair),
        }

    def _maps(self, candles: pd.DataFrame, pair: str) -> pd.DataFrame | None:
        """Return the maps wanted instead of the estimate, back to those too old for the first row."""
        if self.recordings is None or not self.map_source or candles.empty:
            return None
        lookback = self._strategy.heatmap_config(pair).lookback * pd.Timedelta(self._strategy.timeframe)
        return load_maps(self.recordings, pair, self.map_source, first=candles["date"].iloc[0] - lookback)

    def _elsewhere(self, candles: pd.DataFrame, pair: str) -> dict[str, Venue] | None:
        """Return the other exchanges as far back as the map looks; a bot waits until they have answered."""
        if self.venues is None or candles.empty:
            return None
        strategy, live = self._strategy, self._strategy.dp.runmode.value in LIVE
        config, step = strategy.heatmap_config(pair), pd.Timedelta(strategy.timeframe)
        source = self.venues.live() if live else self.venues
        begin = candles["date"].iloc[0] - (config.lookback + 1) * step
        if live:
            source.wait_for(candles["date"].iloc[-1], pair, strategy.timeframe, canonical(self.venue))
        return source.load(pair, strategy.timeframe, canonical(self.venue), first=begin)

    def _interest(self, candles: pd.DataFrame, pair: str) -> pd.DataFrame:
        """Return the exchange's rows, or recorded ones where it has no history."""
        if exchange_traits(self.venue).open_interest or self.recordings is None or candles.empty:
            return self.open_interest(pair)
        first = candles["date"].iloc[0]
        return load_open_interest(self.recordings, pair, canonical(self.venue), first=first)

    def _recorded(self, candles: pd.DataFrame, pair: str) -> pd.DataFrame | None:
        """Return recorded totals as far back as rows after warm-up look; None without recordings."""
        if self.recordings is None or candles.empty:
            return None
        if self.venues is not None and canonical(self.venue) not in recorded_exchanges(self.recordings):
            return None  # only other exchanges are collected there
        config, timeframe = self._strategy.heatmap_config(pair), self._strategy.timeframe
        first = candles["date"].iloc[min(config.warmup, len(candles)) - 1]
        first -= (config.lookback + 2) * pd.Timedelta(timeframe)
        return load_totals(self.recordings, pair, timeframe, self.venue, first=first)

    # What comes out.

    def columns(self, candles: pd.DataFrame, pair: str, features: pd.DataFrame | None = None) -> pd.DataFrame:
        """Return the candles with all `liq_` columns and those that trades around clusters need.

        These are the last `funding` and the `funding_hours` between payments; `stop_distance_above` and
        `stop_distance_below`, the least distance of stops by the strategy's `plan_rule`, as a fraction of the
        close; and `atr` where it is missing. `liq_health` is 0 where a row is sound, else the sum of its
        reasons (`columns.health.Reason`); those of the last row are reported once per pair.

        Parameters
        ----------
        candles : DataFrame
            Freqtrade's frame.
        pair : str
            By Freqtrade's name.
        features : DataFrame, optional
            Columns of another map, of the same rows, in place of those of the pair's own.
        """
        config, inputs = self._strategy.heatmap_config(pair), self.inputs(candles, pair)
        market = Market.of(candles, config.join_rule, **inputs)
        if features is None:
            scan = walk_for_columns(market, config)
            if len(candles) >= config.warmup:
                self.ladders[pair] = ladder_of(scan, candles["date"].iloc[-1])
            features, outlook = columns_of(scan, candles.index), scan.outlook_in_fractions()
        else:
            outlook = outlook_of(market, config)
        rows = inputs["open_interest"]
        expected = exchange_traits(self.venue).open_interest or (rows is not None and not rows.empty)
        found = health_of(market, features, config, expected=expected, rule=self._strategy.health_rule)
        self._tell_health(pair, found)
        added: dict[str, pd.Series | FloatArray] = {
            COLUMN: found,
            "funding": last_funding(candles, inputs["funding_rate"]),
            "funding_hours": funding_interval(candles, inputs["funding_rate"]),
            **self._stop_distances(outlook, market.interval),
        }
        if self._strategy.quiet_windows:
            weight, paid = self._strategy.least_event_weight, inputs["funding_rate"]
            due = scheduled_windows(candles, funding_rate=paid, events=self._events, least_weight=weight)
            added |= {str(name): column for name, column in due.items()}
        if "atr" not in candles:
            added["atr"] = average_true_range(candles)
        return pd.concat([candles, features.assign(**added)], axis=1)

    def _stop_distances(self, outlook: Outlook, interval: int) -> dict[str, FloatArray]:
        """Return how far price goes to either side before a trade ends, as often as stops may be hit."""
        strategy = self._strategy
        horizon = max(round(strategy.longest_hours * HOUR / interval), 1)
        probability = strategy.plan_rule.stop_probability
        return {
            "stop_distance_above": outlook.stop_distance("above", probability, horizon),
            "stop_distance_below": outlook.stop_distance("below", probability, horizon),
        }

    # Health: no entry on bad data; open trades keep their plan.

    def sound(self, rows: pd.DataFrame) -> "pd.Series[bool]":
        """Return which rows are sound enough for an entry."""
        return sound(rows, self._blocking)

    def is_sound(self, row: Any) -> bool:
        """Return whether one row is sound enough for an entry."""
        return is_sound(row, self._blocking)

    def quiet(self, rows: pd.DataFrame) -> "pd.Series[bool]":
        """Return which rows lie outside the strategy's quiet windows."""
        return outside_windows(rows, self._strategy.quiet_windows)

    def may_enter(self, row: Any) -> bool:
        """Return whether one row is sound enough for an entry, and lies outside the quiet windows."""
        return self.is_sound(row) and bool(self.quiet(pd.DataFrame([row])).iloc[0])

    @property
    def _blocking(self) -> Reason:
        """Reasons not to enter; for a bot also that there is no open interest at all."""
        live = self._strategy.dp.runmode.value in LIVE
        return BLOCKING | Reason.NO_OPEN_INTEREST if live else BLOCKING

    def _tell_health(self, pair: str, found: "pd.Series[float]") -> None:
        """Warn of what is wrong with the last row, once per pair and reason."""
        for reason in unspoken(self._spoken, pair, found.iloc[-1] if len(found) else 0.0):
            effect = "no entries" if reason & self._blocking else "a warning only"
            self._tell(f"{pair}: {WORDS[reason]} ({effect}; open trades are still managed)")

    def _tell(self, message: str) -> None:
        """Warn in the log and by Telegram."""
        _LOG.warning(message)
        self._strategy.dp.send_msg(message)

    # The last closed candle.

    def last_row(self, pair: str) -> Any:
        """Return the last closed candle with its columns; None before the first analysis."""
        rows, _ = self._strategy.dp.get_analyzed_dataframe(pair, self._strategy.timeframe)
        return None if rows.empty else rows.iloc[-1]

    def is_fresh(self, row: Any, now: datetime) -> bool:
        """Return whether the row is the newest that the exchange can have given by now."""
        return bool(now - row["date"] < 2 * pd.Timedelta(self._strategy.timeframe))

    def liquidation_fee(self, pair: str, otherwise: float) -> float:
        """Return the share of notional that the exchange says a liquidation costs.

        Freqtrade and ccxt reckon without it. Binance names it for each pair, as `liquidationFee` of
        `exchangeInfo`: 1.25 % for BTC/USDT when it was recorded, 1 % in the example of its documentation.
        """
        market = self._market(pair) or {}
        return float(market.get("info", {}).get("liquidationFee", otherwise))
