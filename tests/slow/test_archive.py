"""Open interest from the archive in the hands of Freqtrade: its files, its commands, its backtest."""

import re
import shutil

import pandas as pd
import pytest

from builders.backtests import mark_simulated
from liqfeature import HeatmapConfig, liquidation_features
from liqfeature.cli.main import main
from slow.conftest import trades_in
from slow.span import DAYS, EVERYTHING, PAIRS, START, TRADED

pytest.importorskip("aiohttp")

STEMS = [pair.replace("/", "_").replace(":", "_") for pair in PAIRS]


def interest(datadir, stem, timeframe="5m"):
    return pd.read_feather(datadir / "futures" / f"{stem}-{timeframe}-open_interest.feather")


@pytest.fixture(scope="module")
def archived(bot, downloaded, tmp_path_factory):
    """A data directory whose open interest comes from the archive."""
    datadir = tmp_path_factory.mktemp("archived") / "binance"
    shutil.copytree(bot.datadir, datadir)
    for path in (datadir / "futures").glob("*open_interest*"):
        path.unlink()
    mark_simulated(datadir)
    url = re.search(r"http://127\.0\.0\.1:\d+", bot.overlay.read_text())[0]
    command = [
        "download",
        "--url",
        url,
        "--datadir",
        str(datadir),
        "--timerange",
        EVERYTHING.partition("=")[2],
    ]
    datasets = ["--datasets", "metrics", "bookDepth", "--timeframes", "5m", "1h"]
    assert main([*command, *datasets, "--pairs", *PAIRS]) == 0
    return datadir


@pytest.mark.parametrize("stem", STEMS)
def test_its_rows_are_those_that_freqtrade_downloads(downloaded, archived, stem):
    mine, theirs = (interest(folder, stem) for folder in (archived, downloaded.parent))
    assert list(mine.columns) == list(theirs.columns)
    assert mine["date"].dt.unit == "ms"
    both = mine.merge(theirs, on="date", suffixes=("", "_rest"))
    assert len(both) >= (DAYS - 1) * 288 - 1
    for name in ("open_interest_amount", "open_interest_value"):
        assert (both[name] == both[f"{name}_rest"]).all()
        assert mine[name].dtype == theirs[name].dtype


def test_freqtrade_lists_it_and_goes_on_from_its_end(bot, archived):
    """What is no candle type of Freqtrade's must not lie among its files."""
    listed = bot("list-data", "--trading-mode=futures", "--show-timerange", datadir=archived)
    assert len(re.findall(r"open_interest", listed)) >= 2 * len(PAIRS)
    before = interest(archived, STEMS[0])
    arguments = ("-t", "5m", "--candle-types", "open_interest")
    bot("download-data", EVERYTHING, *arguments, datadir=archived)
    after = interest(archived, STEMS[0])
    end = pd.Timestamp(START, tz="UTC") + pd.Timedelta(days=DAYS)
    assert before["date"].iloc[-1] < after["date"].iloc[-1]
    assert end - after["date"].iloc[-1] <= pd.Timedelta("10min")
    pd.testing.assert_frame_equal(after.iloc[: len(before)], before, check_dtype=False)


def test_a_backtest_runs_on_it_with_full_quality(bot, archived, clusters, tmp_path):
    bot(
        "backtesting", TRADED, *clusters, "--cache=none", f"--backtest-directory={tmp_path}", datadir=archived
    )
    assert len(trades_in(tmp_path, "LiquidationClusters")) > 0
    candles = pd.read_feather(archived / "futures" / f"{STEMS[0]}-5m-futures.feather")
    config = HeatmapConfig.for_pair(PAIRS[0], "binance")
    columns = liquidation_features(candles, config, open_interest=interest(archived, STEMS[0]))
    assert (columns["liq_quality"].iloc[config.warmup : -1] == 1.0).all()
