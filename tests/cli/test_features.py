"""`liqfeature features`: candles with their columns as a file."""

import pandas as pd
import pytest

from builders.backtests import CANDLES, CONFIG, FEATURES, PAIR
from liqfeature import COLUMNS
from liqfeature.cli.main import main
from liqfeature.columns import SCHEMA


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
