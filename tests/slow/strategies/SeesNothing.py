"""The strategy under test, with columns that know nothing."""

import math
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from pandas import DataFrame

_SOURCE = Path(__file__).parents[3] / "user_data" / "strategies" / "LiquidationClusters.py"
_SPEC = spec_from_file_location("liquidation_clusters", _SOURCE)
_MODULE = module_from_spec(_SPEC)
_SPEC.loader.exec_module(_MODULE)


class SeesNothing(_MODULE.LiquidationClusters):
    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        frame = super().populate_indicators(dataframe, metadata)
        frame.loc[:, frame.columns.str.startswith("liq_")] = math.nan
        return frame
