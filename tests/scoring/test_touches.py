"""What touching candles did over what the columns stated: a naive twin over the columns that users get."""

import numpy as np
import pandas as pd
import pytest

from builders.frames import Frames, random_candles, small_config
from builders.scans import aligned
from liqfeature import liquidation_features, outlook
from liqfeature.estimate.prepare import walk_market
from liqfeature.scoring.score_touches import RANGE, VOLUME, score_touches

CONFIG = small_config()
CANDLES = random_candles(4000, seed=6, gaps=0.003)
FIRST, LAST = 100, 3900


def naive(where: str) -> dict[str, list[tuple[float, float]]]:
    """What came and what was stated, at each touch by the candle after a row."""
    features, sigma = liquidation_features(CANDLES, CONFIG), outlook(CANDLES, CONFIG).sigma(1)
    ranges = np.log(CANDLES["high"] / CANDLES["low"]).to_numpy()
    volume = CANDLES["volume"].to_numpy()
    usual = pd.Series(volume).rolling(CONFIG.lookback, min_periods=1).sum().to_numpy()
    wide, busy = (
        ranges[FIRST + 1 : LAST + 1] / sigma[FIRST:LAST],
        volume[FIRST + 1 : LAST + 1] / usual[FIRST:LAST],
    )
    minutes = CANDLES["date"].diff().dt.total_seconds().to_numpy() / 60
    found: dict[str, list[tuple[float, float]]] = {RANGE: [], VOLUME: []}
    for t in range(FIRST, LAST):
        near = features[f"liq_near_{where}"].iloc[t]
        low, high = CANDLES["low"].iloc[t + 1], CANDLES["high"].iloc[t + 1]
        touched = high >= near if where == "above" else low <= near
        if touched and minutes[t + 1] == 5:
            for name, of in ((RANGE, wide), (VOLUME, busy)):
                stated = features[f"{name}_{where}"].iloc[t]
                found[name].append((of[t - FIRST] / np.mean(of), stated))
    return found


@pytest.mark.parametrize(("where", "side"), [("above", "short"), ("below", "long")])
def test_scores_are_those_of_the_candles_that_touch(where: str, side: str) -> None:
    scan = walk_market(aligned(Frames(CANDLES), CONFIG), CONFIG)
    scores = {(s.map, s.measure): s for s in score_touches(scan, (FIRST, LAST)) if s.side == side}
    for name, touches in naive(where).items():
        came, stated = np.array(touches).T
        assert scores[name, "touches"].value == len(touches) > 100
        assert scores[name, "over_usual"].value == pytest.approx(np.mean(came))
        assert scores[name, "over_stated"].value == pytest.approx(np.sum(came) / np.sum(stated))
        assert scores[name, "over_stated"].low < scores[name, "over_stated"].value
