"""What a data directory holds of a pair is what is used of it."""

import logging

import pandas as pd
import pytest

from builders.backtests import CANDLES, KNOWN, PAIR, write_market
from builders.frames import random_positioning
from liqfeature import COLUMNS, ConfigError
from liqfeature.cli.main import main
from liqfeature.data.pair import PairData
from liqfeature.data.store import file_apart


@pytest.fixture
def datadir(tmp_path):
    return write_market(tmp_path)


def marked(datadir, timeframe):
    """Write mark candles beside the candles, as `freqtrade download-data --candle-types mark` would."""
    rows = CANDLES.iloc[:: pd.Timedelta(timeframe) // pd.Timedelta("5min")].reset_index(drop=True)
    name = timeframe.replace("min", "m")
    rows.to_feather(datadir / "futures" / f"BTC_USDT_USDT-{name}-mark.feather")
    return rows


def test_everything_that_is_there_is_read(datadir):
    market = PairData.load(datadir, PAIR, "5m")
    pd.testing.assert_frame_equal(market.candles, CANDLES)
    pd.testing.assert_frame_equal(market.inputs["open_interest"], KNOWN)
    assert (market.inputs["funding_rate"], market.inputs["mark"]) == (None, None)
    assert market.title == f"{PAIR} 5m, binance"


def test_positioning_that_was_downloaded_is_read_and_every_command_takes_it(datadir, tmp_path, capsys):
    stamps = CANDLES["date"].dt.as_unit("ms").astype("int64").to_numpy()
    rows, path = random_positioning(stamps, 1), file_apart(datadir, PAIR, "positioning", "5m")
    path.parent.mkdir()
    rows.to_feather(path)
    pd.testing.assert_frame_equal(PairData.load(datadir, PAIR, "5m").inputs["positioning"], rows)
    market, out = ["--datadir", str(datadir), "--pair", PAIR], tmp_path / "out"
    assert main(["show", *market]) == 0
    assert main(["features", *market, "--out", f"{out}.feather"]) == 0
    assert main(["chart", *market, "--out", f"{out}.html"]) == 0
    assert main(["validate", *market, "--out", f"{out}.json"]) == 0
    assert pd.read_feather(f"{out}.feather")["liq_positioning_taker"].notna().sum() > 100
    assert f"{len(COLUMNS) + 4} columns" in capsys.readouterr().out


def test_mark_candles_of_the_candles_own_timeframe_are_used(datadir, caplog):
    marked(datadir, "1h")
    rows = marked(datadir, "5min")
    pd.testing.assert_frame_equal(PairData.load(datadir, PAIR, "5m").inputs["mark"], rows)
    assert caplog.records == []


def test_coarser_mark_candles_are_left_out_which_is_said_once(datadir, caplog):
    """Freqtrade downloads those of an hour, for funding, which are not closed when most candles are."""
    marked(datadir, "1h")
    with caplog.at_level(logging.WARNING):
        markets = [PairData.load(datadir, PAIR, "5m") for _ in range(2)]
    assert [market.inputs["mark"] for market in markets] == [None, None]
    (said,) = [record.getMessage() for record in caplog.records]
    assert said == f"mark candles in {datadir} are not used: they are of 1h, not of 5m"


@pytest.mark.parametrize("config", [None, "heatmap.json"])
def test_inverse_contracts_are_refused_with_a_configuration_of_ones_own_too(datadir, tmp_path, config):
    futures = datadir / "futures"
    (futures / "BTC_USDT_USDT-5m-futures.feather").rename(futures / "BTC_USD_BTC-5m-futures.feather")
    if config:
        (tmp_path / config).write_text("{}")
    with pytest.raises(ConfigError, match=r"inverse contracts are not supported, received 'BTC/USD:BTC'$"):
        PairData.load(datadir, "BTC/USD:BTC", "5m", config=config and tmp_path / config)
