"""A data directory as Freqtrade writes it, for every command that reads one."""

import numpy as np
import pandas as pd
import pytest

from builders.backtests import CANDLES, write_market
from liqfeature.data.store import write_frame


@pytest.fixture
def datadir(tmp_path):
    """Candles and open interest of Binance, somewhat longer than the warm-up."""
    return write_market(tmp_path)


@pytest.fixture
def totals(tmp_path):
    """Recorded liquidations of every hour of the candles."""
    date = CANDLES["date"].dt.floor("1h").drop_duplicates().reset_index(drop=True)
    long, short = np.random.default_rng(0).lognormal(12, 1, (2, len(date)))
    path = tmp_path / "totals.feather"
    write_frame(pd.DataFrame({"date": date, "long": long, "short": short}), path)
    return path
