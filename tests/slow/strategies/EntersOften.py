"""The strategy under test, with more entries than its own, so that few hours see every kind of exit."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from pandas import DataFrame

from liqfeature.strategy import PlanRule
from liqfeature.strategy.signals import trusted

_SOURCE = Path(__file__).parents[3] / "user_data" / "strategies" / "LiquidationClusters.py"
_SPEC = spec_from_file_location("liquidation_clusters", _SOURCE)
_MODULE = module_from_spec(_SPEC)
_SPEC.loader.exec_module(_MODULE)

_EVERY = 6 * 300
"""Seconds from one added entry to the next; long and short take turns."""


class EntersOften(_MODULE.LiquidationClusters):
    plan_rule = PlanRule(stop_probability=0.9, max_distance=0.01, min_distance=0.002)
    protections = ()

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        frame = super().populate_entry_trend(dataframe, metadata)
        sound = trusted(frame, quality=self.enter_quality.value, volume=self.enter_volume.value)
        free = (frame["enter_long"] == 0) & (frame["enter_short"] == 0) & sound
        turn = frame["date"].astype("datetime64[s, UTC]").astype("int64") % (2 * _EVERY)
        for column, due in (("enter_long", turn == 0), ("enter_short", turn == _EVERY)):
            frame.loc[free & due, [column, "enter_tag"]] = (1, "due")
        return frame
