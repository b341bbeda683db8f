"""`liqfeature columns` and `liqfeature features`: what the columns mean, and computing them into a file."""

import argparse
import math
from pathlib import Path
from typing import Any

import pandas as pd

from liqfeature.config import EXCHANGES, HeatmapConfig, load_config
from liqfeature.data.store import load_beside, load_candles, write_frame
from liqfeature.features import COLUMNS, Column, liquidation_features

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
    features.add_argument("--datadir", type=Path, required=True, help="as for freqtrade: .../data/binance")
    features.add_argument("--pair", required=True, help="such as BTC/USDT:USDT")
    features.add_argument("--timeframe", default="5m", help="of the candles (default: %(default)s)")
    features.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="FILE.feather or FILE.parquet"
    )
    parameters = features.add_mutually_exclusive_group()
    parameters.add_argument(
        "--exchange", choices=sorted(EXCHANGES), help="default: the data directory's name, else binance"
    )
    parameters.add_argument(
        "--config", type=Path, metavar="FILE", help="every parameter as JSON, instead of the exchange's"
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
    candles = load_candles(args.datadir, args.pair, args.timeframe)
    config = load_config(args.config) if args.config else HeatmapConfig.for_pair(args.pair, _exchange(args))
    features = liquidation_features(
        candles,
        config,
        open_interest=load_beside(args.datadir, args.pair, args.timeframe, "open_interest"),
        funding_rate=load_beside(args.datadir, args.pair, args.timeframe, "funding_rate"),
    )
    write_frame(pd.concat([candles, features], axis=1), args.out)
    warm = max(len(candles) - config.warmup + 1, 0)
    print(f"{args.out}: {len(candles)} candles, {len(COLUMNS)} columns, {warm} rows after warm-up")
    return 0


def _exchange(args: argparse.Namespace) -> str:
    if args.exchange:
        return str(args.exchange)
    name = args.datadir.resolve().name
    return name if name in EXCHANGES else "binance"
