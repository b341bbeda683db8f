"""Commands check what they write before they work, and never replace what they did not make."""

import argparse
import os
from pathlib import Path

import pandas as pd
import pytest

from builders.backtests import CANDLES, PAIR, TRADES, archive
from builders.browser import PROGRAM
from liqfeature.cli import main as command_line
from liqfeature.cli.main import main

SPANS = ("--timerange", "20260101-20260131")
WRITERS = {
    "chart --out .html": ["chart", "--datadir", "no", "--pair", PAIR],
    "chart --png .png": ["chart", "--datadir", "no", "--pair", PAIR, "--out", "{new}.html"],
    "chart --data .parquet": ["chart", "--datadir", "no", "--pair", PAIR, "--out", "{new}.html"],
    "chart --data .json": ["chart", "--datadir", "no", "--pair", PAIR, "--out", "{new}.html"],
    "report --out .html": ["report", "--results", "no", "--datadir", "no"],
    "trades --out .html": ["trades", "--results", "no", "--datadir", "no"],
    "trades --picture .webp": ["trades", "--results", "no", "--datadir", "no", "--out", "{new}.html"],
    "features --out .feather": ["features", "--datadir", "no", "--pair", PAIR],
    "validate --out .json": ["validate", "--sandbox", "liquid"],
    "validate --out .md": ["validate", "--sandbox", "liquid"],
    "calibrate --out .json": ["calibrate", "--sandbox", "liquid"],
    "record --export .parquet": ["record", "--out", "no"],
}
"""What a command may write, and its other options; none of them gets as far as reading its input."""


def complaint(name, path, capsys):
    """Run a command that is to write a file; return what it says, in a line."""
    *_, option, suffix = name.split()
    there = next(folder for folder in path.parents if folder.is_dir())
    others = [word.replace("{new}", str(there / "new")) for word in WRITERS[name]]
    assert main([*others, option, str(path.with_suffix(suffix) if path.suffix == ".x" else path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"liqfeature: {option} must be " in line
    return line


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_of_somebody_else_is_refused_and_kept(name, tmp_path, capsys):
    foreign = tmp_path / f"mine{name.split()[-1]}"
    foreign.write_text('{"exchange": {"name": "binance", "key": "mine"}}')
    assert "new, or a file that this command made" in complaint(name, foreign, capsys)
    assert "mine" in foreign.read_text()


@pytest.mark.parametrize("name", WRITERS)
def test_a_directory_in_the_place_of_the_file_is_refused(name, tmp_path, capsys):
    folder = tmp_path / f"folder{name.split()[-1]}"
    folder.mkdir()
    assert "a file that can be written to" in complaint(name, folder, capsys)


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_of_another_kind_is_refused(name, tmp_path, capsys):
    rule, _, _ = complaint(name, tmp_path / "file.csv", capsys).partition(", received")
    assert name.split()[-1] in rule.partition("a file that ends in ")[2].split(" or ")


@pytest.mark.parametrize("name", WRITERS)
def test_a_folder_that_is_not_there_is_refused(name, tmp_path, capsys):
    assert "in a folder that exists, received" in complaint(name, tmp_path / "none" / "file.x", capsys)


@pytest.mark.parametrize("name", WRITERS)
def test_a_folder_that_is_a_file_is_refused(name, tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    assert "in a folder that exists, received" in complaint(name, tmp_path / "file" / "out.x", capsys)


def test_what_cannot_be_written_is_refused(tmp_path, capsys, monkeypatch):
    """Root may write everywhere, so that permissions alone would show nothing."""
    refused = []
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK or path not in refused)
    out = tmp_path / "out.json"
    out.touch()
    refused.append(out)
    assert "a file that can be written to" in complaint("calibrate --out .json", out, capsys)
    refused.append(tmp_path)
    assert "in a folder that can be written to" in complaint("calibrate --out .json", out, capsys)


def subcommands(parser, path=()):
    nested = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    if not nested:
        yield " ".join(path), parser
    for action in nested:
        for name, below in action.choices.items():
            yield from subcommands(below, (*path, name))


def test_every_option_that_names_an_output_is_checked():
    """Except the database of recordings and the sandbox's overlay, whose writers look before they work."""
    outputs = {"--out", "--png", "--data", "--picture", "--config-out", "--export"}
    checked, written = set(), set()
    for name, parser in subcommands(command_line._parser()):
        checked |= {f"{name} {option}" for option, _ in (parser.get_default("outputs") or {}).values()}
        for action in parser._actions:
            if outputs & {*action.option_strings}:
                written.add(f"{name} {action.option_strings[0]}")
    databases = {f"{name} --out" for name in ("record", "collect", "import")}
    assert written - checked == {*databases, "sandbox serve --config-out", "sandbox run --config-out"}
    assert checked <= written
    tried = {name.rpartition(" ")[0] for name in WRITERS}
    assert checked - tried == {"walkforward --out"}


def test_what_a_command_made_it_may_make_again(datadir, tmp_path, capsys):
    data = ["--datadir", str(datadir), "--pair", PAIR]
    results = ["--results", str(archive(tmp_path, TRADES)), "--datadir", str(datadir)]
    scored = ["validate", *data[:2]]
    out = lambda name: str(tmp_path / name)  # noqa: E731 - a word of every line below
    for command in (
        ["chart", *data, "--days", "0.2", "--out", out("map.html"), "--data", out("map.parquet")],
        ["chart", *data, "--days", "0.2", "--out", out("map.html"), "--data", out("map.feather")],
        ["chart", *data, "--days", "0.2", "--out", out("map.html"), "--data", out("map.json")],
        ["features", *data, "--out", out("columns.feather")],
        ["features", *data, "--out", out("columns.parquet")],
        ["report", *results, "--out", out("report.html")],
        [*scored, "--out", out("scores.json")],
        [*scored, "--out", out("scores.md")],
    ):
        assert main(command) == 0
        made = Path(command[-1]).read_bytes()
        assert main(command) == 0, capsys.readouterr().err
        assert Path(command[-1]).read_bytes() == made


@pytest.mark.parametrize("suffix", [".feather", ".parquet"])
def test_candles_are_not_replaced_by_columns_nor_recordings_by_a_map(suffix, datadir, tmp_path, capsys):
    candles = datadir / "futures" / f"BTC_USDT_USDT-5m-futures{suffix}"
    write = pd.DataFrame.to_feather if suffix == ".feather" else pd.DataFrame.to_parquet
    write(CANDLES, candles)
    assert "that this command made" in complaint("features --out .feather", candles, capsys)
    orders = tmp_path / f"orders{suffix}"
    write(pd.DataFrame({"date": CANDLES["date"], "side": "long", "notional": 1.0}), orders)
    assert "that this command made" in complaint("chart --data .parquet", orders, capsys)


@pytest.mark.skipif(PROGRAM is None, reason="no Chromium or Chrome on PATH to take pictures with")
@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_a_picture_may_be_taken_again_and_a_photograph_is_kept(suffix, tmp_path, datadir, capsys):
    picture = tmp_path / f"map{suffix}"
    command = ["chart", "--datadir", str(datadir), "--pair", PAIR, "--days", "0.2"]
    command += ["--out", str(tmp_path / "map.html"), "--png", str(picture)]
    for _ in range(2):
        assert main(command) == 0, capsys.readouterr().err
    content = picture.read_bytes()
    if suffix == ".webp":
        assert int.from_bytes(content[4:8], "little") == len(content) - 8
        assert len(content) % 2 == 0
    picture.write_bytes(content.replace(b"Software\0liqfeature", b"Software\0a_cameras"))
    capsys.readouterr()
    assert "that this command made" in complaint("chart --png .png", picture, capsys)


def test_a_page_is_written_where_there_is_no_browser_and_said_to_be(datadir, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PATH", "")
    page = tmp_path / "map.html"
    command = ["chart", "--datadir", str(datadir), "--pair", PAIR, "--days", "0.2", "--out", str(page)]
    assert main([*command, "--png", str(tmp_path / "map.png")]) == 2
    assert f"{page} is written: open it in a browser" in capsys.readouterr().err
    assert page.exists()


def test_a_walk_forward_writes_into_a_folder_of_its_own(tmp_path, capsys):
    (tmp_path / "thesis.tex").write_text("mine")
    command = ["walkforward", *SPANS, "--out", str(tmp_path)]
    assert main(command) == 2
    assert "--out must be new, empty, or of a walk-forward, received" in capsys.readouterr().err
    (tmp_path / "report.md").write_text("# My report\n")
    assert main(command) == 2
    (tmp_path / "report.md").write_text("# LiquidationClusters beside controls\n\nNot finished.\n")
    command_line.check_outputs(command_line._parser().parse_args(command))
    assert main([*command[:-1], str(tmp_path / "thesis.tex" / "walk")]) == 2
    assert "in a folder that exists" in capsys.readouterr().err
