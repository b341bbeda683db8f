"""What exchanges send about liquidations, each in its own words, as the same kind of print.

Binance (USD-M, `forceOrder`): `S` is the side of the *order*, so that SELL closes a long; `ap` is the average
price of the fill, `p` that of the order, which is the bankruptcy price; `z` is what was filled. At most one
order a second and symbol is sent, so that a busy recording is far from complete.

Bybit (`allLiquidation`, and the older `liquidation`): `S` is the side of the *position*, so that Buy is a
long; the price is the bankruptcy price. Everything is sent, every half a second.

OKX (`liquidation-orders`): `posSide` is the side of the position, or `net`, and then `side` is that of the
order; `bkPx` is the bankruptcy price; `sz` counts contracts. One message holds any number of orders, and at
most one a second and contract is sent.

Gate (`liq_orders`, asked for): `size` counts contracts of the *position*, above 0 for a long, `order_size` is
its negative, and `left` of them were not filled; `order_price` is the limit of the order, which is the
bankruptcy price, and a long is never sold below it. In its stream, which is not recorded, `size` is that of
the order.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from liqfeature.data.prints import Print
from liqfeature.errors import DataError


class Contract(NamedTuple):
    """A linear contract that is recorded: Freqtrade's pair, and base currency per contract."""

    pair: str
    size: float


Contracts = Mapping[str, Contract]
"""What is recorded, by the exchange's own name of the market."""


@dataclass(frozen=True, slots=True)
class Received:
    """What one message held.

    Parameters
    ----------
    prints : tuple of Print
        Liquidations of the contracts that are recorded.
    malformed : tuple of str
        What is wrong with each row that could not be understood; one of them costs no other row.
    ignored : int
        Rows of other contracts, and orders of which nothing was filled.
    """

    prints: tuple[Print, ...] = ()
    malformed: tuple[str, ...] = ()
    ignored: int = 0


def received(exchange: str, message: Any, contracts: Contracts) -> Received:
    """Understand one message about liquidations.

    Parameters
    ----------
    exchange : str
        One of `EXCHANGES`.
    message : object
        As the exchange sent it, with its envelope, decoded from JSON.
    contracts : mapping
        What is recorded.
    """
    prints: list[Print] = []
    malformed: list[str] = []
    ignored = 0
    try:
        rows = list(_ROWS[exchange](message))
    except (KeyError, TypeError, AttributeError) as error:
        return Received(malformed=(f"{type(error).__name__} {error} in {message!r}"[:300],))
    for market, row in rows:
        try:
            contract = contracts.get(market)
            found = _PRINT[exchange](row, contract) if contract else None
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            malformed.append(f"{type(error).__name__} {error} in {row!r}"[:300])
            continue
        prints += [found] if found else []
        ignored += found is None
    return Received(_numbered(prints), tuple(malformed), ignored)


def _numbered(prints: list[Print]) -> tuple[Print, ...]:
    """Tell equal prints of one message apart."""
    before: Counter[Print] = Counter()
    numbered = []
    for one in prints:
        numbered.append(one._replace(copy=before[one]))
        before[one] += 1
    return tuple(numbered)


def _binance_rows(message: Any) -> Iterator[tuple[str, Any]]:
    for event in message if isinstance(message, list) else [message]:
        yield event["o"]["s"], event["o"]


def _binance(order: Any, contract: Contract) -> Print | None:
    if float(order["z"]) == 0:
        return None
    return _print(
        "binance",
        contract,
        time=order["T"],
        side=_side(order["S"], long="SELL", short="BUY"),
        price=_price(order["ap"]),
        bankruptcy_price=_price(order["p"]),
        contracts=order["z"],
    )


def _bybit_rows(message: Any) -> Iterator[tuple[str, Any]]:
    data = message["data"]
    for row in data if isinstance(data, list) else [data]:
        yield row["s"] if "s" in row else row["symbol"], row


def _bybit(row: Any, contract: Contract) -> Print | None:
    old = {"T": "updatedTime", "S": "side", "p": "price", "v": "size"}
    time, side, price, size = (row[name if name in row else old[name]] for name in ("T", "S", "p", "v"))
    return _print(
        "bybit",
        contract,
        time=time,
        side=_side(side, long="Buy", short="Sell"),
        price=None,
        bankruptcy_price=_price(price),
        contracts=size,
    )


def _okx_rows(message: Any) -> Iterator[tuple[Any, Any]]:
    for market in message["data"]:
        if not isinstance(market, dict) or not isinstance(market.get("details"), list):
            yield {}, market  # which cannot be a market's name, so that it is reported
            continue
        for row in market["details"]:
            yield market.get("instId"), row


def _okx(row: Any, contract: Contract) -> Print | None:
    if row["posSide"] in ("long", "short"):
        side = row["posSide"]
    else:
        side = _side(row["side"], long="sell", short="buy")
    return _print(
        "okx",
        contract,
        time=row["ts"],
        side=side,
        price=None,
        bankruptcy_price=_price(row["bkPx"]),
        contracts=row["sz"],
    )


def _gate_rows(message: Any) -> Iterator[tuple[str, Any]]:
    for row in message:
        yield row["contract"], row


def _gate(row: Any, contract: Contract) -> Print | None:
    size = float(row["size"])
    filled = abs(size) - abs(float(row.get("left", 0)))
    if filled == 0:
        return None
    price, limit = _price(row["fill_price"]), _price(row["order_price"])
    beyond = (price or math.nan) - (limit or math.nan)
    if size * beyond < 0 or size * float(row.get("order_size", -size)) > 0:
        message = "size, order_size and prices must be of one side"
        raise DataError(message)
    return _print(
        "gate",
        contract,
        time=float(row["time"]) * 1000,
        side="long" if size > 0 else "short",
        price=price,
        bankruptcy_price=limit,
        contracts=filled,
    )


def _side(word: str, *, long: str, short: str) -> str:
    if word not in (long, short):
        msg = f"side must be {long} or {short}, received {word!r}"
        raise DataError(msg)
    return "long" if word == long else "short"


def _price(text: Any) -> float | None:
    """Price, or None for the 0 or nothing that stands where there is none."""
    value = float(text or 0)
    return None if value == 0 else value


def _print(
    exchange: str,
    contract: Contract,
    *,
    time: Any,
    side: str,
    price: float | None,
    bankruptcy_price: float | None,
    contracts: Any,
) -> Print:
    amount = float(contracts) * contract.size
    at = price if price is not None else bankruptcy_price
    notional = amount * (math.nan if at is None else at)
    one = Print(int(time), exchange, contract.pair, side, price, bankruptcy_price, amount, notional)
    return one.checked()


_ROWS: dict[str, Callable[[Any], Iterator[tuple[str, Any]]]] = {
    "binance": _binance_rows,
    "bybit": _bybit_rows,
    "okx": _okx_rows,
    "gate": _gate_rows,
}
_PRINT: dict[str, Callable[[Any, Contract], Print | None]] = {
    "binance": _binance,
    "bybit": _bybit,
    "okx": _okx,
    "gate": _gate,
}
