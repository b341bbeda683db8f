"""`liqfeature show`: clusters as a table."""

import io

import pandas as pd
import pytest

from builders.backtests import CANDLES, KNOWN, PAIR
from liqfeature import HeatmapConfig, liquidation_features
from liqfeature.chart.words import amount
from liqfeature.cli.main import main
from liqfeature.cli.show import ladder_table
from liqfeature.heatmap.clusters import Ladder, Rung


def rung(near, notional):
    return Rung(
        near=near,
        peak=near,
        far=near,
        distance=abs(near / 100 - 1),
        notional=notional,
        share=0.02,
        density=0.1,
        age=7,
        hit=0.5,
    )


def printed(ladder):
    from rich.console import Console

    console = Console(file=io.StringIO(), width=120, no_color=True)
    console.print(ladder_table(ladder, "Title"))
    return console.file.getvalue().splitlines()


def test_the_table_runs_from_the_highest_price_down_with_bars_in_proportion():
    date = pd.Timestamp("2026-01-01", tz="UTC")
    lines = printed(
        Ladder(date=date, close=100.0, above=(rung(101, 1e6), rung(105, 4e6)), below=(rung(98, 2e6),))
    )
    order = [next(i for i, line in enumerate(lines) if f" {price} " in line) for price in (105, 101, 100, 98)]
    assert order == sorted(order)
    bars = [lines[i].count("█") for i in order]
    assert bars == [20, 5, 0, 10]
    assert "4M" in lines[order[0]]
    assert "-2.00%" in lines[order[3]]


@pytest.mark.parametrize(
    ("notional", "text"), [(1.234e9, "1.23B"), (5e6, "5M"), (1500, "1.5k"), (12.3, "12.3")]
)
def test_amounts_have_three_digits(notional, text):
    assert amount(notional) == text


def test_show_prints_the_nearest_cluster_of_the_columns(datadir, capsys):
    assert main(["show", "--datadir", str(datadir), "--pair", PAIR]) == 0
    printed = capsys.readouterr().out
    row = liquidation_features(CANDLES, HeatmapConfig.for_pair(PAIR), open_interest=KNOWN).iloc[-1]
    assert f"{CANDLES['close'].iloc[-1]:,.6g}" in printed
    shown = [row[f"liq_{edge}_{where}"] for edge in ("near", "far") for where in ("above", "below")]
    assert all(f"{price:,.6g}" in printed for price in shown if price == price)
    assert f"{CANDLES['date'].iloc[-1]:%Y-%m-%d %H:%M} UTC" in printed
