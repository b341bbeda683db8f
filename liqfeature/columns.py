"""`liqfeature columns` and `liqfeature features`: what the columns mean, and computing them into a file."""

import argparse
import math
from pathlib import Path
from typing import Any

import pandas as pd

from liqfeature.data.store import write_frame
from liqfeature.features import COLUMNS, Column, liquidation_features
from liqfeature.source import add_source, load_source

_FEATURES_EXAMPLE = """\
example:
  freqtrade download-data --exchange binance --trading-mode futures -p BTC/USDT:USDT --days 29 \\
    -t 5m --candle-types futures open_interest
  liqfeature features --datadir user_data/data/binance --pair BTC/USDT:USDT --timeframe 5m --out btc.feather

Open interest and funding are used where the directory has them; without open interest, amounts are relative
and liq_quality falls to 0.5. The first rows are NaN until warm-up is done.
"""


def add_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add `columns` and `features` to a command line."""
    columns = commands.add_parser("columns", help="print what each column means")
    columns.set_defaults(run=_columns)
    features = commands.add_parser(
        "features",
        help="compute the columns from a Freqtrade data directory into a file",
        description="Write candles with their liquidation columns to a feather or parquet file.",
        epilog=_FEATURES_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_source(features)
    features.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="FILE.feather or FILE.parquet"
    )
    features.set_defaults(run=_features)


def columns_table() -> str:
    """Every column as a Markdown table, one row for both sides: the README's copy."""
    rows: dict[tuple[str, str], list[str]] = {}
    for name, column in COLUMNS.items():
        rows.setdefault((_unit(column), column.meaning), []).append(f"`{name}`")
    lines = ["| column | unit | at the close of the row's candle |", "|---|---|---|"]
    lines += [f"| {', '.join(names)} | {unit} | {meaning} |" for (unit, meaning), names in rows.items()]
    return "\n".join(lines)


def _unit(column: Column) -> str:
    if column.unit not in ("ratio", "share"):
        return column.unit
    if math.isinf(column.highest):
        return f"{column.unit}, at least {column.lowest:g}"
    return f"{column.unit}, {column.lowest:g} to {column.highest:g}"


def _columns(_: argparse.Namespace) -> int:
    print(columns_table())
    return 0


def _features(args: argparse.Namespace) -> int:
    source = load_source(args)
    candles, config = source.candles, source.config
    features = liquidation_features(candles, config, **source.inputs)
    write_frame(pd.concat([candles, features], axis=1), args.out)
    warm = max(len(candles) - config.warmup + 1, 0)
    print(f"{args.out}: {len(candles)} candles, {len(COLUMNS)} columns, {warm} rows after warm-up")
    return 0
