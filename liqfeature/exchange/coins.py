"""The same coin on another exchange: under which name it is listed there, and how many one of it counts."""

from collections.abc import Collection
from typing import NamedTuple

from liqfeature.exchange.pairs import linear_pair, names_of_coin
from liqfeature.exchange.traits import canonical

STABLE = ("USDT", "USDC", "USD")
"""Quote currencies that count as one: what they differ by is part of the basis between exchanges."""

RENAMED = {
    "BNX": "FORM",
    "EOS": "A",
    "FTM": "S",
    "KLAY": "KAIA",
    "MATIC": "POL",
    "RNDR": "RENDER",
    "BEAMX": "BEAM",
    "DODOX": "DODO",
    "LUNA2": "LUNA",
    "RAYSOL": "RAY",
}
"""Coins that were renamed one to one, and those that some exchange lists under a name of its own."""

COUNTS = {"": 1.0, "1000": 1e3, "10000": 1e4, "1000000": 1e6, "1M": 1e6, "k": 1e3, "K": 1e3}
"""Coins that one counts, by what stands before or after a coin's name."""


class Counterpart(NamedTuple):
    """A pair of the same coin, and `multiple`: how many of its coins one of the other pair counts."""

    pair: str
    multiple: float


def counterpart(pair: str, exchange: str, other: str, listed: Collection[str]) -> Counterpart | None:
    """Find the coin of a pair among the pairs of another exchange.

    The same quote currency comes first, then the other ones of `STABLE`; the same name before another
    multiple, and that before a coin's other name. Nothing is guessed beyond `RENAMED`.

    Parameters
    ----------
    pair : str
        Freqtrade's name of a linear perpetual.
    exchange, other : str
        Whose the pair is, and where the coin is sought.
    listed : collection of str
        Pairs of the other exchange.

    Returns
    -------
    Counterpart or None
        None where the coin is not listed.

    Raises
    ------
    ConfigError
        If the pair is no linear future.
    """
    base, quote = linear_pair(pair)
    found = {linear_pair(one): one for one in listed}
    for settled in dict.fromkeys((quote, *(STABLE if quote in STABLE else ()))):
        there = {one.base: name for one, name in found.items() if one.quote == settled}
        for name, count in _names(base, exchange, other):
            if name in there:
                return Counterpart(there[name], count)
    return None


def _names(base: str, exchange: str, other: str) -> list[tuple[str, float]]:
    """Names that may mean the coin on the other exchange, and how many of each one of `base` counts."""
    here, there = (_with_k(one) for one in (exchange, other))
    coin, count = _coin_of(base, thousands_as_k=here)
    meant = [(name, count) for name in (coin, *_other_names(coin))]
    if here and coin != base:
        meant.append((base, 1.0))  # a coin whose own name begins with K
    names = [(base, 1.0)]
    before = [multiple for multiple in COUNTS if not multiple or (multiple in "kK") == there]
    for name, counted in meant:
        names += [(f"{multiple}{name}", counted / COUNTS[multiple]) for multiple in before]
        names += [] if there else [(f"{name}1000", counted / 1e3)]
    return names


def _coin_of(base: str, *, thousands_as_k: bool) -> tuple[str, float]:
    """Take a multiple off a base currency; K only where the exchange writes a thousand so."""
    names = names_of_coin(base, thousands_as_k=thousands_as_k)
    coin = names[1] if len(names) > 1 and len(names[1]) < len(base) else base
    return coin, COUNTS[base.replace(coin, "", 1)]


def _with_k(exchange: str) -> bool:
    """Whether an exchange writes a thousand as K."""
    return canonical(exchange) == "hyperliquid"


def _other_names(coin: str) -> list[str]:
    """Later and earlier names of a coin."""
    return [new if old == coin else old for old, new in RENAMED.items() if coin in (old, new)]
