"""`liqfeature warm`: compile ahead of the first candle."""

import argparse
from pathlib import Path

from liqfeature.cli.options import Commands, add_command

EXAMPLE = """example:
  liqfeature warm && freqtrade trade --config user_data/config.json
"""


def add_to(commands: Commands) -> None:
    """Add `warm` to a command line."""
    summary = "compile the scan ahead, so that no candle of a bot waits for it"
    add_command(commands, "warm", _warm, summary, EXAMPLE)


def _warm(_: argparse.Namespace) -> int:
    from liqfeature.columns.features import warm
    from liqfeature.compiled import cache_directory
    from liqfeature.errors import LiqFeatureError
    from liqfeature.estimate import kernels

    kept = cache_directory(Path(kernels.__file__).parent)
    if kept is None:
        message = "compiled code cannot be kept; set NUMBA_CACHE_DIR to a directory that can be written to"
        raise LiqFeatureError(message)
    warm()
    print(f"compiled code is in {kept}; it serves any data and configuration until the package changes")
    return 0
