"""The Freqtrade configuration that keeps every request of Freqtrade and ccxt on this machine."""

from typing import Any
from urllib.parse import urlsplit

from liqfeature.errors import MissingExtraError


def exchange_config(url: str) -> dict[str, Any]:
    """Return what to give Freqtrade beside its own configuration, as a second `--config`.

    Parameters
    ----------
    url : str
        Address of the sandbox, such as "http://127.0.0.1:8080".

    Returns
    -------
    dict
        Freqtrade's section `exchange`. Every address that the installed ccxt knows of Binance leads to the
        sandbox, those of the streams, the test networks and the documentation too.

    Raises
    ------
    MissingExtraError
        If ccxt is not installed.
    """
    try:
        from ccxt import pro
    except ImportError as error:
        message = "the sandbox's Freqtrade configuration needs ccxt: pip install liqfeature[sandbox]"
        raise MissingExtraError(message) from error
    return {
        "exchange": {
            "name": "binance",
            "key": "",
            "secret": "",
            "enable_ws": False,
            "only_from_ccxt": True,  # else download-data fetches the archives of the real exchange
            "ccxt_config": {
                "enableRateLimit": False,
                "urls": _redirected(pro.binance().urls, urlsplit(url).netloc),
                "options": {"fetchMarkets": {"types": ["linear"]}},
            },
        }
    }


def _redirected(tree: Any, netloc: str) -> Any:
    """Copy a tree of addresses, each with its path but another host."""
    if isinstance(tree, dict):
        return {name: _redirected(branch, netloc) for name, branch in tree.items()}
    if isinstance(tree, list):
        return [_redirected(branch, netloc) for branch in tree]
    if not isinstance(tree, str) or "://" not in tree:
        return tree
    address = urlsplit(tree)
    scheme = "ws" if address.scheme.startswith("ws") else "http"
    return address._replace(scheme=scheme, netloc=netloc).geturl()
