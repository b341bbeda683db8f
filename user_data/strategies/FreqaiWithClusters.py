"""Entries by a model that FreqAI trains on the columns; stops beyond clusters, targets at them.

What the model sees are the `liq_` columns alone, free of scale: `help(liqfeature.columns.freqai)`.

- The columns belong into `feature_engineering_standard`, which gets the whole frame, once for each pair in a
  backtest; `feature_engineering_expand_all` would compute them again for each timeframe and period.
- A backtest loads the columns' warm-up before the first training window: data must begin 2,342 candles and
  `train_period_days` before `--timerange`, or the first models learn from less.
- Predictions are kept in `models/` of the user directory under the `identifier`, and read back also after the
  strategy, the market or this package changed: take a new `identifier` then, or delete them.
- Live, a prediction rests on the last row of the bot's frame, which is at least as long as the warm-up, and
  equals the backtest's. A training takes its candles from disk, where Freqtrade puts no open interest: rows
  before the bot's own 2,494 candles (Binance) rest on volume. `liq_quality`, a feature too, tells them apart.
"""

from typing import Any

from freqtrade.strategy import DecimalParameter, IStrategy
from pandas import DataFrame

from liqfeature.columns.freqai import freqai_features, later_move
from liqfeature.strategy import around_clusters


class FreqaiWithClusters(around_clusters(IStrategy)):
    """Enter where the model expects more than usual, either way."""

    INTERFACE_VERSION = 3
    can_short = True
    timeframe = "5m"
    process_only_new_candles = True
    minimal_roi = {}

    enter_spread = DecimalParameter(0.0, 2.0, default=0.7, decimals=1, space="enter")
    """Standard deviations of the move, of the last training, that must be expected beyond its mean."""

    # What the model sees, and what it is to foretell.

    def feature_engineering_standard(
        self, dataframe: DataFrame, metadata: dict[str, Any], **kw: Any
    ) -> DataFrame:
        rows = self.cluster_columns(dataframe, metadata)
        return rows.join(freqai_features(rows, self.heatmap_config(metadata["pair"])))

    def set_freqai_targets(self, dataframe: DataFrame, metadata: dict[str, Any], **kw: Any) -> DataFrame:
        horizon = self.freqai_info["feature_parameters"]["label_period_candles"]
        return dataframe.assign(**{"&-move": later_move(dataframe["close"], horizon)})

    def populate_indicators(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        rows = self.freqai.start(dataframe, metadata, self)
        # Predictions that are read back from disk come without the columns.
        return rows if "liq_quality" in rows else self.cluster_columns(rows, metadata)

    # Entries; exits are those of the clusters.

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        trusted = (dataframe["do_predict"] == 1) & (dataframe["liq_quality"] >= 0.4)
        expected = dataframe["&-move"] - dataframe["&-move_mean"]
        least = self.enter_spread.value * dataframe["&-move_std"]
        dataframe.loc[trusted & (expected > least), ["enter_long", "enter_tag"]] = (1, "model")
        dataframe.loc[trusted & (expected < -least), ["enter_short", "enter_tag"]] = (1, "model")
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        return dataframe
