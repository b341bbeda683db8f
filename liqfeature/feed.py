"""What a strategy reads: Freqtrade's frames go in, columns come out, and whether the last row is sound."""

import logging
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from liqfeature.checks import require
from liqfeature.config import HeatmapConfig, exchange_traits
from liqfeature.context import average_true_range
from liqfeature.data.recordings import load_totals
from liqfeature.features import liquidation_features
from liqfeature.funding import last_funding
from liqfeature.health import BLOCKING, COLUMN, WORDS, HealthRule, Reason, health, is_sound, sound, unspoken

_LOG = logging.getLogger(__name__)

LIVE = ("live", "dry_run")
"""Freqtrade's names of the modes in which a missing input is a failure, and not a choice."""

_FINEST_INTEREST = pd.Timedelta(minutes=5)


class ClusterFeed:
    """The callbacks that look at the market; those that trade are in `liqfeature.mixin`."""

    health_rule = HealthRule()
    """What makes a row sound enough for an entry."""

    dp: Any
    timeframe: str

    def prepare_feed(self, config: dict[str, Any]) -> None:
        """Set what depends on the configuration.

        `recordings` in it names a directory that `liqfeature record` writes: `liq_cascade_*` then refers to
        what is usually liquidated there.
        """
        self.venue = config["exchange"]["name"]
        self.startup_candle_count = HeatmapConfig.for_exchange(self.venue).warmup
        self.recordings = Path(config["recordings"]) if config.get("recordings") else None
        there = self.recordings is None or self.recordings.is_dir()
        require("recordings", there, "a directory of liqfeature record", self.recordings)
        self.spoken: set[tuple[str, Reason]] = set()  # what was warned of, by pair

    def informative_pairs(self) -> list[tuple[str, str, str]]:
        """Ask for funding, and for open interest where the exchange has a history of it."""
        wanted = [("1h", "funding_rate")]
        if exchange_traits(self.venue).open_interest:
            wanted.append((self.interest_timeframe, "open_interest"))
        pairs = self.dp.current_whitelist()
        return [(pair, timeframe, candle_type) for pair in pairs for timeframe, candle_type in wanted]

    def heatmap_config(self, pair: str) -> HeatmapConfig:
        """Return the parameters of the pair's map; override it, but leave `warmup` as it is."""
        return HeatmapConfig.for_pair(pair, self.venue)

    def open_interest(self, pair: str) -> pd.DataFrame:
        """Return Freqtrade's rows of open interest."""
        rows: pd.DataFrame = self.dp.get_pair_dataframe(pair, self.interest_timeframe, "open_interest")
        return rows

    @property
    def interest_timeframe(self) -> str:
        """Timeframe of open interest: the candles', and 5m for shorter ones, which no exchange offers."""
        return "5m" if pd.Timedelta(self.timeframe) < _FINEST_INTEREST else self.timeframe

    def funding_rates(self, pair: str) -> pd.DataFrame:
        """Return Freqtrade's rows of funding."""
        rows: pd.DataFrame = self.dp.get_pair_dataframe(pair, "1h", "funding_rate")
        return rows

    def recorded(self, candles: pd.DataFrame, pair: str, config: HeatmapConfig) -> pd.DataFrame | None:
        """Return recorded totals as far back as rows after warm-up look; None without recordings."""
        if self.recordings is None or candles.empty:
            return None
        first = candles["date"].iloc[min(config.warmup, len(candles)) - 1]
        first -= (config.lookback + 2) * pd.Timedelta(self.timeframe)
        return load_totals(self.recordings, pair, self.timeframe, self.venue, first=first)

    def liquidation_columns(self, candles: pd.DataFrame, pair: str) -> pd.DataFrame:
        """Return all `liq_` columns of the candles."""
        config = self.heatmap_config(pair)
        return liquidation_features(
            candles,
            config,
            open_interest=self.open_interest(pair),
            funding_rate=self.funding_rates(pair),
            liquidations=self.recorded(candles, pair, config),
        )

    def cluster_columns(self, dataframe: pd.DataFrame, metadata: dict[str, Any]) -> pd.DataFrame:
        """Return the candles with all `liq_` columns, the last `funding`, and `atr` where it is missing.

        `liq_health` is 0 where a row is sound, else the sum of its reasons (`liqfeature.health.Reason`);
        those of the last row are told once per pair.
        """
        pair = metadata["pair"]
        features = self.liquidation_columns(dataframe, pair)
        features[COLUMN] = health(
            dataframe,
            features,
            self.heatmap_config(pair),
            open_interest=self.open_interest(pair),
            expected=exchange_traits(self.venue).open_interest,
            rule=self.health_rule,
        )
        self.tell_health(pair, features)
        features["funding"] = last_funding(dataframe, self.funding_rates(pair))
        if "atr" not in dataframe:
            features["atr"] = average_true_range(dataframe)
        return pd.concat([dataframe, features], axis=1)

    # Health: no entry on bad data; open trades keep their plan.

    def tell_health(self, pair: str, rows: pd.DataFrame) -> None:
        """Warn of what is wrong with the last row, once per pair and reason; by Telegram, too."""
        for reason in unspoken(self.spoken, pair, rows[COLUMN].iloc[-1] if len(rows) else 0.0):
            effect = "no entries" if reason & self.blocking() else "told once"
            message = f"{pair}: {WORDS[reason]} ({effect}; open trades are managed on)"
            _LOG.warning(message)
            self.dp.send_msg(message)

    def blocking(self) -> Reason:
        """Return the reasons not to enter; for a bot also that there is no open interest at all."""
        return BLOCKING | Reason.NO_OPEN_INTEREST if self.dp.runmode.value in LIVE else BLOCKING

    def sound(self, rows: pd.DataFrame) -> "pd.Series[bool]":
        """Tell which rows are sound enough for an entry."""
        return sound(rows, self.blocking())

    def is_sound(self, pair: str) -> bool:
        """Tell whether the last closed candle is sound enough for an entry."""
        row = self.last_row(pair)
        return row is not None and is_sound(row, self.blocking())

    def is_late(self, pair: str, current_time: datetime) -> bool:
        """Return whether a candle has closed since the last row, which the exchange did not tell."""
        row = self.last_row(pair)
        return bool(row is None or current_time - row["date"] >= 2 * pd.Timedelta(self.timeframe))

    def last_row(self, pair: str) -> Any:
        """Return the last closed candle with its columns; None before the first analysis."""
        rows, _ = self.dp.get_analyzed_dataframe(pair, self.timeframe)
        return None if rows.empty else rows.iloc[-1]
