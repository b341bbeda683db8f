"""`liqfeature features`: the columns of a pair, computed into a file."""

import argparse

from liqfeature.cli.market import add_market, load_market
from liqfeature.cli.options import Commands, add_command
from liqfeature.cli.output import TABLE, add_output

_EXAMPLE = """\
example:
  freqtrade download-data --exchange binance --trading-mode futures -p BTC/USDT:USDT --days 29 \\
    -t 5m --candle-types futures open_interest
  liqfeature features --datadir user_data/data/binance --pair BTC/USDT:USDT --timeframe 5m --out btc.feather

Open interest and funding are used where the directory has them; without open interest, amounts are relative
and liq_quality falls to 0.5. The first rows are NaN until warm-up is done.
"""


def add_to(commands: Commands) -> None:
    """Add `features` to a command line."""
    summary = "write a pair's candles with their liquidation columns to a file"
    command = add_command(commands, "features", _features, summary, _EXAMPLE)
    add_market(command)
    add_output(command, "--out", TABLE, "FILE.feather or FILE.parquet", required=True)


def _features(args: argparse.Namespace) -> int:
    import pandas as pd

    from liqfeature.columns.column import SCHEMA, SCHEMA_KEY
    from liqfeature.columns.features import liquidation_features
    from liqfeature.data.store import write_frame

    market = load_market(args)
    candles, config = market.candles, market.config
    features = liquidation_features(candles, config, **market.inputs)
    table = pd.concat([candles, features], axis=1)
    table.attrs[SCHEMA_KEY] = SCHEMA
    write_frame(table, args.out)
    warm = max(len(candles) - config.warmup + 1, 0)
    print(f"{args.out}: {len(candles)} candles, {features.shape[1]} columns, {warm} rows after warm-up")
    return 0
