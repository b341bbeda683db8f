"""`liqfeature features`: candles with their columns as a file."""

import numpy as np
import pandas as pd
import pytest

from builders.backtests import CANDLES, CONFIG, FEATURES, PAIR
from liqfeature import COLUMNS
from liqfeature.cli.main import main
from liqfeature.columns import SCHEMA
from liqfeature.data.store import write_frame


@pytest.mark.parametrize("suffix", [".feather", ".parquet"])
def test_candles_are_written_with_their_columns(suffix, datadir, tmp_path, capsys):
    out = tmp_path / f"btc{suffix}"
    assert main(["features", "--datadir", str(datadir), "--pair", PAIR, "--out", str(out)]) == 0
    table = pd.read_feather(out) if suffix == ".feather" else pd.read_parquet(out)
    assert table.attrs == {"liq_schema": SCHEMA}
    pd.testing.assert_frame_equal(table, pd.concat([CANDLES, FEATURES], axis=1))
    warm = len(CANDLES) - CONFIG.warmup + 1
    rows = f"{len(CANDLES)} candles, {len(COLUMNS)} columns, {warm} rows after warm-up"
    assert capsys.readouterr().out == f"{out}: {rows}\n"


def test_order_books_are_read_where_they_are_asked_for(datadir, tmp_path, capsys):
    out = tmp_path / "btc.feather"
    asked = ["features", "--datadir", str(datadir), "--pair", PAIR, "--depth", "--out", str(out)]
    assert main(asked) == 2
    assert "--depth needs" in capsys.readouterr().err
    (datadir / "depth").mkdir()
    depth = np.random.default_rng(1).lognormal(10, 1, (2, len(CANDLES)))
    frame = pd.DataFrame({"date": CANDLES["date"], "below_1": depth[0], "above_1": depth[1]})
    write_frame(frame, datadir / "depth" / "BTC_USDT_USDT-5m-depth.feather")
    assert main(asked) == 0
    found = pd.read_feather(out)["liq_amplification_above"].iloc[CONFIG.warmup :]
    assert not found.equals(FEATURES["liq_amplification_above"].iloc[CONFIG.warmup :])
