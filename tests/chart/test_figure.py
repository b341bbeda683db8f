"""What a figure shows is what the columns say, in colours that mean one amount each."""

import dataclasses
import json
import re
import sys

import numpy as np
import pandas as pd
import pytest

from builders.charts import CANDLES, CONFIG, INPUTS
from builders.frames import random_candles
from liqfeature import ConfigError, DataError, HeatmapConfig, MissingExtraError, liquidation_features
from liqfeature.chart.figure import heatmap_figure
from liqfeature.chart.options import SHOWN
from liqfeature.chart.page import Part, write_page
from liqfeature.chart.picture import take_picture
from liqfeature.chart.sides import SIDED, side_choices, visible_sides
from liqfeature.chart.words import amount
from liqfeature.estimate.cascade import CascadeRule
from liqfeature.heatmap.clusters import cluster_ladder
from liqfeature.heatmap.colours import NOTHING, THEMES, common_scale, hidden_below, oklch, side_scale
from liqfeature.heatmap.history import heatmap_history

ROWS = liquidation_features(CANDLES, CONFIG, **INPUTS)


def figure(**changes):
    return heatmap_figure(CANDLES, CONFIG, **(INPUTS | changes))


FINE = figure(max_prices=100_000)
"""One column of time per candle, one row per bin."""


def trace(drawn, name):
    (found,) = [t for t in drawn.data if t.name == name]
    return found


def table(drawn, name):
    """Notional, share and age of a map, and the middle of its rows."""
    found = trace(drawn, name)
    edge = np.asarray(found.y)
    return np.asarray(found.z), np.moveaxis(np.asarray(found.customdata), -1, 0), (edge[1:] + edge[:-1]) / 2


@pytest.mark.parametrize("what", ["fuel", "cascade"])
@pytest.mark.parametrize("where", ["above", "below"])
def test_a_pane_shows_the_column_of_the_same_candle(what, where):
    shown = trace(FINE, f"{what} {where}")
    rows = ROWS.iloc[CONFIG.warmup - 1 :]
    assert np.asarray(shown.y) == pytest.approx(rows[f"liq_{what}_{where}"].to_numpy(), nan_ok=True)
    dates = CANDLES["date"].iloc[CONFIG.warmup - 1 :].dt.tz_localize(None)
    assert list(pd.to_datetime(shown.x)) == list(dates)


@pytest.mark.parametrize(("name", "where"), [("longs", "below"), ("shorts", "above")])
def test_frames_are_the_strongest_clusters_and_their_labels_say_what_they_hold(name, where):
    rungs = getattr(cluster_ladder(CANDLES, CONFIG, **INPUTS), where)
    shown = sorted(sorted(rungs, key=lambda rung: -rung.notional)[:3], key=lambda rung: rung.distance)
    frames = trace(FINE, f"clusters of {name}")
    corners = np.reshape(np.asarray(frames.y, dtype=float), (-1, 6))[:, :5]
    assert bool(shown) == (name == "shorts")  # the random market has none below
    assert [(min(of), max(of)) for of in corners] == [
        (min(rung.near, rung.far), max(rung.near, rung.far)) for rung in shown
    ]
    assert {pd.Timestamp(x, tz="UTC") for x in frames.x[:1]} <= {CANDLES["date"].iloc[-1]}
    labels = [a.text for a in FINE.layout.annotations if a.text.startswith(name)]
    sign = "+" if where == "above" else "-"
    assert labels == [
        f"{name} {amount(rung.notional)}, {sign}{rung.distance:.1%}, touched {rung.hit:.0%}" for rung in shown
    ]


def test_a_class_of_leverage_has_no_clusters_of_its_own():
    assert not [a.text for a in figure(leverage=(20, 50)).layout.annotations if "touched" in a.text]


@pytest.mark.parametrize(("name", "where"), [("longs", "below"), ("shorts", "above")])
def test_cells_between_the_edges_hold_the_column_s_notional_and_share(name, where):
    notional, (share, age), price = table(FINE, name)
    compared = 0
    for i, (_, row) in enumerate(ROWS.iloc[CONFIG.warmup - 1 :].iterrows()):
        near, far = row[f"liq_near_{where}"], row[f"liq_far_{where}"]
        inside = (price > min(near, far)) & (price < max(near, far))
        if np.isnan(near) or not inside.any():
            continue
        held = np.nan_to_num(notional[inside, i])
        assert np.sum(held) == pytest.approx(row[f"liq_notional_{where}"], rel=1e-4)
        width = abs(far - near) / CANDLES["close"].iloc[CONFIG.warmup - 1 + i]
        assert np.nansum(share[inside, i]) / width / 100 == pytest.approx(
            row[f"liq_density_{where}"], rel=1e-3
        )
        compared += 1
    assert compared > 20
    cells = getattr(heatmap_history(CANDLES, CONFIG, **INPUTS, max_prices=100_000), name.removesuffix("s"))
    assert np.sort(12 * age[notional > 0]) == pytest.approx(np.sort(cells.age), rel=1e-3)


def test_what_rests_now_adds_up_away_from_price():
    for name, sign in (("longs", -1), ("shorts", 1)):
        bars, line = trace(FINE, f"{name} now"), trace(FINE, f"{name} cumulated")
        order = np.argsort(sign * np.asarray(line.y))
        cumulated = np.asarray(line.x)[order]
        assert np.all(np.diff(cumulated) >= 0)
        assert cumulated[-1] == pytest.approx(np.sum(bars.x))
        last = table(FINE, name)[0][:, -1]
        assert np.sum(bars.x) == pytest.approx(np.nansum(last), rel=1e-5)


def test_total_within_the_band_is_the_column_s():
    bars, close = trace(FINE, "longs now"), CANDLES["close"].iloc[-1]
    inside = np.asarray(bars.y) > close * (1 - CONFIG.band)
    assert np.sum(np.asarray(bars.x)[inside]) == pytest.approx(ROWS["liq_total_below"].iloc[-1], rel=0.02)


def test_gathered_columns_show_the_largest_fuel():
    coarse = figure(max_times=30)
    rows = ROWS.iloc[CONFIG.warmup - 1 :].reset_index(drop=True)
    span = -(-len(rows) // 30)
    groups = rows.groupby(rows.index // span)
    fuel = groups["liq_fuel_below"].max().to_numpy()
    assert np.asarray(trace(coarse, "fuel below").y) == pytest.approx(fuel, nan_ok=True)
    assert f"the {span} candles" in coarse.layout.annotations[-1].text.replace("<br>", " ")


def test_open_interest_is_in_quote_currency():
    shown = np.asarray(trace(FINE, "open interest").y)
    known = INPUTS["open_interest"].set_index("date")["open_interest_amount"]
    date = CANDLES["date"].iloc[-1]
    assert shown[-1] == pytest.approx(known[date] * CANDLES["close"].iloc[-1])


def test_recorded_liquidations_stand_in_the_column_in_which_they_happened():
    date = CANDLES["date"]
    recorded = pd.DataFrame(
        {
            "date": [
                date.iloc[300] + pd.Timedelta(seconds=299),
                date.iloc[300],
                date.iloc[301],
                date.iloc[0],
                date.iloc[-1] + pd.Timedelta(minutes=5),
            ],
            "side": ["long", "long", "short", "long", "short"],
            "notional": [10.0, 5.0, 7.0, 1e6, 1e6],
        }
    )
    drawn = figure(liquidations=recorded)
    longs, shorts = (trace(drawn, f"recorded {side}s") for side in ("long", "short"))
    at = 300 - (CONFIG.warmup - 1)
    assert longs.y[at] == -15.0
    assert longs.customdata[at] == 15.0
    assert shorts.y[at + 1] == 7.0
    assert np.sum(np.abs(longs.y)) == 15.0
    assert np.sum(shorts.y) == 7.0
    with pytest.raises(DataError, match="'side' must hold long or short, received 'sell'"):
        figure(liquidations=recorded.assign(side="sell"))


def test_recorded_totals_are_shown_and_mean_what_they_mean_to_the_columns():
    config = dataclasses.replace(CONFIG, cascade=CascadeRule(recorded_share=0.01))
    hour = CANDLES["date"].dt.floor("1h").drop_duplicates().reset_index(drop=True)
    totals = pd.DataFrame({"date": hour, "long": np.arange(len(hour)) * 1e3, "short": 5e3})
    drawn = heatmap_figure(CANDLES, config, **INPUTS, liquidations=totals)
    longs = trace(drawn, "recorded longs")
    shown = pd.Series(longs.customdata, pd.to_datetime(longs.x).tz_localize("UTC"))
    last = totals.iloc[-1]
    assert shown[last["date"]] == last["long"]
    assert shown[shown.index.minute > 0].sum() == 0
    rows = liquidation_features(CANDLES, config, **INPUTS, liquidations=totals).iloc[config.warmup - 1 :]
    cascade = rows["liq_cascade_below"].to_numpy()
    assert np.asarray(trace(drawn, "cascade below").y) == pytest.approx(cascade, nan_ok=True)
    assert not np.allclose(cascade, ROWS["liq_cascade_below"].iloc[config.warmup - 1 :], equal_nan=True)


def test_a_wick_that_the_mark_price_did_not_follow_leaves_the_map_standing():
    flat = CANDLES.assign(
        high=CANDLES[["open", "close"]].max(axis=1), low=CANDLES[["open", "close"]].min(axis=1)
    )
    wicked = CANDLES.assign(low=flat["low"].where(CANDLES.index != 400, flat["low"] * 0.9))
    swept, kept = (heatmap_figure(wicked, CONFIG, **INPUTS, mark=mark) for mark in (None, flat))
    assert np.nansum(trace(swept, "longs").z[:, -1]) < 0.9 * np.nansum(trace(kept, "longs").z[:, -1])


@pytest.mark.parametrize("side", SHOWN)
def test_one_scale_holds_in_every_part(side):
    layout = figure(side=side).layout
    assert layout.coloraxis.cmin == layout.coloraxis2.cmin == 0
    assert layout.coloraxis.cmax == layout.coloraxis2.cmax > 0
    for name, axis in (("longs", "coloraxis"), ("shorts", "coloraxis2")):
        assert trace(FINE, name).coloraxis == axis
    same = layout.coloraxis.colorscale == layout.coloraxis2.colorscale
    assert same == (side == "one")


def test_the_least_cells_are_hidden_and_full_colour_is_kept_for_few():
    held = np.concatenate([table(FINE, name)[0].ravel() for name in ("longs", "shorts")])
    held, axis = held[~np.isnan(held)], FINE.layout.coloraxis
    assert np.mean(held > axis.cmax) == pytest.approx(0.005, abs=0.002)
    shown = next(at for at, colour in axis.colorscale if colour != NOTHING)
    assert np.mean(held < shown * axis.cmax) == pytest.approx(0.7, abs=0.01)
    assert axis.colorscale[0][1] == axis.colorscale[1][1] == NOTHING
    assert axis.colorscale[1][0] == shown


def test_nothing_is_hidden_where_nothing_is_to_be():
    scale = common_scale(THEMES["dark"])
    assert hidden_below(scale, 0.0) == scale
    positions = [at for at, _ in hidden_below(scale, 0.4)]
    assert positions == sorted(positions)
    assert positions[-1] == 1.0


def test_choices_show_and_hide_a_side_in_every_part():
    names = [t.name for t in FINE.data[:SIDED]]
    for choice, gone in (("long", "shorts"), ("short", "longs")):
        for name, shown in zip(names, visible_sides(choice), strict=True):
            assert shown != (gone in name), name
    assert all(visible_sides("both"))
    assert all(visible_sides("one"))
    assert [t.visible for t in figure(side="long").data[:SIDED]] == visible_sides("long")
    assert not any(
        word in (t.name or "") for t in FINE.data[SIDED:] for word in ("clusters", "now", "cumulated")
    )
    choices = {choice["name"]: choice for choice in side_choices(THEMES["dark"], "USDT", 0.3, [0, 0, 1])}
    assert list(choices) == list(SHOWN)
    hidden = [choices["long"]["layout"][f"annotations[{i}].visible"] for i in range(3)]
    assert hidden == [True, True, False]


def lightness(colour):
    """Lightness in OKLab, from sRGB; Ottosson's matrices in the other direction."""
    levels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in levels)
    long = 0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b
    medium = 0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b
    short = 0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b
    return 0.2104542553 * long ** (1 / 3) + 0.7936177850 * medium ** (1 / 3) - 0.0040720468 * short ** (1 / 3)


@pytest.mark.parametrize("name", THEMES)
def test_lightness_tells_the_amount_and_is_the_same_for_both_sides(name):
    theme = THEMES[name]
    scales = [side_scale(theme, 235.0), side_scale(theme, 60.0), common_scale(theme)]
    told = [[lightness(colour) for _, colour in scale] for scale in scales]
    for levels in told:
        steps = np.diff(levels) * np.sign(theme.lightness[1] - theme.lightness[0])
        assert np.all(steps > 0)
        assert np.max(steps) - np.min(steps) < 0.012
    assert np.max(np.abs(np.diff(told, axis=0))) < 0.012
    assert [position for position, _ in scales[0]] == pytest.approx(np.linspace(0, 1, len(scales[0])))


def test_colours_are_those_that_others_compute():
    assert oklch(1.0, 0.0, 0.0) == "#ffffff"
    assert oklch(0.0, 0.0, 0.0) == "#000000"
    assert oklch(0.5880, 0.0993, 245.74) == "#4682b4"  # CSS's steelblue
    assert oklch(0.5, 0.4, 30.0) == oklch(0.5, 0.3, 30.0)  # no screen shows either


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"theme": "grey"}, "theme must be one of dark, light, received 'grey'"),
        ({"side": "left"}, "side must be one of one, both, long, short, received 'left'"),
        ({"margin": 2}, "margin must be at least 0 and below 1, received 2"),
    ],
)
def test_a_broken_rule_is_named(changes, message):
    with pytest.raises(ConfigError, match=message):
        figure(**changes)


def test_without_plotly_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "plotly.graph_objects", None)
    with pytest.raises(MissingExtraError, match=r"plotly is not installed: pip .*'liqfeature\[chart\]'"):
        figure()


def test_without_a_browser_the_message_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        MissingExtraError,
        match=r"need Chromium or Chrome, and none was found on PATH; .*page\.html is written: open it",
    ):
        take_picture(tmp_path / "page.html", tmp_path / "page.png", width=100, height=100)


def page_of(tmp_path, title="Title", **changes):
    wide, slim = figure(**changes), figure(**changes, narrow=True)
    write_page(
        [Part(facts={}, wide=wide, slim=slim)],
        tmp_path / "page.html",
        title=title,
        note="Note.",
        theme="dark",
    )
    return (tmp_path / "page.html").read_text(encoding="utf-8")


def without_plotly(page):
    before, _, rest = page.partition('<script id="plotly">')
    return before + rest.partition("</script>\n</head>")[2]


def test_a_page_asks_nobody_for_anything(tmp_path):
    rest = without_plotly(page_of(tmp_path))
    assert len(rest) > 1000
    assert not re.search(r"https?:|[\"'(]//", rest)
    assert not re.search(r"<(script|link|img)[^>]*(src|href)=", rest)


def test_a_page_holds_the_figure_and_escapes_what_it_is_given(tmp_path):
    page = page_of(tmp_path, title="</script><b>&", unit="</script>")
    figures = re.search(r'<script type="application/json" id="figures">(.*?)</script>', page, re.DOTALL)
    assert len(json.loads(figures[1])[0]["data"]) == len(FINE.data)
    assert "<h1>&lt;/script&gt;&lt;b&gt;&amp;</h1>" in page


def test_the_page_of_a_month_is_not_large(tmp_path):
    config = HeatmapConfig()
    candles = random_candles(config.warmup + 8640, seed=3, volatility=0.001)
    wide = heatmap_figure(candles, config)
    write_page([Part(facts={}, wide=wide)], tmp_path / "page.html", title="Month", note="", theme="dark")
    assert len(without_plotly((tmp_path / "page.html").read_text())) < 6e6
