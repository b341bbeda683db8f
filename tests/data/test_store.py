"""A data directory that lacks something is told from one that lacks something else."""

import pandas as pd
import pytest

from builders.backtests import CANDLES, PAIR, write_market
from liqfeature import DataError
from liqfeature.data.store import downloaded_pairs, load_candles, read_frame, write_frame


@pytest.fixture
def datadir(tmp_path):
    return write_market(tmp_path)


def said(datadir, pair=PAIR, timeframe="5m"):
    with pytest.raises(DataError) as raised:
        load_candles(datadir, pair, timeframe)
    return str(raised.value)


def test_a_missing_directory_is_told_with_what_is_beside_it(datadir):
    missing = datadir.with_name("binanec")
    assert said(missing) == f"no directory {missing}; beside it there is binance"


def test_a_directory_without_candles_is_told_with_what_it_holds(datadir):
    futures = datadir / "futures"
    assert said(futures).endswith(
        "received BTC_USDT_USDT-5m-futures.feather, BTC_USDT_USDT-5m-open_interest.feather"
    )
    assert said(datadir.parent).endswith("received binance")
    (datadir / "futures" / "BTC_USDT_USDT-5m-futures.feather").rename(
        futures / "BTC_USDT_USDT-5m-futures.json"
    )
    assert "freqtrade convert-data" in said(datadir)


def test_a_missing_pair_is_told_with_those_there_are(datadir):
    assert said(datadir, "ETH/USDT:USDT") == (
        f"no futures candles of ETH/USDT:USDT in {datadir}, which has those of BTC/USDT:USDT"
    )


def test_a_missing_timeframe_is_told_with_those_there_are(datadir):
    CANDLES.to_feather(datadir / "futures" / "BTC_USDT_USDT-1h-futures.feather")
    assert (
        said(datadir, timeframe="15m") == f"no 15m candles of {PAIR} in {datadir}, which has those of 1h, 5m"
    )


def test_a_file_without_a_candle_and_a_damaged_one_are_told(datadir):
    path = datadir / "futures" / "BTC_USDT_USDT-5m-futures.feather"
    CANDLES.iloc[:0].to_feather(path)
    assert said(datadir) == f"{path} holds no candle"
    path.write_bytes(b"")
    assert said(datadir).startswith(f"{path} must hold a table as feather")


def test_a_table_that_cannot_be_decoded_is_named(tmp_path):
    """pyarrow raises OSError there, which names no file."""
    path = tmp_path / "table.parquet"
    pd.DataFrame({"a": range(1000)}).to_parquet(path)
    content = bytearray(path.read_bytes())
    content[100:140] = b"\xff" * 40
    path.write_bytes(bytes(content))
    with pytest.raises(DataError, match=r"table\.parquet must hold a table as parquet"):
        read_frame(path)


@pytest.mark.parametrize(
    "pair", ["BTC/USDT:USDT", "1000PEPE/USDT:USDT", "BTC/USDT:USDT-260327", "XYZ-TSLA/USDC:USDC"]
)
def test_pairs_are_read_off_the_files_that_freqtrade_names(pair, tmp_path):
    misc = pytest.importorskip("freqtrade.misc")
    (tmp_path / "futures").mkdir()
    (tmp_path / "futures" / f"{misc.pair_to_filename(pair)}-5m-futures.feather").touch()
    assert downloaded_pairs(tmp_path) == [pair]


def test_a_table_is_written_through_a_link(tmp_path):
    table, link = tmp_path / "table.feather", tmp_path / "link.feather"
    link.symlink_to(table)
    write_frame(pd.DataFrame({"a": [1.0]}), link)
    assert link.is_symlink()
    assert read_frame(table)["a"].tolist() == [1.0]
