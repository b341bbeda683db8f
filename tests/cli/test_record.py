"""The options of `liqfeature record`, and what it shows."""

import io
import json
from types import SimpleNamespace

import pandas as pd
import pytest
from rich.console import Console

from builders.venues import okx_orders
from liqfeature.cli.main import main
from liqfeature.cli.record import _wanted
from liqfeature.data.prints import Print
from liqfeature.data.recordings import load_recording
from liqfeature.recorder.normalise import Contract, received
from liqfeature.recorder.options import EXCHANGES
from liqfeature.recorder.session import Session
from liqfeature.recorder.show import counts_line, counts_table

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
START = 1_767_225_600_000
LINEAR = "pairs must be linear futures such as BTC/USDT:USDT, received "


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ([], "exchange must be one of binance, bybit, okx, hyperliquid, received none"),
        (
            ["--exchange", "okx"],
            "pairs must be at least one (--pairs or the whitelist of --config), received none",
        ),
        (["--exchange", "okx", "--pairs", BTC, "BTCUSDT"], f"{LINEAR}'BTCUSDT'"),
        (["--exchange", "okx", "--pairs", "BTC/USDT"], f"{LINEAR}'BTC/USDT'"),
        (["--exchange", "okx", "--pairs", "BTC/USD:BTC"], f"{LINEAR}'BTC/USD:BTC'"),
        (["--exchange", "okx", "--pairs", ".*/USDT:USDT"], f"{LINEAR}'.*/USDT:USDT'"),
        (["--exchange", "okx", "--pairs", BTC, "--most", "0"], "most must be at least 1, received 0"),
        (["--exchange", "okx", "--pairs", BTC, "--save", "0"], "save must be above 0 seconds, received 0.0"),
    ],
)
def test_bad_use_is_told_in_one_line(tmp_path, options, complaint, capsys):
    out = tmp_path / "out.sqlite"
    assert main(["record", "--out", str(out), *options]) == 2
    assert capsys.readouterr().err == f"liqfeature: {complaint}\n"
    assert not out.exists()


def test_what_an_earlier_version_recorded_is_added_and_exported(tmp_path, capsys):
    directory, out, table = tmp_path / "old", tmp_path / "out.sqlite", tmp_path / "mine.parquet"
    (directory / "journal").mkdir(parents=True)
    order = Print(START, "okx", BTC, "long", None, 99.0, 2.0, 198.0)
    (directory / "journal" / "00000001.jsonl").write_text(json.dumps(order._asdict()) + "\n?\n")
    assert main(["record", "--migrate", str(directory), "--out", str(out)]) == 0
    assert main(["record", "--export", str(table), "--out", str(out)]) == 0
    assert capsys.readouterr().out == (
        f"1 liquidations added to {out}; 1 damaged lines passed over\n1 rows written to {table}\n"
    )
    assert len(load_recording(out, BTC, "okx")) == len(pd.read_parquet(table)) == 1


def test_exchange_pairs_and_options_come_from_freqtrade_s_configuration(tmp_path):
    config = tmp_path / "config.json"
    venue = {"name": "bybit", "pair_whitelist": [BTC, ETH], "ccxt_config": {"aiohttp_proxy": "http://x"}}
    config.write_text(json.dumps({"exchange": venue}))
    arguments = SimpleNamespace(config=[config], exchange=None, pairs=None)
    assert _wanted(arguments, None, EXCHANGES) == ({"bybit": {"aiohttp_proxy": "http://x"}}, [BTC, ETH])
    both = SimpleNamespace(config=[config], exchange=["okx", "bybit"], pairs=[ETH])
    assert _wanted(both, both.exchange, EXCHANGES) == (
        {"okx": {}, "bybit": {"aiohttp_proxy": "http://x"}},
        [ETH],
    )


def test_counts_are_shown(tmp_path):
    session = Session(tmp_path)
    session.inbox.take(
        "okx", received("okx", okx_orders(START, START + 1), {"BTC-USDT-SWAP": Contract(BTC, 0.01)})
    )
    session.inbox.take("okx", received("okx", {"data": 5}, {}))
    line = "okx: 0 liquidations (0 long, 0 short; 0 repeated, 1 malformed, 0 lost); 2 not on disk"
    assert counts_line(session) == line
    batch = session.inbox.hand_out()
    session.inbox.written(batch, batch[:1])
    line = "okx: 1 liquidations (5 long, 0 short; 1 repeated, 1 malformed, 0 lost); 0 not on disk"
    assert counts_line(session) == line
    console = Console(width=150, file=io.StringIO())
    console.print(counts_table(session))
    shown = console.file.getvalue()
    assert "okx" in shown
    assert "01-01 00:00:00" in shown
    assert "0 rows not on disk yet" in shown


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--raw", "x"], "accounts and raw must be given with --positions, received x"),
        (["--positions"], "exchange must be hyperliquid for --positions, received binance"),
    ],
)
def test_positions_are_hyperliquid_s(arguments, reason, tmp_path, capsys):
    given = ["--exchange", "binance", "--pairs", "BTC/USDT:USDT", "--out", str(tmp_path / "r.sqlite")]
    assert main(["record", *given, *arguments]) == 2
    assert reason in capsys.readouterr().err


def test_accounts_to_begin_with_are_addresses(tmp_path, capsys):
    seeds = tmp_path / "seeds.txt"
    seeds.write_text("0x12\n")
    given = ["--exchange", "hyperliquid", "--pairs", "BTC/USDC:USDC", "--out", str(tmp_path / "r.sqlite")]
    assert main(["record", *given, "--positions", "--accounts", str(seeds)]) == 2
    assert (
        "accounts must be addresses such as 0x0123..., one a line, received '0x12'" in capsys.readouterr().err
    )
