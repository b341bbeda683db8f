"""The live map in a real browser, over a sandbox whose clock the test sets."""

import json
import os
import shutil
import socket
from contextlib import ExitStack
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from builders.backtests import CANDLES
from builders.bots import CLOSED, OPEN, PLAN, bot_server
from builders.browser import PROGRAM, browser
from builders.serving import program, served
from liqfeature import heatmap_history, liquidation_features, outlook
from liqfeature.durations import HOUR, MINUTE
from liqfeature.sandbox.freqtrade_config import exchange_config
from liqfeature.sandbox.server.serve import running
from liqfeature.sandbox.server.venue import Venue
from liqfeature.sandbox.simulation.scenario import scenario
from liqfeature.sandbox.simulation.simulate import simulate
from liqfeature.serve.exchange import ExchangeSource
from liqfeature.serve.sources import DirectorySource, Several

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason="no Chromium or Chrome on PATH to open pages with"),
]

PAIR, EMPTY = "BTC/USDT:USDT", "NEW/USDT:USDT"
START = datetime(2026, 1, 1, tzinfo=UTC)
NOON = round(datetime(2026, 1, 13, 12, tzinfo=UTC).timestamp() * 1000)
STATE = "liqfeature.map.state"
TOTAL = "liqfeature.map.tiles.flatMap((tile) => [...tile.amounts]).reduce((sum, held) => sum + held, 0)"
LIVE = "document.querySelector('#status').dataset.state === 'live'"
DOTS = "liqfeature.map.tiles.at(-1).dots"
RANGE = "liqfeature.map.chart.timeScale().getVisibleLogicalRange()"


class SetClock:
    moment = NOON + MINUTE

    def now(self):
        return self.moment


class World:
    """Sandbox, bot, server and browser, each of which a test can stop and start again."""

    def __init__(self, folder):
        self.folder, self.clock = folder, SetClock()
        self.venue = Venue.of(
            [simulate(scenario("liquid"), PAIR, start=START, days=14, seed=4)], clock=self.clock
        )
        self.ports = [free_port() for _ in range(2)]
        self.stacks = {}

    def start(self, name, context):
        self.stacks[name] = ExitStack()
        return self.stacks[name].enter_context(context)

    def stop(self, name):
        self.stacks.pop(name).close()

    def start_exchange(self):
        url = self.start("exchange", running(self.venue, self.ports[0]))
        config = exchange_config(url)
        config["exchange"]["pair_whitelist"] = [PAIR, EMPTY]
        self.config = config
        (self.folder / "config.json").write_text(json.dumps(config))

    def start_bot(self):
        standing = OPEN | {"open_timestamp": NOON - 20 * HOUR, "open_rate": self.price(20)}
        standing["stop_loss_abs"] = 0.97 * standing["open_rate"]
        plan = PLAN | {"first_target": 1.04 * standing["open_rate"]}
        closed = CLOSED | {
            "open_timestamp": NOON - 30 * HOUR,
            "close_timestamp": NOON - 25 * HOUR,
            "open_rate": self.price(30),
            "close_rate": self.price(25),
        }
        answers = {
            "/api/v1/status": [standing],
            "/api/v1/trades": {"trades": [closed]},
            "/api/v1/trades/open/custom-data": [
                {"trade_id": 7, "custom_data": [{"key": "plan", "value": plan}]}
            ],
        }
        self.bot_port = self.start("bot", bot_server(answers))

    def price(self, hours):
        tape = self.venue.tapes[0]
        return float(tape.close[(NOON - tape.start) // MINUTE - 60 * hours])

    def start_server(self):
        server = {
            "ENABLED": "true",
            "LISTEN_IP_ADDRESS": "127.0.0.1",
            "LISTEN_PORT": str(self.bot_port),
            "USERNAME": "u",
            "PASSWORD": "p",
        }
        variables = {f"FREQTRADE__API_SERVER__{name}": value for name, value in server.items()}
        arguments = ("--config", self.folder / "config.json", "--port", self.ports[1], "--poll", "0.1")
        _, self.url = self.start("server", program("serve", *arguments, env=os.environ | variables))


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("world"))
    world.start_exchange()
    world.start_bot()
    world.start_server()
    world.page = world.start("browser", browser(tmp_path_factory.mktemp("profile")))
    yield world
    for name in reversed(list(world.stacks)):
        world.stop(name)


@pytest.fixture
def page(world):
    """The page as it opens, on a wide screen; it must not complain."""
    world.page.visit(world.url, 1400)
    world.page.wait("!!window.liqfeature && liqfeature.map.settled > 0 && !!liqfeature.cursor.at")
    world.page.wait("document.querySelector('#status').dataset.state === 'live'")
    yield world.page
    assert world.page.complaints == []


def click(page, selector):
    box = f"document.querySelector({json.dumps(selector)}).getBoundingClientRect()"
    page.click(*page.run(f"(({{x, y, width, height}}) => [x + width / 2, y + height / 2])({box})"))


def choose(page, name, value, event):
    """Set a slider or a list as a hand would."""
    chosen = f"const e = document.querySelector('#{name}'); e.value = {json.dumps(value)}"
    page.run(f"(() => {{ {chosen}; e.dispatchEvent(new Event('{event}')); }})()")


def visible_hours(page):
    return page.run(
        "(() => { const m = liqfeature.map, r = m.chart.timeScale().getVisibleLogicalRange();"
        " return (Math.min(r.to, m.settled) - r.from) * m.span * m.state.interval / 3.6e6; })()"
    )


def test_everything_is_there_and_nothing_comes_from_elsewhere(world, page):
    assert page.run("document.querySelector('#source').textContent") == "SANDBOX, 5m"
    assert page.run("[...document.querySelector('#pair').options].map((o) => o.value)") == [PAIR, EMPTY]
    assert all(url.startswith((world.url, world.url.replace("http", "ws"))) for url in page.requested)
    assert page.run(f"{STATE}.date") == NOON - 5 * MINUTE


def test_numbers_under_the_cursor_are_the_columns_of_that_candle(world, page):
    click(page, "[data-value='12h']")
    page.wait("liqfeature.map.span === 1")
    source = ExchangeSource(world.config)
    data = source.load(PAIR)
    features = liquidation_features(data.candles, data.config, **data.inputs).set_index(data.candles["date"])
    sigma = pd.Series(outlook(data.candles, data.config).sigma(data.config.horizon), data.candles["date"])
    history = heatmap_history(
        data.candles,
        data.config,
        first=data.candles["date"].iloc[-100],
        margin=0.12,
        row_bins=1,
        **data.inputs,
    )
    compared = 0
    for x, y in ((900, 200), (700, 300), (500, 450), (800, 600), (600, 250), (950, 650)):
        page.move(x, y)
        left = page.run("document.querySelector('#chart').getBoundingClientRect().x")
        page.wait(f"liqfeature.cursor.at.point?.x === {x - left}")
        at = page.run("liqfeature.cursor.at")
        date = pd.Timestamp(at["time"], unit="ms", tz="UTC")
        for name in ("liq_fuel_above", "liq_fuel_below", "liq_cascade_above", "liq_cascade_below"):
            assert at["rows"][name] == features.loc[date, name]
        assert at["rows"]["sigma"] == sigma[date]
        column = history.date.get_loc(date)
        row = int(np.searchsorted(history.edge, at["price"], side="right")) - 1
        for cells, shown in zip(history.sides, at["cells"], strict=True):
            held = cells.notional[(cells.time == column) & (cells.price == row)]
            assert (shown or {"notional": 0})["notional"] == pytest.approx(
                held[0] if held.size else 0, rel=1e-6
            )
            compared += held.size
        words = page.run("document.querySelector('#readout').textContent")
        assert f"{date:%Y-%m-%d %H:%M} UTC" in words
        assert f"{100 * sigma[date]:.2f} %" in words
        assert f"↓ {100 * features.loc[date, 'liq_cascade_below']:.1f} %" in words
    assert compared >= 4


@pytest.mark.parametrize(("name", "hours"), [("12h", 12), ("24h", 24), ("3d", 72)])
def test_a_range_button_shows_its_range_and_stays_pressed(page, name, hours):
    click(page, f"[data-value='{name}']")
    page.wait(f"Math.abs({hours} - (liqfeature.map.settled - {RANGE}.from) * liqfeature.map.span / 12) < 1")
    assert visible_hours(page) == pytest.approx(min(hours, 84), abs=1)
    pressed = (
        "[...document.querySelectorAll('#ranges [aria-pressed=true]')].map((button) => button.textContent)"
    )
    assert page.run(pressed) == [name]
    assert page.run("liqfeature.map.settled") > 60


@pytest.mark.parametrize("name", ["7d", "30d", "90d", "1y"])
def test_a_range_longer_than_the_history_shows_all_of_it(page, name):
    click(page, f"[data-value='{name}']")
    page.wait(f"liqfeature.map.bars[0].time * 1000 === {STATE}.first && {RANGE}.from < 1")
    shown = page.run("(liqfeature.map.settled + 1) * liqfeature.map.span * liqfeature.map.state.interval")
    history = page.run(f"{STATE}.date + liqfeature.map.state.interval - {STATE}.first")
    assert shown == pytest.approx(history, rel=0.02)  # whole columns of several candles


def test_sides_threshold_contrast_and_layers_change_the_picture(page):
    both = page.run(TOTAL)
    click(page, "[data-value='long']")
    longs = page.run(TOTAL)
    assert page.run("liqfeature.map.framed.every((text) => text.startsWith('longs'))")
    click(page, "#sides [data-value='short']")
    assert longs + page.run(TOTAL) == pytest.approx(both, rel=1e-4)
    click(page, "#sides [data-value='both']")
    least = page.run("liqfeature.map.limits[0]")
    choose(page, "threshold", 90, "input")
    assert page.run("liqfeature.map.limits[0]") > least
    assert page.run("document.querySelector('#hidden').textContent") == "90 %"
    before = page.run("liqfeature.map.colourOf(0.5 * (liqfeature.map.limits[0] + liqfeature.map.limits[1]))")
    choose(page, "contrast", 8, "input")
    assert (
        page.run("liqfeature.map.colourOf(0.5 * (liqfeature.map.limits[0] + liqfeature.map.limits[1]))")
        != before
    )
    for name in ("fan", "frames", "dots"):
        click(page, f"#{name}")
        assert page.run(f"liqfeature.map.layers.{name}") is False
        assert page.run(f"document.querySelector('#{name}').getAttribute('aria-pressed')") == "false"


def test_a_class_of_leverage_is_a_part_of_the_map(page):
    everything, parts = page.run(TOTAL), 0.0
    names = page.run("[...document.querySelector('#leverage').options].map((o) => o.value)")[1:]
    assert len(names) == 3
    for name in names:
        choose(page, "leverage", name, "change")
        page.wait(f"liqfeature.map.layer.leverage === {json.dumps(name)}")
        parts += page.run(TOTAL)
    assert 0.5 * everything < parts < 2 * everything  # a cell of several candles keeps the peak of each class


def test_theme_and_words(page):
    before = page.run(
        "[document.documentElement.dataset.theme, getComputedStyle(document.body).backgroundColor]"
    )
    click(page, "#theme")
    after = page.run(
        "[document.documentElement.dataset.theme, getComputedStyle(document.body).backgroundColor]"
    )
    assert before[0] != after[0]
    assert before[1] != after[1]
    click(page, "#about")
    assert page.run("document.querySelector('#words').open")


def test_nothing_of_the_forming_candle_is_ever_among_what_is_settled(world, page):
    page.wait("!!liqfeature.map.forming")
    opened = page.run("liqfeature.map.forming.opened")
    assert page.run(f"{STATE}.date") < opened
    assert page.run("Math.max(...liqfeature.map.tiles.flatMap((tile) => tile.last))") < opened
    page.run("((m) => m.form({...m.forming, opened: m.state.date, high: m.state.close * 2}))(liqfeature.map)")
    bars = "liqfeature.map.bars"
    assert page.run(f"{bars}.length === liqfeature.map.settled || {bars}.at(-1).high < 2 * {STATE}.close")
    x = page.run("(({x, width}) => x + width)(document.querySelector('#chart').getBoundingClientRect())")
    page.move(x - 80, 400)
    page.wait("liqfeature.cursor.at.settled === false")
    words = page.run("document.querySelector('#readout').textContent")
    assert words.startswith("not settled")
    assert not any(word in words for word in ("fuel", "cascade", "sigma"))


def test_exchanges_switch_and_recorded_liquidations_are_dots(world, datadir, tmp_path):
    other = shutil.copytree(datadir, tmp_path / "bybit")
    date, close = CANDLES["date"].iloc[-9], float(CANDLES["close"].iloc[-9])
    order = {"date": date, "pair": PAIR, "side": "short", "price": close, "notional": 7e6, "amount": 1.0}
    pd.DataFrame([order]).assign(exchange="bybit").to_feather(tmp_path / "orders.feather")
    both = Several([DirectorySource(datadir=one) for one in (datadir, other)])
    values = "[...document.querySelector('#%s').options].map((o) => o.text)"
    with served(both, recordings=tmp_path / "orders.feather") as server:
        page = world.page
        page.visit(server.url, 1400)
        page.wait("!!window.liqfeature && liqfeature.map.settled > 0 && !!liqfeature.cursor.at")
        assert page.run(values % "exchange") == ["binance", "bybit"]
        assert page.run(values % "pair") == [PAIR]
        assert page.run(DOTS) == []
        choose(page, "exchange", "bybit", "change")
        page.wait(f"{STATE}.pair === 'bybit {PAIR}' && liqfeature.map.layer.pair === {STATE}.pair")
        click(page, "[data-value='12h']")
        page.wait("liqfeature.map.span === 1")
        page.wait(f"{DOTS}.length === 1")
        assert page.run(f"{DOTS}[0][3]") == 7e6
        stamp = round(date.timestamp() * 1000)
        assert page.run(f"liqfeature.map.tiles.at(-1).date[{DOTS}[0][0]]") == stamp
        chart = "(({x, y}) => [x, y])(document.querySelector('#chart').getBoundingClientRect())"
        at = f"liqfeature.map.chart.timeScale().logicalToCoordinate(liqfeature.map.logicalAt({stamp}))"
        left, top = page.run(chart)
        page.move(left + page.run(at), top + page.run(f"liqfeature.map.series.priceToCoordinate({close})"))
        page.wait("document.querySelector('#readout').textContent.includes('shorts recorded 7.00M USDT')")
        assert page.complaints == []
        page.visit("about:blank", 1400)


def test_zooming_in_refines_and_panning_brings_what_was_before(page):
    click(page, "[data-value='3d']")
    page.wait("liqfeature.map.span === 2")
    page.run(
        "((map) => map.chart.timeScale().setVisibleLogicalRange({from: map.settled - 60, to: map.settled}))"
        "(liqfeature.map)"
    )
    page.wait("liqfeature.map.span === 1")
    assert visible_hours(page) == pytest.approx(10, abs=1)
    loaded = page.run("liqfeature.map.settled")
    page.run("liqfeature.map.chart.timeScale().setVisibleLogicalRange({from: -5, to: 60})")
    page.wait(f"liqfeature.map.settled > {loaded}")
    assert visible_hours(page) == pytest.approx(65 / 12, abs=0.5)


def test_a_wide_forming_candle_leaves_nothing_between_its_low_and_its_high(page):
    held = "liqfeature.map.now().amounts.reduce((sum, held) => sum + held, 0)"
    page.wait("!!liqfeature.map.forming")
    before = page.run(held)
    wide = "{...m.forming, high: m.state.close * 1.03, low: m.state.close * 0.98}"
    page.run(f"(() => {{ const m = liqfeature.map; m.form({wide}); }})()")
    between = (
        "(() => { const { edge, amounts } = liqfeature.map.now(), { low, high } = liqfeature.map.forming;"
        " return [...amounts].filter((_, i) => edge[i] > low && edge[i + 1] < high); })()"
    )
    cleared = page.run(between)
    assert len(cleared) > 80
    assert not any(cleared)
    assert 0 < page.run(held) < before


def test_the_forming_candle_clears_what_it_touches_and_a_close_settles_it(world, page):
    for _ in range(2):  # ten minutes
        closed = page.run(f"{STATE}.date")
        settled = page.run("liqfeature.map.settled * liqfeature.map.span")
        page.wait(f"liqfeature.map.forming?.opened === {closed + 5 * MINUTE}")
        world.clock.moment += 3 * MINUTE
        page.wait("liqfeature.map.forming.high > liqfeature.map.forming.low")
        assert page.run(f"{STATE}.date") == closed
        assert page.run("liqfeature.map.settled * liqfeature.map.span") == settled
        assert page.run("liqfeature.map.bars.at(-1).color === liqfeature.map.theme.forming")
        world.clock.moment += 2 * MINUTE
        page.wait(f"{STATE}.date === {closed + 5 * MINUTE}")
        page.wait("liqfeature.map.bars[liqfeature.map.settled - 1].color === undefined")
        page.wait(f"liqfeature.map.tiles.at(-1).last.at(-1) === {closed + 5 * MINUTE}")


def test_the_bot_s_trades_are_on_the_map_and_in_the_table(page):
    page.wait("document.querySelectorAll('#trades tbody tr').length === 2")
    entered = "[...document.querySelectorAll('#trades tbody tr')].map((r) => r.cells[0].textContent)"
    assert page.run(entered) == ["7 open", "6"]
    boxes = page.run("liqfeature.map.labels")
    assert len(boxes) >= 3  # of the open trade's prices, and of clusters
    for i, box in enumerate(boxes):
        for other in boxes[:i]:
            beside = box["right"] <= other["left"] or other["right"] <= box["left"]
            assert beside or box["bottom"] <= other["top"] or other["bottom"] <= box["top"]
    page.run("document.querySelector('#trades th').click()")
    page.run("document.querySelector('#trades th').click()")
    assert page.run(entered) == ["6", "7 open"]
    assert page.run("liqfeature.map.trades.open[0].plan.first_target") > 0
    page.run("document.querySelector('#trades tbody tr').click()")
    page.wait("liqfeature.map.span === 1")
    page.wait(
        f"(() => {{ const m = liqfeature.map, r = {RANGE}, t = m.trades.closed[0];"
        " const [begin, end] = [t.open_timestamp, t.close_timestamp].map((at) => m.logicalAt(at));"
        " return r.from < begin && end < r.to && r.to < m.settled - 60; })()"
    )


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("width", [1400, 820, 390])
def test_nothing_overlaps_and_nothing_is_cut_off(page, width, theme):
    page.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
    page.resize(width)
    page.wait(f"innerWidth === {width} && document.querySelector('#chart canvas').clientWidth <= {width}")
    wide = (
        "[...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > innerWidth)"
    )
    assert page.run(f"{wide}.filter((e) => !e.closest('.table')).map((e) => e.id || e.tagName)") == []
    assert page.run("document.documentElement.scrollWidth") <= width
    parts = page.run(
        "[...document.querySelectorAll('header > *, #status, #readout, #chart, #profile, footer > *, #bot')]"
        ".filter((e) => e.offsetWidth).map((e) => { const b = e.getBoundingClientRect();"
        " return [e.id || e.textContent.slice(0, 20), b.left, b.top, b.right, b.bottom]; })"
    )
    for i, (name, left, top, right, bottom) in enumerate(parts):
        assert left >= 0, name
        assert right <= width + 0.5, name
        for other, left2, top2, right2, bottom2 in parts[i + 1 :]:
            apart = (
                right <= left2 + 0.5 or right2 <= left + 0.5 or bottom <= top2 + 0.5 or bottom2 <= top + 0.5
            )
            assert apart, f"{name} and {other}"
    assert page.run("document.querySelector('#chart').clientHeight") >= 400


def test_a_pair_without_data_says_so_and_another_one_still_works(world):
    page = world.page
    page.visit(world.url, 1400)
    page.wait("!!window.liqfeature && liqfeature.map.settled > 0")
    choose(page, "pair", EMPTY, "change")
    page.wait(
        "document.querySelector('#notice').textContent.includes('binance must answer about NEW/USDT:USDT')"
    )
    choose(page, "pair", PAIR, "change")
    page.wait(f"document.querySelector('#notice').hidden && {LIVE}")
    assert page.run(f"{STATE}.pair") == PAIR


@pytest.mark.parametrize("lost", ["server", "exchange"])
def test_what_was_lost_and_came_back_goes_on_by_itself(world, lost):
    page = world.page
    page.visit(world.url, 1400)
    page.wait(f"!!window.liqfeature && liqfeature.map.settled > 0 && {LIVE}")
    world.stop(lost)
    page.wait("document.querySelector('#status').dataset.state === 'late'")
    assert page.run("document.querySelector('#heard').textContent").startswith(
        ("no connection", "the source fails")
    )
    closed = page.run(f"{STATE}.date")
    world.clock.moment += 5 * MINUTE
    getattr(world, f"start_{lost}")()
    page.wait("document.querySelector('#status').dataset.state === 'live'")
    page.wait(
        f"[{STATE}.date, liqfeature.map.tiles.at(-1).last.at(-1)].every((at) => at === {closed + 5 * MINUTE})"
    )
    page.visit("about:blank", 1400)
