"""`liqfeature chart`: the heatmap of a pair as a page, a picture, or a table."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from liqfeature.chart.options import SHOWN
from liqfeature.cli.market import add_beside, add_market, add_page, beside_of, load_market
from liqfeature.cli.options import Commands, add_command, add_time_range, working
from liqfeature.cli.output import MAP, PICTURE, add_output

if TYPE_CHECKING:
    from liqfeature.chart.scene import Scene
    from liqfeature.data.pair import PairData

_EXAMPLE = """\
example:
  liqfeature chart --datadir user_data/data/binance --pair BTC/USDT:USDT --days 7 --out map.html
  liqfeature chart --datadir user_data/data/binance --pair BTC/USDT:USDT --timerange 20260125-20260206 \\
    --side long --leverage 20 125 --theme light --out map.html --png map.png --data map.parquet

The page holds everything it needs and works offline. Buttons switch sides and ranges, with prices that
fit; the slider and a drag change the range; a double click shows everything again.
"""

_PICTURE_WIDTH, _HEADING = 1400, 72
"""Pixels of a picture, and of a page's heading at that width."""


def add_to(commands: Commands) -> None:
    """Add `chart` to a command line."""
    summary = "draw estimated liquidations by time and price as a page that works offline"
    chart = add_command(commands, "chart", _chart, summary, _EXAMPLE)
    add_market(chart)
    add_beside(chart)
    span = chart.add_mutually_exclusive_group()
    span.add_argument("--days", type=_days, default=7.0, help="the last N days (default: %(default)g)")
    add_time_range(span)
    add = chart.add_argument
    add(
        "--side", choices=list(SHOWN), default=next(iter(SHOWN)), help="shown at first (default: %(default)s)"
    )
    leverage, low_high = "only positions of this leverage, such as 20 125", ("LOW", "HIGH")
    add("--leverage", nargs=2, type=float, metavar=low_high, help=leverage)
    add("--liquidations", type=Path, metavar="FILE", help="recorded totals or orders, a table")
    add_page(chart)
    add_output(chart, "--png", PICTURE, "picture to write too; needs Chromium or Chrome")
    add_output(chart, "--data", MAP, "the map itself: FILE.parquet, .feather or .json")


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = 0.0
    if not 0 < days < 100_000:
        message = f"must be a number above 0, received {text!r}"
        raise argparse.ArgumentTypeError(message)
    return days


def _chart(args: argparse.Namespace) -> int:
    import pandas as pd

    from liqfeature.chart.picture import take_picture
    from liqfeature.chart.scene import scene_of
    from liqfeature.data.store import read_frame
    from liqfeature.heatmap.export import write_history

    market = load_market(args)
    last_days = {"first": market.candles["date"].iloc[-1] - pd.Timedelta(days=args.days)}
    scene = scene_of(
        market.candles,
        market.config,
        {**market.inputs, "liquidations": read_frame(args.liquidations) if args.liquidations else None},
        beside=beside_of(args, market),
        leverage=tuple(args.leverage) if args.leverage else None,
        **(args.timerange.timestamps() if args.timerange else last_days),
    )
    with working("drawing the map: a few seconds"):
        height = _write_page(scene, market, args)
    if args.data:
        write_history(scene.history, market.candles, args.data)
    if args.png:
        take_picture(args.out, args.png, width=_PICTURE_WIDTH, height=height + _HEADING)
    print(*(path for path in (args.out, args.png, args.data) if path), sep="\n")
    return 0


def _write_page(scene: "Scene", market: "PairData", args: argparse.Namespace) -> int:
    """Write the page; return the height of its figure on a wide screen."""
    from liqfeature.chart.figure import note
    from liqfeature.chart.map_part import map_part
    from liqfeature.chart.page import write_page

    unit = market.pair.partition("/")[2].partition(":")[0] or "quote"
    first, last = (f"{day:%d %b %Y %H:%M}" for day in (scene.history.date[0], scene.history.last[-1]))
    leverage = ", leverage {:g} to {:g}".format(*args.leverage) if args.leverage else ""
    title = f"{market.title}: estimated liquidations{leverage}, {first} to {last} UTC"
    part = map_part(scene, unit=unit, theme=args.theme, side=args.side)
    write_page([part], args.out, title=title, note=note(scene, unit), theme=args.theme)
    assert part.wide is not None
    return int(part.wide.layout.height)
