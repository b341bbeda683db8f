"""Trades of a running bot, from Freqtrade's REST API, with the plans of liqfeature's strategy."""

import json
import math
from collections.abc import Mapping
from typing import Any

from liqfeature.errors import DataError, extra

_VARIABLE = "FREQTRADE__API_SERVER__"
"""Freqtrade reads environment variables of this form as configuration."""

_CLOSED = 200
"""Closed trades asked for at most."""

_SECONDS = 5
"""After which a bot that does not answer counts as away."""

_NAMES = ("trade_id", "pair", "is_short", "enter_tag", "exit_reason")
_NUMBERS = ("open_timestamp", "open_rate", "close_timestamp", "close_rate", "profit_ratio", "profit_abs")
_STANDING = ("stop_loss_abs", "liquidation_price", "leverage", "stake_amount")
_PLAN = ("first_target", "second_target", "shield")
"""What the page shows of a plan beside the stop, which Freqtrade reports."""


class Bot:
    """A running bot.

    Parameters
    ----------
    url, user, password : str
        Of its REST API.

    Raises
    ------
    MissingExtraError
        If freqtrade-client is not installed.
    """

    def __init__(self, url: str, user: str, password: str) -> None:
        with extra("serve"):
            from freqtrade_client import FtRestClient
        self.url = url
        self._api = FtRestClient(url, user, password, timeout=_SECONDS)

    def __call__(self) -> dict[str, Any]:
        """Return open and closed trades.

        Returns
        -------
        dict
            `open` and `closed`: lists of trades with the numbers that Freqtrade reports, None where it has
            none; open ones with the targets of their `plan`.

        Raises
        ------
        DataError
            If the bot does not answer, or answers something else.
        """
        standing = _list(self._api.status(), "open trades")
        closed = _list((self._api.trades(_CLOSED) or {}).get("trades"), "closed trades")
        plans = self._plans() if standing else {}
        return {
            "open": [_trade(trade) | {"plan": plans.get(trade["trade_id"], {})} for trade in standing],
            "closed": [_trade(trade) for trade in closed if not trade.get("is_open")],
        }

    def _plans(self) -> dict[int, dict[str, float]]:
        """Return targets by trade; a bot without any custom data answers with an error, which means none."""
        answer = self._api.list_open_trades_custom_data(key="plan")
        found = {}
        for trade in answer if isinstance(answer, list) else []:
            for entry in trade.get("custom_data", []):
                plan = _plan(entry.get("value"))
                if entry.get("key") == "plan" and plan:
                    found[int(trade["trade_id"])] = plan
        return found


def bot_of(settings: Mapping[str, Any], environment: Mapping[str, str]) -> Bot | None:
    """Return the bot whose REST API a configuration and variables switch on; None where they do not."""
    names = ("enabled", "listen_ip_address", "listen_port", "username", "password")
    server = dict(settings.get("api_server") or {})
    server |= {name: value for name in names if (value := environment.get(_VARIABLE + name.upper()))}
    if str(server.get("enabled", "")).lower() not in ("true", "1"):
        return None
    missing = [name for name in names[1:] if not server.get(name)]
    if missing:
        message = (
            f"api_server of a configuration must have {', '.join(names[1:])}, received none of {missing}"
        )
        raise DataError(message)
    host = str(server["listen_ip_address"]).replace("0.0.0.0", "127.0.0.1")
    url = f"http://{host}:{server['listen_port']}"
    return Bot(url, str(server["username"]), str(server["password"]))


def _list(answer: Any, what: str) -> list[dict[str, Any]]:
    if not isinstance(answer, list) or not all(isinstance(trade, dict) for trade in answer):
        message = f"the bot must answer with its {what}, received {str(answer)[:100]}"
        raise DataError(message)
    return answer


def _trade(trade: Mapping[str, Any]) -> dict[str, Any]:
    return {name: trade.get(name) for name in _NAMES} | {
        name: _number(trade.get(name)) for name in (*_NUMBERS, *_STANDING)
    }


def _plan(value: Any) -> dict[str, float]:
    try:
        plan = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return {}
    if not isinstance(plan, dict):
        return {}
    known = {name: _number(plan.get(name)) for name in _PLAN}
    return {name: number for name, number in known.items() if number is not None}


def _number(value: Any) -> float | None:
    """Return a number that JSON can hold, else None."""
    return value if isinstance(value, int | float) and math.isfinite(value) else None
