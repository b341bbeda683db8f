"""The strategy under test, which enters what it is asked to, nothing else, and holds it."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from pandas import DataFrame

from liqfeature.strategy import PlanRule

_SOURCE = Path(__file__).parents[3] / "user_data" / "strategies" / "LiquidationClusters.py"
_SPEC = spec_from_file_location("liquidation_clusters", _SOURCE)
_MODULE = module_from_spec(_SPEC)
_SPEC.loader.exec_module(_MODULE)


class TakesForcedEntries(_MODULE.LiquidationClusters):
    """Whatever the market does at that minute: it has a plan, whose stop is out of reach."""

    plan_rule = PlanRule(buffer=20.0, stop_probability=0.01, max_distance=0.9)

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        return dataframe

    def custom_stake_amount(self, *args, proposed_stake: float, **kw) -> float:
        super().custom_stake_amount(*args, proposed_stake=proposed_stake, **kw)
        return proposed_stake

    def confirm_trade_entry(self, *args, **kw) -> bool:
        super().confirm_trade_entry(*args, **kw)
        return True

    def adjust_trade_position(self, *args, **kw) -> None:
        super().adjust_trade_position(*args, **kw)

    def custom_exit(self, *args, **kw) -> None:
        super().custom_exit(*args, **kw)
