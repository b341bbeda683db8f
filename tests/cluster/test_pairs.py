"""Columns of many pairs on workers: the files of a plain loop to the last byte, whoever dies meanwhile."""

import dataclasses
import json
import os
from pathlib import Path

import pandas as pd
import pytest

from builders.workers import Mortal, number, refuse, write_mortally
from cluster.conftest import PAIRS
from liqfeature import HeatmapConfig, liquidation_features
from liqfeature.cli.main import main
from liqfeature.cluster.pairs import PairTask, digest_of, write_pair
from liqfeature.cluster.work import outcomes
from liqfeature.data.pair import PairData
from liqfeature.errors import DataError
from liqfeature.market.venue import Venue


def content(folder):
    """Every file of a folder, hidden ones too."""
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def tasks_of(datadir, out):
    out.mkdir(exist_ok=True)
    return [
        PairTask(
            datadir=datadir,
            pair=f"{coin}/USDT:USDT",
            timeframe="5m",
            exchange=None,
            heatmap=None,
            out=out / f"{coin}.feather",
        )
        for coin in PAIRS
    ]


@pytest.fixture
def plain(datadir, tmp_path):
    """What one process writes, a pair after the other."""
    tasks = tasks_of(datadir, tmp_path / "plain")
    assert [write_pair(task) for task in tasks] == [True] * len(PAIRS)
    return content(tmp_path / "plain")


def test_a_file_holds_the_candles_and_their_columns(plain, datadir, tmp_path):
    market = PairData.load(datadir, "BTC", "5m")
    features = liquidation_features(market.candles, market.config, **market.inputs)
    table = pd.read_feather(tmp_path / "plain" / "BTC.feather")
    pd.testing.assert_frame_equal(table, pd.concat([market.candles, features], axis=1))
    assert set(table.attrs) == {"liq_schema", "liq_digest"}
    assert sorted(plain) == sorted(f"{coin}.feather" for coin in PAIRS)


def test_workers_of_which_one_is_killed_write_the_files_of_a_plain_loop(plain, datadir, tmp_path):
    pytest.importorskip("distributed")
    out = tmp_path / "spread"
    tasks = [Mortal(task, tmp_path / "died") for task in tasks_of(datadir, out)]
    found = dict(outcomes(write_mortally, tasks, 2, "pairs"))
    assert (tmp_path / "died").exists()
    assert all(outcome is True or outcome is False for outcome in found.values())
    assert len(found) == len(tasks)
    assert content(out) == plain
    again = [write_pair(task) for task in tasks_of(datadir, out)]
    assert again == [False] * len(PAIRS)


@pytest.mark.parametrize("change", ["candles", "heatmap", "beside", "damaged", "removed"])
def test_only_what_changed_is_computed_again(change, plain, datadir, tmp_path):
    tasks = tasks_of(datadir, tmp_path / "plain")
    futures = datadir / "futures"
    if change == "candles":
        path = futures / "ETH_USDT_USDT-5m-futures.feather"
        pd.read_feather(path).iloc[:-1].to_feather(path)
    elif change == "heatmap":
        heatmap = tmp_path / "heatmap.json"
        heatmap.write_text(json.dumps(HeatmapConfig().changed({"cascade.forced_share": 0.2}).to_dict()))
        tasks[1] = dataclasses.replace(tasks[1], heatmap=heatmap)
    elif change == "beside":
        (futures / "ETH_USDT_USDT-5m-open_interest.feather").unlink()
    elif change == "damaged":
        tasks[1].out.write_bytes(tasks[1].out.read_bytes()[:1000])
    else:
        tasks[1].out.unlink()
    assert [write_pair(task) for task in tasks] == [False, True, False, False]
    assert [write_pair(task) for task in tasks] == [False] * 4
    same = change in ("damaged", "removed")
    assert (content(tmp_path / "plain") == plain) == same


def test_whatever_a_map_is_made_from_is_in_its_digest(datadir):
    market, other = (PairData.load(datadir, coin, "5m") for coin in ("BTC", "ETH"))
    interest, venue_config = other.inputs["open_interest"], HeatmapConfig.for_exchange("bybit")
    venues = [
        Venue(candles=candles, config=venue_config, open_interest=interest, multiple=multiple)
        for candles, multiple in ((other.candles, 1.0), (other.candles, 2.0), (other.candles[1:], 1.0))
    ]
    changes = [{"open_interest": interest}, {"open_interest": interest.iloc[:-1]}, {"maps": interest}]
    changes += [{"venues": {"bybit": venue}} for venue in venues] + [{"venues": {"okx": venues[0]}}, {}]
    made = [dataclasses.replace(market, inputs={**market.inputs, **change}) for change in changes]
    made.append(dataclasses.replace(market, config=market.config.changed({"cascade.forced_share": 0.2})))
    digests = [digest_of(each) for each in made]
    assert len(set(digests)) == len(digests)
    assert digest_of(PairData.load(datadir, "BTC", "5m")) == digest_of(market)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_task_that_fails_is_told_and_the_others_are_done(workers):
    if workers > 1:
        pytest.importorskip("distributed")
    ((task, error),) = outcomes(refuse, ["A"], workers, "tasks")
    assert task == "A"
    assert isinstance(error, DataError)
    assert str(error) == "task A is refused"


def test_one_worker_is_this_process():
    assert list(outcomes(number, [3, 1], 1, "tasks")) == [(3, (3, os.getpid())), (1, (1, os.getpid()))]


def test_all_pairs_of_a_directory_are_written_and_then_left_as_they_are(datadir, tmp_path, capsys):
    broken = datadir / "futures" / "BAD_USDT_USDT-5m-futures.feather"
    broken.write_bytes(b"no table")
    out = tmp_path / "columns"
    command = ["features", "--datadir", str(datadir), "--pairs", "all", "--out-dir", str(out)]
    assert main(command) == 2
    said = capsys.readouterr()
    assert f"{out}: 4 written, 0 as they were\n" == said.out
    assert "BAD/USDT:USDT: " in said.err
    assert "1 of 5 pairs failed" in said.err
    broken.unlink()
    assert main(command) == 0
    assert f"{out}: 0 written, 4 as they were\n" == capsys.readouterr().out
    assert main([*command[:4], "eth", "BTC", "ETH", *command[5:-1], str(tmp_path / "two")]) == 0
    assert sorted(content(tmp_path / "two")) == [f"{coin}_USDT_USDT-5m.feather" for coin in ("BTC", "ETH")]


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ([], "--out FILE must be given, or --pairs and --out-dir"),
        (["--pairs", "all"], "--pairs and --out-dir must be given together"),
        (["--out-dir", "OUT"], "--pairs and --out-dir must be given together"),
        (["--pairs", "all", "--out-dir", "OUT", "--pair", "BTC"], "without --pair and --out"),
        (["--pairs", "DOGE", "--out-dir", "OUT"], "no futures candles of 'DOGE'"),
        (["--pairs", "all", "--timeframe", "1h", "--out-dir", "OUT"], "must hold 1h candles"),
        (["--pairs", "BTC", "--out-dir", "OUT", "--depth"], "BTC/USDT:USDT: --depth needs"),
        (["--pairs", "BTC", "--out-dir", "OUT", "--source", "x"], "BTC/USDT:USDT: --recordings FILE must be"),
        (["--pairs", "BTC", "--out-dir", "OUT", "--venues", "OUT"], "venues must be a directory called"),
        (["--pairs", "all", "--out-dir", "OUT/none/there"], "OUT/none/there: No such file"),
    ],
)
def test_wrong_options_are_refused(options, rule, datadir, tmp_path, capsys):
    words = [word.replace("OUT", str(tmp_path / "OUT")) for word in options]
    assert main(["features", "--datadir", str(datadir), *words]) == 2
    assert rule.replace("OUT", str(tmp_path / "OUT")) in capsys.readouterr().err


def test_a_file_of_somebody_else_is_kept(datadir, tmp_path, capsys):
    foreign = tmp_path / "ETH_USDT_USDT-5m.feather"
    foreign.write_text("mine")
    assert main(["features", "--datadir", str(datadir), "--pairs", "all", "--out-dir", str(tmp_path)]) == 2
    assert "--out-dir must be new, or a file that this command made" in capsys.readouterr().err
    assert foreign.read_text() == "mine"
