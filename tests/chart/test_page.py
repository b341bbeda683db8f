"""Pages in a real browser, at the width of a desk and of a telephone."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from builders.backtests import SOURCES, TRADES, archive
from builders.browser import PROGRAM, browser
from builders.charts import CANDLES, CONFIG, INPUTS
from liqfeature import liquidation_features
from liqfeature.chart.map_part import map_part
from liqfeature.chart.page import Part, write_page
from liqfeature.chart.panel_traces import panels_figure
from liqfeature.chart.panels import panels_of
from liqfeature.chart.picture import take_picture
from liqfeature.chart.scene import scene_of
from liqfeature.data.backtest import load_backtest

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium or Chrome on PATH to open pages with")

PAIR = "BTC/USDT:USDT"

WIDTHS = (1400, 390)

COLOURS = """
(async (axis) => {
    const image = [...document.querySelectorAll(".heatmaplayer image")][axis];
    const picture = new Image();
    picture.src = image.getAttribute("href") || image.getAttribute("xlink:href");
    await picture.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [picture.width, picture.height];
    const pen = canvas.getContext("2d");
    pen.drawImage(picture, 0, 0);
    const all = new Uint32Array(pen.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
    return new Set(all).size;
})(%d)
"""
"""Number of colours in the map of one side."""

TEXTS = """
[...document.querySelectorAll(".chart text, h1, h2, p, button, summary")].filter(t => t.checkVisibility())
    .map(t => [t.textContent, t.getBoundingClientRect()])
    .filter(([text, box]) => text.trim() && box.width > 0 && box.height > 0)
    .map(([text, box]) => [text, box.left, box.top, box.right, box.bottom])
"""

PLACE = """
(({x, y, width, height}) => [x + width / 2, y + height / 2])
    (document.querySelector(%r).getBoundingClientRect())
"""

HOURS = "(([from, to]) => (moment(to.replace(' ', 'T')) - moment(from.replace(' ', 'T'))) / 3.6e6)"
HOURS += "(charts[0]._fullLayout.xaxis.range)"

PRESSED = "[...document.querySelectorAll('[aria-label=%s] [aria-pressed=true]')].map((b) => b.dataset.name)"

PIXEL = """
((number, x, y) => {
    const box = charts[0].getBoundingClientRect();
    const [across, up] = ["xaxis", "yaxis"].map(name => charts[0]._fullLayout[name + number]);
    return [box.left + across._offset + across.d2p(x), box.top + up._offset + up.d2p(y)];
})(%r, %r, %r)
"""

HOVER = "[...document.querySelectorAll('.hoverlayer .nums')].map(t => t.textContent).join(' ')"


@pytest.fixture(scope="module")
def page_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "page.html"
    date = CANDLES["date"].iloc[-200]
    forced = pd.DataFrame({"date": [date] * 2, "side": ["long", "short"], "notional": [3e7, 1e7]})
    scene = scene_of(CANDLES, CONFIG, {**INPUTS, "liquidations": forced})
    shown = map_part(scene, unit="USDT", theme="dark", heading=PAIR)
    places = [(PAIR, *(str(CANDLES["date"].iloc[i])[:19] for i in (300 + i, 320 + i))) for i in (0, 60)]
    trades = Part(facts={}, table=[["name", "profit"], ["b", "+10.5 %"], ["a", "-2.0 %"]], places=places)
    table = [["a name", *(f"measure {i}" for i in range(20))], ["a map", *["0.123 (0.10..0.15)"] * 20]]
    write_page(
        [shown, Part(facts={}, table=table), trades],
        path,
        title="BTC/USDT:USDT 5m: a map",
        note="A note. " * 40,
        theme="dark",
    )
    return path


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture(scope="module", params=WIDTHS)
def loaded(request, opened, page_path):
    opened.open(page_path, request.param)
    return opened


@pytest.fixture
def page(loaded):
    """Return the page as it was when it was opened."""
    loaded.move(1, 1)
    loaded.run("draw().then(() => true)")
    yield loaded
    assert loaded.complaints == []
    assert [url for url in loaded.requested if not url.startswith(("file:", "data:"))] == []


def test_both_maps_are_painted_and_nothing_sticks_out(page):
    assert page.run(COLOURS % 0) > 15
    assert page.run(COLOURS % 1) > 15
    assert page.run("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.run("charts[0].querySelectorAll('.candlesticklayer path, .boxlayer path').length") > 0


def test_no_text_overlaps_another_or_leaves_the_page(page):
    assert_apart(page)


def assert_apart(page):
    texts, width = page.run(TEXTS), page.run("window.innerWidth")
    assert len(texts) > 30
    for i, (text, left, top, right, bottom) in enumerate(texts):
        assert left >= 0, text
        assert right <= width, text
        for other, x0, y0, x1, y1 in texts[:i]:
            overlap = min(right, x1) - max(left, x0), min(bottom, y1) - max(top, y0)
            assert min(overlap) <= 2, (text, other)


def three(amount):
    """Write three digits and a letter, with the zeros at the end."""
    size, letter = next(pair for pair in ((1e6, "M"), (1e3, "k"), (1, "")) if amount >= pair[0])
    return f"{amount / size:#.3g}".rstrip(".") + letter


def test_hover_tells_the_cell_s_numbers(page):
    """A cell can be narrower than a pixel: what counts are the numbers of the cell whose date is shown."""
    date, price = page.run(
        "(() => { const t = charts[0]._fullData[0], z = t.z; let best = [0, 0, 0];"
        "for (let i = 0; i < z.length; i++) for (let j = 60; j < z[i].length - 60; j++)"
        "if (z[i][j] > best[2]) best = [i, j, z[i][j]];"
        "return [t.x[best[1]], (t.y[best[0]] + t.y[best[0] + 1]) / 2]; })()"
    )
    page.move(*page.run(PIXEL % ("", date, price)))
    page.wait(f"{HOVER}.includes('longs liquidated at')")
    text = page.run(HOVER)
    shown = pd.Timestamp(re.search(r"\d\d \w{3} \d{4} \d\d:\d\d", text)[0])
    assert abs(shown - pd.Timestamp(date)) <= pd.Timedelta("1h")
    cell = f"charts[0]._fullData[0].x.findIndex(d => d.startsWith('{shown:%Y-%m-%dT%H:%M}'))"
    price = float(re.search(r"liquidated at ([\d.,]+?)\d\d \w{3}", text)[1].replace(",", ""))
    row = f"charts[0]._fullData[0].y.findIndex((edge) => edge > {price}) - 1"
    notional = page.run(f"charts[0]._fullData[0].z[{row}][{cell}]")
    assert f"{three(notional)} USDT" in text
    assert "% of open interest" in text
    assert "h before" in text


def test_hover_in_a_pane_tells_the_column_of_that_candle(page):
    rows = liquidation_features(CANDLES, CONFIG, **INPUTS)["liq_fuel_below"].iloc[CONFIG.warmup :]
    at = rows.idxmax()
    date = CANDLES["date"].iloc[at]
    page.move(*page.run(PIXEL % ("4", date.tz_localize(None).isoformat(), float(rows[at]))))
    page.wait(f"{HOVER}.includes('fuel below')")
    assert f"fuel below {three(rows[at])} USDT" in page.run(HOVER)
    assert f"{date:%d %b %H:%M}" in page.run(HOVER)
    told = page.run("document.querySelector('.controls p').textContent")
    assert f"{date:%Y-%m-%d %H:%M} UTC" in told
    assert f"↓ {three(rows[at])} ·" in told


def press(page, name):
    page.run(f"document.querySelector('[data-name={json.dumps(name)}]').scrollIntoView({{block: 'center'}})")
    page.click(*page.run(PLACE % f"[data-name={json.dumps(name)}]"))


def test_clicks_switch_sides(page):
    press(page, "both")
    page.wait("charts[0].layout.coloraxis.colorscale[9][1] !== charts[0].layout.coloraxis2.colorscale[9][1]")
    for choice, hidden in (("long", 1), ("short", 0)):
        press(page, choice)
        page.wait(
            f"charts[0].data[{hidden}].visible === false && charts[0].data[{1 - hidden}].visible === true"
        )
        page.wait("document.querySelectorAll('.heatmaplayer image').length === 1")
        assert page.run(PRESSED % "side") == [choice]
        assert page.run(COLOURS % 0) > 15
    press(page, "one")
    page.wait("charts[0].layout.coloraxis.colorscale[9][1] === charts[0].layout.coloraxis2.colorscale[9][1]")
    page.wait("document.querySelectorAll('.heatmaplayer image').length === 2")


def test_a_range_button_shows_its_range_in_every_pane_with_prices_that_fit(page):
    name, hours = "12h", 12
    assert page.run("[...charts[0].controls.ranges.children].map((b) => b.textContent)") == ["12h", "all"]
    assert page.run(PRESSED % "range") == ["all"]
    press(page, name)
    page.wait(f"Math.abs({HOURS} - {hours}) < 0.1 * {hours}")
    page.wait(f"JSON.stringify({PRESSED % 'range'}) === '{json.dumps([name])}'")
    ranges = "['xaxis', 'xaxis4', 'xaxis5', 'xaxis6', 'xaxis9'].map(a => charts[0]._fullLayout[a].range[0])"
    assert len(set(page.run(ranges))) == 1
    shown = CANDLES.iloc[-12 * hours :]
    low, high = page.run("charts[0]._fullLayout.yaxis.range")
    assert low <= shown["low"].min()
    assert high >= shown["high"].max()
    assert high / low < 1.11 * shown["high"].max() / shown["low"].min()
    page.run("Plotly.relayout(charts[0], {'xaxis.range[0]': text(charts[0].first)}).then(() => true)")
    page.wait(f"{PRESSED % 'range'}.length === 0")
    press(page, "all")
    page.wait(f"{PRESSED % 'range'}[0] === 'all'")
    assert page.run(HOURS) == pytest.approx(page.run("(charts[0].end - charts[0].first) / 3.6e6"), abs=0.1)


def test_a_table_sorts_and_leads_to_the_map(page):
    names = "[...document.querySelectorAll('.sorts td:first-child')].map((cell) => cell.textContent)"
    assert page.run(names) == ["b", "a"]
    for expected in (["a", "b"], ["b", "a"]):
        page.run("document.querySelectorAll('.sorts th')[1].click()")  # by number
        assert page.run(names) == expected
    page.run("document.querySelectorAll('.sorts td')[2].click()")
    begin = CANDLES["date"].iloc[360].timestamp() * 1000
    page.wait(f"charts[0]._fullLayout.xaxis.range[0].startsWith(text({begin} - 0.25 * DAY).slice(0, 10))")
    page.wait(f"{PRESSED % 'range'}.length === 0")


@pytest.mark.parametrize("width", [360, 821, 1000])
def test_no_text_overlaps_another_at_widths_between(opened, page_path, width):
    opened.open(page_path, width)
    assert_apart(opened)


@pytest.mark.parametrize("width", [390, 820, 1400])
def test_no_text_of_trades_overlaps_another(opened, tmp_path, width):
    trades = load_backtest(archive(tmp_path, TRADES)).trades
    panels = panels_of(trades, SOURCES, "USDT")
    wide, slim = (panels_figure(panels, theme="dark", narrow=narrow) for narrow in (False, True))
    write_page(
        [Part(facts={}, wide=wide, slim=slim)], tmp_path / "trades.html", title="T", note="N", theme="dark"
    )
    opened.open(tmp_path / "trades.html", width)
    assert_apart(opened)
    assert opened.complaints == []


def test_a_page_rearranges_itself_when_the_window_narrows(opened, page_path):
    opened.open(page_path, 1400)
    wide = opened.run("charts[0].layout.margin.t")
    metrics = {"width": 390, "height": 900, "deviceScaleFactor": 1, "mobile": True}
    opened.ask("Emulation.setDeviceMetricsOverride", **metrics)
    opened.wait(f"charts[0].layout.margin.t > {wide}")
    opened.wait("document.documentElement.scrollWidth <= 390")
    assert opened.run("charts[0].layout.margin.t") > wide
    assert opened.run("charts[0].getBoundingClientRect().right") <= 390


def test_no_text_of_a_trade_can_end_or_swallow_the_page_s_script(opened, tmp_path):
    """An HTML parser that has read <!--<script> inside a script does not see its end."""
    import plotly.graph_objects as go

    for text in ("<!--<script>", "</script><script>document.title = 'taken'</script>", "<!--", "]]>"):
        drawn = go.Figure(go.Scatter(x=[1], y=[1], text=[text], name=text))
        path = tmp_path / "hostile.html"
        days = ("2026-01-01T00:00:00", "2026-01-02T00:00:00")
        rows = Part(facts={}, heading=text, table=[[text], [text]], places=[(f'"{text}', *days)])
        write_page([Part(facts={text: text}, wide=drawn), rows], path, title=text, note=text, theme="dark")
        opened.open(path, 1400)
        assert opened.run("document.querySelectorAll('.scatterlayer .trace').length") == 1
        assert opened.run("charts[0].data[0].text[0]") == text
        assert opened.run("document.title") == text
        assert opened.run("document.querySelector('tr[data-chart]').dataset.chart") == f'"{text}'
        assert opened.run("document.querySelector('.sorts td').textContent") == text
        data = path.read_text(encoding="utf-8").partition('id="figures">')[2].partition("</script>")[0]
        assert "<" not in data


def test_a_picture_is_taken(page_path, tmp_path):
    take_picture(page_path, tmp_path / "page.png", width=900, height=700)
    head = (tmp_path / "page.png").read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    assert tuple(np.frombuffer(head[16:24], ">u4")) == (900, 700)
