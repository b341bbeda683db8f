"""The Freqtrade configuration that sends every request of Freqtrade and ccxt to the sandbox."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from liqfeature.errors import DataError, extra
from liqfeature.sandbox.datadir import require_writable
from liqfeature.sandbox.server.serve import HOST


def exchange_config(url: str) -> dict[str, Any]:
    """Return the configuration that Freqtrade needs as a second `--config`.

    Parameters
    ----------
    url : str
        Address of the sandbox, such as "http://127.0.0.1:8080".

    Returns
    -------
    dict
        Freqtrade's section `exchange`. Every address that the installed ccxt knows of Binance points to the
        sandbox, including streams, test networks and documentation.

    Raises
    ------
    MissingExtraError
        If ccxt is not installed.
    """
    with extra("sandbox"):
        from ccxt import pro
    return {
        "exchange": {
            "name": "binance",
            "key": "",
            "secret": "",
            "enable_ws": False,
            "only_from_ccxt": True,  # else download-data fetches the archive of the real exchange
            "ccxt_config": {
                "enableRateLimit": False,
                "urls": _redirected(pro.binance().urls, urlsplit(url).netloc),
                "options": {"fetchMarkets": {"types": ["linear"]}},
            },
        }
    }


def check_overlay(path: Path) -> None:
    """Raise DataError where an overlay cannot be written at a path, or would replace another file."""
    require_writable(path)
    if path.exists() and not (path.is_file() and _is_overlay(path.read_text("utf-8", "replace"))):
        message = f"{path} must be new or a sandbox's earlier configuration, received another file"
        raise DataError(message)


def write_overlay(path: Path, url: str, folder: Path) -> None:
    """Write the configuration that Freqtrade needs beside its own.

    Parameters
    ----------
    path : Path
        A sandbox's earlier overlay there is replaced.
    url : str
        As in `exchange_config`.
    folder : Path
        Where the database of simulated trades goes.

    Raises
    ------
    DataError
        As `check_overlay`.
    MissingExtraError
        As `exchange_config`.
    """
    check_overlay(path)
    overlay = exchange_config(url) | {"db_url": f"sqlite:///{folder.resolve()}/trades.sqlite"}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(overlay, indent=2) + "\n", encoding="utf-8")


def _is_overlay(text: str) -> bool:
    """Whether a text is empty, or configures nothing but an exchange on this machine and a database."""
    if not text.strip():
        return True
    try:
        overlay = json.loads(text)
        urls = json.dumps(overlay["exchange"]["ccxt_config"]["urls"])
    except (ValueError, TypeError, LookupError):
        return False
    return set(overlay) <= {"exchange", "db_url"} and set(re.findall(r"://([^:/\"]*)", urls)) == {HOST}


def _redirected(tree: Any, netloc: str) -> Any:
    """Copy a tree of addresses, each with another host."""
    if isinstance(tree, dict):
        return {name: _redirected(branch, netloc) for name, branch in tree.items()}
    if isinstance(tree, list):
        return [_redirected(branch, netloc) for branch in tree]
    if not isinstance(tree, str) or "://" not in tree:
        return tree
    address = urlsplit(tree)
    scheme = "ws" if address.scheme.startswith("ws") else "http"
    return address._replace(scheme=scheme, netloc=netloc).geturl()
