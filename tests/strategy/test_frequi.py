"""Freqtrade's answers to FreqUI carry the columns and the annotations."""

import json
from datetime import UTC, datetime

import pytest

from builders.driving import NOW, PAIR, enter, sides
from builders.frames import random_candles
from liqfeature import ConfigError, HeatmapConfig
from liqfeature.strategy import plot_config

pytest.importorskip("freqtrade")

from freqtrade.data.history import get_datahandler
from freqtrade.enums import CandleType, RunMode
from freqtrade.rpc.api_server.api_schemas import PairHistory
from freqtrade.rpc.rpc import RPC


def answer_of(result):
    """What the REST API would send."""
    return json.loads(PairHistory(**result).model_dump_json())


def moment(text):
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.filterwarnings("ignore")  # Freqtrade's own, of pandas
def test_pair_history_carries_clusters_inside_the_requested_range(make_bot, tmp_path):
    bot = make_bot()
    candles = random_candles(HeatmapConfig.for_exchange("binance").warmup + 600, seed=11, volatility=0.001)
    handler = get_datahandler(tmp_path, "feather")
    handler.ohlcv_store(PAIR, "5m", candles, CandleType.FUTURES)
    first, last = candles["date"].iloc[-288], candles["date"].iloc[-1]
    span = f"{first.timestamp():.0f}-{last.timestamp():.0f}"
    config = bot.config | {"runmode": RunMode.WEBSERVER, "timerange": span}
    result = RPC._rpc_analysed_history_full(config, PAIR, "5m", bot.exchange, None, live=False)
    answer = answer_of(result)
    rows = [dict(zip(answer["columns"], row, strict=True)) for row in answer["data"]]
    areas = answer["annotations"]
    assert {area["label"].split()[0] for area in areas} <= {"shorts", "longs"}
    assert areas
    for name, where in (("shorts", "above"), ("longs", "below")):
        mine = [area for area in areas if area["label"].startswith(name)]
        assert len(mine) <= 3
        for area in mine:
            assert first <= moment(area["start"]) <= last < moment(area["end"])
        near, far = (rows[-1][f"liq_{edge}_{where}"] for edge in ("near", "far"))
        assert (
            len(mine) == 3
            or (near, far) in [(area["y_start"], area["y_end"]) for area in mine]
            or near is None
        )


@sides
def test_an_open_trade_s_stop_and_targets_are_lines(strategy, bot, side):
    bot.show(liq_notional_above=1e6, liq_notional_below=1e6, liq_density_above=0.1, liq_density_below=0.1)
    trade = enter(strategy, side)
    rows, _ = bot.provider.get_analyzed_dataframe(PAIR, "5m")
    drawn = strategy.ft_plot_annotations(PAIR, rows)
    plan = strategy.plan_of(trade)
    lines = {item["label"]: item["y_start"] for item in drawn if item["type"] == "line"}
    assert lines == {
        f"{side} stop": plan.stop,
        f"{side} first target": plan.first_target,
        f"{side} second target": plan.second_target,
    }
    assert all(item["end"] == NOW for item in drawn)
    assert len(drawn) == 5


def test_columns_drawn_by_the_plot_configuration_are_columns(strategy):
    from liqfeature import COLUMNS

    drawn = strategy.plot_config
    panes = [*drawn["main_plot"], *(name for pane in drawn["subplots"].values() for name in pane)]
    assert set(panes) <= set(COLUMNS)


def test_a_sweep_and_its_reclaim_can_be_seen(strategy):
    """In the colour of their side: dots where it began over the candles, how much it cleared below them."""
    assert list(strategy.plot_config["subplots"]) == ["fuel", "cascade"]
    over, below = strategy.plot_config["main_plot"], plot_config("cleared", "hit")["subplots"]["cleared"]
    for side in ("above", "below"):
        colour = over[f"liq_near_{side}"]["color"]
        assert over[f"liq_pierced_{side}"] == {"color": colour, "type": "scatter"}
        assert below[f"liq_cleared_{side}"]["color"] == colour
    assert over["liq_pierced_above"] != over["liq_pierced_below"]
    with pytest.raises(ConfigError, match=r"panes must be of fuel, cascade, .*, received 'fule'"):
        plot_config("fule")
