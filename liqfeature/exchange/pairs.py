"""Names of pairs: which are supported, and which mean the same coin."""

import re
from typing import NamedTuple

from liqfeature.errors import ConfigError

_LINEAR = re.compile(r"(?P<base>[^/:\s]+)/(?P<quote>[^/:\sa-z-]+):(?P<settle>[^/:\sa-z-]+)(?:-\d{6})?")
_MULTIPLES = ("1000", "10000", "1000000", "1M")
_MULTIPLIED = re.compile(r"(?:10{3,}|1M|k)(?P<coin>[^\W\d].+)|(?P<other>.*[^\W\d])1000")


class Pair(NamedTuple):
    """A linear future: base currency, and quote currency, which it settles in."""

    base: str
    quote: str


def linear_pair(pair: str) -> Pair:
    """Take a pair's name apart; a ConfigError where it is none of a linear future.

    Parameters
    ----------
    pair : str
        As Freqtrade writes it: `BTC/USDT:USDT`, or `BTC/USDT:USDT-261225` for a dated contract.

    Raises
    ------
    ConfigError
        For any other name, and for contracts that settle in another currency than their quote: amounts of
        inverse contracts (`BTC/USD:BTC`) count quote currency, and their liquidation prices differ.
    """
    found = _LINEAR.fullmatch(pair) if isinstance(pair, str) else None
    if found is None or found["base"] == found["quote"]:
        message = f"pair must be a perpetual by Freqtrade's name, such as BTC/USDT:USDT, received {pair!r}"
        raise ConfigError(message)
    if found["settle"] != found["quote"]:
        rule = "settle in its quote currency, such as BTC/USDT:USDT: inverse contracts are not supported"
        message = f"pair must {rule}, received {pair!r}"
        raise ConfigError(message)
    return Pair(found["base"], found["quote"])


def names_of_coin(base: str, *, thousands_as_k: bool = False) -> list[str]:
    """Return names under which exchanges list a coin, its own first: `PEPE`, `1000PEPE`, `kPEPE`.

    Parameters
    ----------
    base : str
        Base currency of a pair.
    thousands_as_k : bool
        Whether the exchange writes a thousand as K, as ccxt has Hyperliquid's `kPEPE`: elsewhere a coin may
        begin with that letter.
    """
    found = _MULTIPLIED.fullmatch(base)
    coin = (found["coin"] or found["other"]) if found else base
    if thousands_as_k:
        coin = coin.removeprefix("K") if coin == base else coin
        return list(dict.fromkeys([base, coin, f"K{coin}"]))
    return list(dict.fromkeys([base, coin, *(multiple + coin for multiple in _MULTIPLES), f"{coin}1000"]))
