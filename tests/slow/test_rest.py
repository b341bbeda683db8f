"""What Freqtrade's REST API answers FreqUI: the columns, the clusters now, and a trade's stop and targets."""

import urllib.error
from datetime import UTC, datetime, timedelta

import pytest

from liqfeature import COLUMNS
from liqfeature.serve.bot import Bot
from slow.rest import served
from slow.span import PAIRS, START, WARMUP_DAYS, timerange

PAIR = PAIRS[0]


@pytest.fixture(scope="module")
def webserver(bot, downloaded, clusters):
    """`freqtrade webserver` on the downloaded market."""
    folder = clusters[0].partition("=")[2]
    with served(bot.line("webserver"), bot.directory, strategy_path=folder) as rest:
        yield rest


@pytest.fixture(scope="module")
def trading(today, planted):
    """A dry run that trades when it is asked to, and only then."""
    settings = {"force_entry_enable": True, "initial_state": "running", "bot_name": "reader"}
    settings["exchange"] = {"pair_whitelist": [PAIR], "pair_blacklist": []}
    settings["telegram"] = {"enabled": False, "token": "", "chat_id": ""}
    with served(today.line("trade", *planted("TakesForcedEntries")), today.directory, **settings) as rest:
        yield rest


def rows_of(answer):
    return [dict(zip(answer["columns"], row, strict=True)) for row in answer["data"]]


def moment(text):
    return datetime.fromisoformat(text).astimezone(UTC)


def assert_carries_columns(answer):
    assert set(COLUMNS) <= set(answer["columns"])
    last = rows_of(answer)[-1]
    assert last["liq_quality"] > 0.5
    assert last["liq_total_above"] > 0
    assert last["liq_total_below"] > 0


def assert_areas_are_the_last_row_s(answer):
    """Up to three a side, the nearest one of the columns among them where there are fewer."""
    rows, areas = rows_of(answer), [item for item in answer["annotations"] if item["type"] == "area"]
    last = rows[-1]
    for where, whose in (("above", "shorts"), ("below", "longs")):
        mine = [area for area in areas if area["label"].startswith(whose)]
        nearest = last[f"liq_near_{where}"], last[f"liq_far_{where}"]
        assert (nearest[0] is None) == (not mine)
        assert len(mine) <= 3
        if mine and len(mine) < 3:
            assert nearest in [(area["y_start"], area["y_end"]) for area in mine]
        for area in mine:
            assert moment(rows[0]["date"]) <= moment(area["start"]) <= moment(last["date"])
            assert moment(area["end"]) == moment(last["date"]) + timedelta(hours=1)
    return areas


def test_nothing_is_told_without_the_password(webserver):
    known, webserver.token = webserver.token, None
    with pytest.raises(urllib.error.HTTPError, match="401"):
        webserver.ask("show_config")
    webserver.token = known


@pytest.mark.parametrize("day", [WARMUP_DAYS, WARMUP_DAYS + 13])
def test_pair_history_tells_columns_and_clusters_of_the_asked_days(webserver, day):
    webserver.log_in()
    asked = {"timeframe": "5m", "timerange": timerange(day, day + 2).partition("=")[2]}
    answer = webserver.ask("pair_history", pair=PAIR, strategy="LiquidationClusters", **asked)
    first = START.replace(tzinfo=UTC) + timedelta(days=day)
    dates = [moment(row["date"]) for row in rows_of(answer)]
    assert dates[0] == first
    assert first + timedelta(days=2) - dates[-1] <= timedelta(minutes=5)
    assert_carries_columns(answer)
    assert assert_areas_are_the_last_row_s(answer)
    assert {item["type"] for item in answer["annotations"]} == {"area"}  # it knows of no trade


def test_pair_candles_of_a_bot_tell_columns_clusters_and_the_plan_of_its_trade(trading):
    trading.log_in()
    trading.until(lambda: trading.ask("pair_candles", pair=PAIR, timeframe="5m", limit=1)["length"])
    trade = trading.ask("forceenter", {"pair": PAIR, "side": "short", "ordertype": "market"})
    answer = trading.ask("pair_candles", pair=PAIR, timeframe="5m", limit=288)
    assert answer["length"] == 288
    assert_carries_columns(answer)
    assert_areas_are_the_last_row_s(answer)
    assert trade["is_short"]
    lines = {item["label"]: item for item in answer["annotations"] if item["type"] == "line"}
    assert "short stop" in lines
    assert set(lines) <= {f"short {price}" for price in ("stop", "first target", "second target")}
    before, last = (moment(row["date"]) for row in rows_of(answer)[-2:])
    opened = datetime.fromtimestamp(trade["open_timestamp"] / 1000, UTC)
    for label, line in lines.items():
        gain = trade["open_rate"] - line["y_start"]
        assert gain < 0 if label.endswith("stop") else gain > 0
        assert line["y_start"] == line["y_end"]
        assert (moment(line["start"]), moment(line["end"])) == (min(opened, before), last)


def test_the_live_map_reads_a_bot_s_trades_and_plans_through_its_client(trading):
    """The trade of the test before, or one of its own."""
    trading.log_in()
    told = trading.ask("status")
    told = told or [trading.ask("forceenter", {"pair": PAIR, "side": "short", "ordertype": "market"})]
    asked = Bot(f"http://127.0.0.1:{trading.port}", trading.user, trading.password)
    (read,) = asked()["open"]
    for name in ("trade_id", "pair", "is_short", "open_timestamp", "open_rate", "stop_loss_abs", "leverage"):
        assert read[name] == trading.ask("status")[0][name], name
    lines = trading.ask("pair_candles", pair=PAIR, timeframe="5m", limit=288)["annotations"]
    drawn = {item["label"]: item["y_start"] for item in lines if item["type"] == "line"}
    for name in ("first_target", "second_target"):
        assert read["plan"].get(name) == drawn.get(f"short {name.replace('_', ' ')}")
    assert read["plan"]
