"""A data directory that belongs to one simulated market, so that invented prices never lie beside others."""

import hashlib
import shutil
from pathlib import Path

from liqfeature.errors import DataError
from liqfeature.sandbox.venue import Venue

MARKER = "SANDBOX"
"""Name of the file that says whose data a directory holds."""

_TEXT = """\
Everything in this directory is invented: it was simulated by liqfeature's sandbox.
market {identity}
"""


def claim(directory: Path, venue: Venue) -> None:
    """Make a directory hold data of this market only.

    Data that another simulated market left there are removed.

    Parameters
    ----------
    directory : Path
        Freqtrade's `--datadir`; made where there is none.
    venue : Venue
        The market, and what is told of it.

    Raises
    ------
    DataError
        If the directory holds anything that no sandbox put there.
    """
    marker = directory / MARKER
    text = _TEXT.format(identity=_identity(venue))
    if marker.is_file():
        if marker.read_text(encoding="utf-8") == text:
            return
        shutil.rmtree(directory)
    elif directory.exists() and any(directory.iterdir()):
        message = (
            f"a sandbox needs a data directory of its own, but {directory} holds data and no {MARKER} file"
        )
        raise DataError(message)
    directory.mkdir(parents=True, exist_ok=True)
    marker.write_text(text, encoding="utf-8")


def _identity(venue: Venue) -> str:
    """Digest of what is told, not of the options: a changed simulator makes another market of them."""
    digest = hashlib.sha256(f"{venue.oi_days}".encode())
    for tape in sorted(venue.tapes, key=lambda tape: tape.pair):
        digest.update(f"{tape.pair} {tape.start}".encode())
        for column in (tape.close, tape.volume, tape.mark_close, tape.open_interest, tape.funding_rate):
            digest.update(column.tobytes())
    return digest.hexdigest()[:16]
