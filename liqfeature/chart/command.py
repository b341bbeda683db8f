"""`liqfeature chart`: the heatmap of a pair as a page, a picture, or a table."""

import argparse
import re
import sys
from pathlib import Path
from typing import Any

import pandas as pd

from liqfeature.chart.buttons import CHOICES
from liqfeature.chart.colours import THEMES
from liqfeature.chart.figure import draw, note
from liqfeature.chart.layout import SLIM, WIDE
from liqfeature.chart.page import Part, write_page
from liqfeature.chart.picture import take_picture
from liqfeature.chart.scene import Scene, scene_of
from liqfeature.data.store import read_frame
from liqfeature.export import write_history
from liqfeature.source import Source, add_source, load_source

_EXAMPLE = """\
example:
  liqfeature chart --datadir user_data/data/binance --pair BTC/USDT:USDT --days 7 --out map.html
  liqfeature chart --datadir user_data/data/binance --pair BTC/USDT:USDT --timerange 20260125-20260206 \\
    --side long --leverage 20 125 --theme light --out map.html --png map.png --data map.parquet

The page holds everything it needs and works offline. Buttons switch sides; the slider and the buttons for
days change the range; a double click shows everything again.
"""

_PICTURE_WIDTH, _HEADING = 1400, 72
"""Pixels of a picture, and of a page's heading at that width."""


def add_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add `chart` to a command line."""
    chart = commands.add_parser(
        "chart",
        help="draw the heatmap from a Freqtrade data directory as a page that works offline",
        description="Draw estimated liquidations by time and price, with candles and columns.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_source(chart)
    span = chart.add_mutually_exclusive_group()
    span.add_argument("--days", type=_days, default=7.0, help="the last so many (default: %(default)g)")
    span.add_argument("--timerange", type=_timerange, help="such as 20260125-20260206, as for freqtrade")
    add = chart.add_argument
    add("--side", choices=list(CHOICES), default="both", help="shown at first (default: %(default)s)")
    low_high = {"nargs": 2, "type": float, "metavar": ("LOW", "HIGH")}
    add("--leverage", help="only positions of this leverage, such as 20 125", **low_high)
    add("--theme", choices=list(THEMES), default="dark", help="default: %(default)s")
    add("--liquidations", type=Path, metavar="FILE", help="recorded ones: date, side, notional; as a table")
    add("--out", type=Path, required=True, metavar="FILE", help="page to write, FILE.html")
    add("--png", type=Path, metavar="FILE", help="picture to write too; needs Chromium or Chrome")
    add("--data", type=Path, metavar="FILE", help="the map itself: FILE.parquet, .feather or .json")
    chart.set_defaults(run=_chart)


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = 0.0
    if not 0 < days < 100_000:
        message = f"must be a number above 0, received {text!r}"
        raise argparse.ArgumentTypeError(message)
    return days


def _timerange(text: str) -> tuple[pd.Timestamp | None, pd.Timestamp | None]:
    match = re.fullmatch(r"(\d{8})?-(\d{8})?", text)
    if match is None or not any(match.groups()):
        message = f"must be such as 20260125-20260206, 20260125- or -20260206, received {text!r}"
        raise argparse.ArgumentTypeError(message)
    try:
        first, stop = (pd.Timestamp(day, tz="UTC") if day else None for day in match.groups())
    except ValueError:
        message = f"must name days of the calendar, received {text!r}"
        raise argparse.ArgumentTypeError(message) from None
    return first, stop - pd.Timedelta(milliseconds=1) if stop is not None else None


def _chart(args: argparse.Namespace) -> int:
    source = load_source(args)
    first, last = args.timerange or (source.candles["date"].iloc[-1] - pd.Timedelta(days=args.days), None)
    scene = scene_of(
        source.candles,
        source.config,
        **source.inputs,
        liquidations=read_frame(args.liquidations) if args.liquidations else None,
        first=first,
        last=last,
        leverage=tuple(args.leverage) if args.leverage else None,
    )
    height = _write_page(scene, source, args)
    if args.data:
        write_history(scene.history, source.candles, args.data)
    if args.png:
        take_picture(args.out, args.png, width=_PICTURE_WIDTH, height=height + _HEADING)
    written = [str(path) for path in (args.out, args.png, args.data) if path]
    sys.stdout.write("".join(f"{path}\n" for path in written))
    return 0


def _write_page(scene: Scene, source: Source, args: argparse.Namespace) -> int:
    """Write the page; return the height of its figure on a wide screen."""
    unit = args.pair.partition("/")[2].partition(":")[0] or "quote"
    look = {"title": "", "unit": unit, "side": args.side, "theme": args.theme}
    wide, slim = (draw(scene, **look, form=form) for form in (WIDE, SLIM))
    title = _title(scene, source, args)
    part = Part(facts={}, wide=wide, slim=slim)
    write_page([part], args.out, title=title, note=note(scene, unit), theme=args.theme)
    return int(wide.layout.height)


def _title(scene: Scene, source: Source, args: argparse.Namespace) -> str:
    first, last = scene.history.date[0], scene.history.last[-1]
    leverage = ", leverage {:g} to {:g}".format(*args.leverage) if args.leverage else ""
    where = "SANDBOX, invented prices" if source.invented else source.exchange
    return (
        f"{args.pair} {args.timeframe}, {where}: estimated liquidations{leverage}, "
        f"{first:%d %b %Y %H:%M} to {last:%d %b %Y %H:%M} UTC"
    )
