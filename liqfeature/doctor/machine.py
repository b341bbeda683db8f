"""Checks of what is installed and of what can be written."""

import re
import sys
from collections.abc import Mapping
from pathlib import Path

from liqfeature.doctor.finding import Finding, fail, fine, warn

LEAST = {
    "freqtrade": "2026.9",
    "ccxt": "4.5.76",
    "numpy": "2.0",
    "pandas": "2.2",
    "numba": "0.61",
    "pyarrow": "17",
}
"""Oldest versions that are supported, as pyproject.toml has them."""

PYTHONS = ((3, 11), (3, 14))
"""From the first version on, and before the second."""


def check_version(package: str, installed: str | None) -> Finding:
    """Whether a package is new enough; `installed` is None where it is missing."""
    least = LEAST[package]
    if installed is None:
        return fail(package, "not installed", f"pip install '{package}>={least}'")
    if _numbers(installed) < _numbers(least):
        return fail(
            package, f"{installed}, older than {least}", f"pip install --upgrade '{package}>={least}'"
        )
    return fine(package, installed)


def check_versions(installed: Mapping[str, str]) -> list[Finding]:
    """Check every package of `LEAST`."""
    return [check_version(package, installed.get(package)) for package in LEAST]


def check_python(version: tuple[int, int] = sys.version_info[:2]) -> Finding:
    """Whether Python is a supported one."""
    first, after = (".".join(map(str, one)) for one in PYTHONS)
    saw = ".".join(map(str, version))
    if PYTHONS[0] <= version < PYTHONS[1]:
        return fine("python", saw)
    return fail("python", saw, f"use Python {first} or newer, and older than {after}")


def check_cache(directory: Path | None) -> Finding:
    """Whether compiled kernels can be kept; `directory` is None where they cannot."""
    if directory is not None:
        return fine("compiled kernels", f"kept in {directory.name}")
    return warn(
        "compiled kernels",
        "cannot be kept: every start compiles for a quarter of a minute",
        "export NUMBA_CACHE_DIR=DIR, with a directory that can be written to",
    )


def _numbers(version: str) -> tuple[int, ...]:
    """Leading numbers of a version: `2026.9-dev` is (2026, 9)."""
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
