"""Trades of a bot, as Freqtrade's REST API has them."""

import json

import pytest

from builders.bots import ANSWERS, PLAN, bot_server
from liqfeature.errors import DataError
from liqfeature.serve.bot import Bot, bot_of


def test_open_trades_come_with_their_targets_and_closed_ones_apart():
    with bot_server(ANSWERS) as port:
        trades = Bot(f"http://127.0.0.1:{port}", "u", "p")()
    (standing,), (closed,) = trades["open"], trades["closed"]
    assert (standing["trade_id"], standing["stop_loss_abs"], standing["plan"]) == (
        7,
        97.0,
        {"first_target": 104.0},
    )
    assert standing["liquidation_price"] is None
    assert (closed["trade_id"], closed["close_rate"]) == (6, 103.0)
    json.dumps(trades, allow_nan=False)


@pytest.mark.parametrize("value", ["not json", "[1]", 7, None, {"first_target": "104"}, json.dumps(PLAN)])
def test_a_plan_that_cannot_be_read_is_none_and_one_as_text_is_read(value):
    custom = [{"trade_id": 7, "custom_data": [{"key": "plan", "value": value}]}]
    with bot_server(ANSWERS | {"/api/v1/trades/open/custom-data": custom}) as port:
        (standing,) = Bot(f"http://127.0.0.1:{port}", "u", "p")()["open"]
    assert standing["plan"] == ({"first_target": 104.0} if value == json.dumps(PLAN) else {})


def test_a_bot_without_custom_data_has_no_plans_and_one_that_is_away_is_an_error():
    with bot_server({path: found for path, found in ANSWERS.items() if "custom" not in path}) as port:
        bot = Bot(f"http://127.0.0.1:{port}", "u", "p")
        assert bot()["open"][0]["plan"] == {}
    with pytest.raises(DataError, match="the bot must answer with its open trades"):
        bot()


def test_the_bot_is_that_of_the_configuration_with_variables_over_it():
    server = {
        "enabled": True,
        "listen_ip_address": "0.0.0.0",
        "listen_port": 8080,
        "username": "a",
        "password": "b",
    }
    variable = "FREQTRADE__API_SERVER__"
    assert bot_of({}, {}) is None
    assert bot_of({"api_server": server | {"enabled": False}}, {}) is None
    assert bot_of({"api_server": server}, {variable + "ENABLED": "false"}) is None
    assert bot_of({"api_server": server}, {}).url == "http://127.0.0.1:8080"
    assert bot_of({"api_server": server}, {variable + "LISTEN_PORT": "9"}).url == "http://127.0.0.1:9"
    with pytest.raises(DataError, match="password"):
        bot_of({"api_server": {"enabled": True}}, {})
