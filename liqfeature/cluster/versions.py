"""What must be the same on every machine, lest a result depend on where it was computed."""

import hashlib
import platform
from functools import cache
from importlib import metadata
from pathlib import Path

import liqfeature
from liqfeature.errors import DataError

_PACKAGES = ("numpy", "pandas", "numba", "pyarrow", "distributed", "cloudpickle", "freqtrade")


@cache
def versions() -> dict[str, str]:
    """Return versions of this process, by name: Python, packages, and a digest of this package's code."""
    return {
        "Python": platform.python_version(),
        "code of liqfeature": code_digest(),
        **{name: _version(name) for name in _PACKAGES},
    }


@cache
def code_digest() -> str:
    """Return a digest of every module of the package, 16 letters."""
    digest = hashlib.sha256()
    root = Path(liqfeature.__file__).parent
    for path in sorted(root.rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def require_versions(wanted: dict[str, str], received: dict[str, str], place: str) -> None:
    """Raise DataError, which names the place and what differs, unless versions are the same."""
    differing = [name for name in wanted if received.get(name) != wanted[name]]
    if differing:
        told = ", ".join(f"{name} {wanted[name]}, received {received.get(name)}" for name in differing)
        message = f"worker {place} must have {told}"
        raise DataError(message)


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "none"
