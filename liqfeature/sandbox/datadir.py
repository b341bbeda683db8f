"""A data directory that belongs to one simulated market, so that its prices never mix with others."""

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from liqfeature.data.schema import SANDBOX_MARKER, is_simulated
from liqfeature.errors import DataError
from liqfeature.sandbox.server.venue import Venue

_TEXT = """\
All data in this directory are simulated by liqfeature's sandbox.
market {identity}
"""

_OWN_NAME = re.compile(r"[A-Z0-9]+_USDT_USDT-.+|leverage_tiers_USDT\.json|trades\.sqlite.*")
"""Names, or names of folders, that commands write into a sandbox's data directory."""


def check_datadir(directory: Path) -> None:
    """Raise DataError where a directory cannot be written, or holds data that are not a sandbox's."""
    require_writable(directory)
    if not directory.exists():
        return
    marker = directory / SANDBOX_MARKER
    if not directory.is_dir() or (any(directory.iterdir()) and not is_simulated(directory)):
        found = f"with a file {SANDBOX_MARKER} of another kind" if marker.exists() else "with other data"
        message = f"{directory} must be empty or a sandbox's data directory, received one {found}"
        raise DataError(message)


def claim(directory: Path, venue: Venue) -> None:
    """Reserve a directory for data of this market. Data of another simulated market are removed.

    Parameters
    ----------
    directory : Path
        Freqtrade's `--datadir`; made if missing.
    venue : Venue
        The market as it is served.

    Raises
    ------
    DataError
        As `check_datadir`, or if files would have to go that are not known to be a sandbox's. Nothing is
        removed then.
    """
    check_datadir(directory)
    marker, text = directory / SANDBOX_MARKER, _TEXT.format(identity=_identity(venue))
    if not is_simulated(directory) or marker.read_text(encoding="utf-8") != text:
        former = list(_files(directory))
        for path in former:
            if path.is_symlink() or not (path == marker or _is_own(path.relative_to(directory))):
                message = (
                    f"{directory} must hold only a sandbox's data before another market can use it, "
                    f"received {path.relative_to(directory)}"
                )
                raise DataError(message)
        for path in former:
            path.unlink()
    directory.mkdir(parents=True, exist_ok=True)
    marker.write_text(text, encoding="utf-8")


def require_writable(path: Path) -> None:
    """Raise DataError where a file or a directory cannot be written at a path."""
    place = next(one for one in (path, *path.absolute().parents) if one.exists())
    if not os.access(place, os.W_OK) or (place != path and not place.is_dir()):
        message = f"{path} must be writable, received {place}, which is not"
        raise DataError(message)


def _is_own(path: Path) -> bool:
    return any(_OWN_NAME.fullmatch(part) for part in path.parts)


def _files(directory: Path) -> Iterator[Path]:
    return (path for path in directory.rglob("*") if path.is_symlink() or not path.is_dir())


def _identity(venue: Venue) -> str:
    """Digest of what is served, not of the options: a changed simulator makes another market of them."""
    digest = hashlib.sha256(f"{venue.oi_days}".encode())
    for tape in sorted(venue.tapes, key=lambda tape: tape.pair):
        digest.update(f"{tape.pair} {tape.start}".encode())
        for column in (tape.close, tape.volume, tape.mark_close, tape.open_interest, tape.funding_rate):
            digest.update(column.tobytes())
    return digest.hexdigest()[:16]
