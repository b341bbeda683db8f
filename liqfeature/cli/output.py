"""Files and folders that commands write: checked before the work, and what another made is never replaced."""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

from liqfeature.checks import require

_READ = 65_536
"""Bytes at the beginning and at the end of a file in which signs are looked for."""

REPORT, REPORT_SIGN = "report.md", " beside controls\n"
"""What a walk-forward leaves in its folder, and what it begins with."""


@dataclass(frozen=True, slots=True)
class File:
    """A kind of file.

    Parameters
    ----------
    signs : dict
        What every file of this kind holds near its beginning or its end, by suffix.
    """

    signs: dict[str, tuple[bytes, ...]]

    def check(self, path: Path, option: str) -> None:
        """Raise ConfigError, which names the option, where a file cannot be written or is another's."""
        require(option, path.suffix in self.signs, f"a file that ends in {' or '.join(self.signs)}", path)
        _require_folder(path.absolute().parent, option)
        if path.exists():
            writable = path.is_file() and os.access(path, os.W_OK)
            require(option, writable, "a file that can be written to", path)
            content = _ends(path)
            ours = not content or all(sign in content for sign in self.signs[path.suffix])
            require(option, ours, "new, or a file that this command made", path)


@dataclass(frozen=True, slots=True)
class Results:
    """The folder of a walk-forward, made where there is none, and told from others' by its report."""

    def check(self, path: Path, option: str) -> None:
        """Raise ConfigError, which names the option, where a folder cannot be written to or is another's."""
        _require_folder(next(place for place in (path, *path.absolute().parents) if place.exists()), option)
        report = path / REPORT
        ours = report.is_file() and REPORT_SIGN.encode() in _ends(report)
        free = ours or not path.exists() or not any(path.iterdir())
        require(option, free, "new, empty, or of a walk-forward", path)


PAGE = File({".html": (b'<script id="plotly">',)})
PICTURE = File(dict.fromkeys((".png", ".webp"), (b"Software\0liqfeature",)))
TABLE = File(dict.fromkeys((".feather", ".parquet"), (b"liq_imbalance",)))
MAP = File(
    dict.fromkeys((".feather", ".parquet"), (b'"low"', b'"high"', b'"notional"', b'"age"'))
    | {".json": (b'{"y_axis":[',)}
)
SCORES = File({".json": (b'{\n  "about": {',), ".md": (b"| map |",)})
PARAMETERS = File({".json": (b'{\n    "provenance": {',)})
RECORDED = File(dict.fromkeys((".feather", ".parquet"), (b'"available"', b'"source"')))
WALK = Results()


def add_output(
    command: argparse.ArgumentParser, option: str, kind: File | Results, told: str, *, required: bool = False
) -> None:
    """Add an option that names what is written; `told` is its help."""
    metavar = "FILE" if isinstance(kind, File) else "DIR"
    action = command.add_argument(option, type=Path, required=required, metavar=metavar, help=told)
    command.set_defaults(outputs={**(command.get_default("outputs") or {}), action.dest: (option, kind)})


def check_outputs(args: argparse.Namespace) -> None:
    """Raise ConfigError where something that a command is to write cannot be written, or is another's."""
    for name, (option, kind) in getattr(args, "outputs", {}).items():
        if getattr(args, name) is not None:
            kind.check(getattr(args, name), option)


def _require_folder(folder: Path, option: str) -> None:
    require(option, folder.is_dir(), "in a folder that exists", folder)
    require(option, os.access(folder, os.W_OK), "in a folder that can be written to", folder)


def _ends(path: Path) -> bytes:
    with path.open("rb") as file:
        beginning = file.read(_READ)
        file.seek(max(path.stat().st_size - _READ, 0))
        return beginning + file.read()
