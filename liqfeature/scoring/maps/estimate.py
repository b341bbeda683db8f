"""Our estimate in the common form, whole or level of leverage by level."""

import numpy as np

from liqfeature.estimate.config import HeatmapConfig
from liqfeature.estimate.prepare import prepare_scan
from liqfeature.estimate.scan import Scan
from liqfeature.heatmap.snapshot import live_notional
from liqfeature.scoring.maps.base import Ground, Prediction
from liqfeature.sides import LONG, SHORT
from liqfeature.types import FloatArray


def estimate(ground: Ground, config: HeatmapConfig) -> Prediction:
    """Walk the candles and read the map at every origin.

    Parameters
    ----------
    ground : Ground
        Its grid must be the configuration's.
    config : HeatmapConfig

    Returns
    -------
    Prediction
    """
    scan = prepare_scan(ground.market, config)
    window = np.zeros((len(ground.origins), 2, ground.n_window))
    done = 0
    for i, row in enumerate(ground.origins):
        scan.run(done, int(row) + 1)
        done = int(row) + 1
        window[i] = _around_price(scan, int(row), ground.n_window)
    scan.run(done, len(ground.market.close))
    return Prediction(swept=scan.swept[1], window=window)


def estimate_by_level(ground: Ground, config: HeatmapConfig) -> list[Prediction]:
    """Estimate as if everything were opened at one level of leverage, for each level in turn.

    Nothing that is opened or closed depends on the map, so the estimate is linear in the shares of the
    levels: the sum of these predictions, times `config.leverage.shares()`, is `estimate`.
    """
    alone = np.eye(config.leverage.levels().size)
    return [estimate(ground, config.changed({"leverage.weight": tuple(row.tolist())})) for row in alone]


def _around_price(scan: Scan, row: int, n_window: int) -> FloatArray:
    """Notional by bins away from the bin of the close, shape (2, n_window)."""
    notional = live_notional(scan)
    price_bin = int(np.floor(scan.candles.close[row]))
    window = np.zeros((2, n_window))
    below = notional[LONG, max(price_bin - n_window, 0) : price_bin][::-1]
    above = notional[SHORT, price_bin + 1 : price_bin + 1 + n_window]
    window[LONG, : below.size] = below
    window[SHORT, : above.size] = above
    return window
