"""The example for FreqAI, content with less: few days see trades enough whatever the model expects."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from freqtrade.strategy import DecimalParameter

_SOURCE = Path(__file__).parents[3] / "user_data" / "strategies" / "FreqaiWithClusters.py"
_SPEC = spec_from_file_location("freqai_with_clusters", _SOURCE)
_MODULE = module_from_spec(_SPEC)
_SPEC.loader.exec_module(_MODULE)


class FreqaiEntersOften(_MODULE.FreqaiWithClusters):
    enter_spread = DecimalParameter(0.0, 2.0, default=0.0, decimals=1, space="enter")
