"""The estimate against recorded liquidations. Needs recordings, which are not part of the repository.

Run with `python -m pytest tests/scoring/test_recorded.py --datadir DIR -s`. DIR holds a Freqtrade data
directory `binance/` with BTC/USDT:USDT, and `BTC_1h_liquidations.parquet` with the columns date, liq_long,
liq_short.
"""

import sys

import pandas as pd
import pytest
from scipy.stats import spearmanr

from liqfeature import HeatmapConfig, liquidation_features
from liqfeature.data.store import load_beside, load_candles

PAIR = "BTC/USDT:USDT"


@pytest.fixture(scope="module")
def hours(request: pytest.FixtureRequest) -> pd.DataFrame:
    """Recorded and estimated liquidations of each hour, and its path; second half of the recording."""
    folder = request.config.getoption("--datadir")
    if folder is None:
        pytest.skip("needs recorded liquidations, which the repository does not hold: pass --datadir DIR")
    recorded = pd.read_parquet(folder / "BTC_1h_liquidations.parquet").set_index("date")
    candles = load_candles(folder / "binance", PAIR, "5m")
    features = liquidation_features(
        candles,
        HeatmapConfig.for_pair(PAIR),
        open_interest=load_beside(folder / "binance", PAIR, "5m", "open_interest"),
        funding_rate=load_beside(folder / "binance", PAIR, "5m", "funding_rate"),
    )
    estimated = features[["liq_swept_long", "liq_swept_short"]].assign(
        path_long=(1 - candles["low"] / candles["close"].shift()).clip(lower=0) * candles["volume"],
        path_short=(candles["high"] / candles["close"].shift() - 1).clip(lower=0) * candles["volume"],
    )
    hourly = estimated.set_index(candles["date"]).resample("1h").sum(min_count=12)
    return recorded.join(hourly).iloc[len(recorded) // 2 :].dropna()


@pytest.mark.parametrize(("side", "least"), [("long", 0.905), ("short", 0.845)])
def test_swept_notional_ranks_hours_as_recorded_liquidations_do(hours, side, least):
    """The path alone is what one gets without any map: how far and with how much volume price moved."""
    map_alone, path_alone = (
        spearmanr(hours[f"{what}_{side}"], hours[f"liq_{side}"]).statistic for what in ("liq_swept", "path")
    )
    sys.stdout.write(f"\n{side}: Spearman {map_alone:.3f}, path alone {path_alone:.3f}, {len(hours)} hours\n")
    assert map_alone >= least
    assert map_alone > path_alone
