"""Single trades in pictures: which are chosen, and that each mark stands where the order was filled."""

import numpy as np
import pandas as pd
import pytest

from builders.backtests import CANDLES, FEATURES, SOURCES, TRADES, archive, trade
from liqfeature import ConfigError
from liqfeature.chart.choice import sales, typical_trades
from liqfeature.chart.panel_traces import panels_figure
from liqfeature.chart.panels import MAP, panels_of
from liqfeature.data.backtest import load_backtest
from liqfeature.heatmap.export import history_frame
from liqfeature.sides import LONG, SHORT

PAIR = "BTC/USDT:USDT"


SOLD = ("entry", "near_edge", "time")


def loaded(tmp_path, trades=TRADES):
    return load_backtest(archive(tmp_path, trades)).trades


def table(*rows):
    """Trades by tag, profit and reasons, with an order for each reason."""
    made = [
        {
            "enter_tag": tag,
            "profit_abs": 10.0 * profit,
            "profit_ratio": profit,
            "orders": trade(2400, 2410, tags=("entry", *reasons))["orders"],
        }
        for tag, profit, *reasons in rows
    ]
    return pd.DataFrame(made)


MADE = table(
    ("b", 0.3, "peak"),
    ("b", 0.1, "near_edge", "peak"),
    ("b", 0.2, "time"),
    ("b", -0.4, "stop"),
    ("a", -0.1, "stop"),
    ("a", -0.3, "near_edge", "stop"),
)


def test_of_each_tag_the_median_winner_and_the_median_loser_are_chosen():
    assert typical_trades(MADE, "enter_tag").index.tolist() == [5, 2, 3]  # a has no winner; the lower of two


def test_of_each_reason_the_median_trade_is_chosen_parts_sold_included():
    chosen = typical_trades(MADE, "exit_reason")  # near_edge, peak, stop, time
    assert chosen.index.tolist() == [5, 1, 5, 2]
    assert typical_trades(MADE, "exit_reason", ["time", "peak"]).index.tolist() == [2, 1]
    assert typical_trades(MADE.iloc[::-1], "exit_reason").index.tolist() == [5, 1, 5, 2]


def test_what_does_not_occur_is_named():
    with pytest.raises(
        ConfigError, match=r"exit_reason must be one that occurs, near_edge.*received 'funding'"
    ):
        typical_trades(MADE, "exit_reason", ["funding"])
    with pytest.raises(ConfigError, match="by must be one of enter_tag, exit_reason, received 'pair'"):
        typical_trades(MADE, "pair")


def test_sales_are_the_closing_orders_in_time():
    made = trade(2400, 2450, tags=SOLD)
    made["orders"].reverse()
    first, last = sales(made)
    assert (first.reason, last.reason) == ("near_edge", "time")
    assert (first.date, last.date) == (CANDLES["date"].iloc[2425], CANDLES["date"].iloc[2450])
    assert last.price == CANDLES["close"].iloc[2450]


def test_an_order_that_was_not_filled_sold_nothing():
    made = trade(2400, 2450, tags=SOLD)
    made["orders"][1]["order_filled_timestamp"] = None
    assert [sale.reason for sale in sales(made)] == ["time"]


def drawn(panels, name, number=""):
    figure = panels_figure(panels, theme="dark")
    (found,) = [t for t in figure.data if t.name == name and t.xaxis == f"x{number}"]
    return [(pd.Timestamp(x, tz="UTC"), y) for x, y in zip(found.x, found.y, strict=True)]


def test_each_mark_stands_where_the_order_was_filled(tmp_path):
    (panel,) = panels_of(loaded(tmp_path, [trade(2400, 2450, tags=SOLD)]), SOURCES, "USDT")
    made = trade(2400, 2450)
    opened, closed = (CANDLES["date"].iloc[i] for i in (2400, 2450))
    assert drawn([panel], "entry, the way of the trade") == [(opened, made["open_rate"])]
    assert drawn([panel], "part sold") == [(CANDLES["date"].iloc[2425], CANDLES["close"].iloc[2425])]
    assert drawn([panel], "exit with a profit") == [(closed, made["close_rate"])]
    assert drawn([panel], "stop, where it stood last") == [(opened, 90.0), (closed, 90.0)]
    assert panel.title == "BTC long: <b>tag → near_edge, time, +5.0 USDT"


@pytest.mark.parametrize("is_short", [False, True])
def test_frames_are_the_clusters_of_the_last_candle_closed_before_the_entry(tmp_path, is_short):
    sided = FEATURES[["liq_near_above", "liq_near_below"]].notna().all(axis=1)
    entry = int(np.flatnonzero(sided.to_numpy()[2400:2600])[0]) + 2401
    made = [trade(entry, entry + 30, is_short=is_short, tags=("entry", "peak"))]
    (panel,) = panels_of(loaded(tmp_path, made), SOURCES, "USDT")
    row, where = FEATURES.iloc[entry - 1], ("below", "above") if is_short else ("above", "below")
    assert panel.ahead == (row[f"liq_near_{where[0]}"], row[f"liq_far_{where[0]}"])
    assert panel.behind == (row[f"liq_near_{where[1]}"], row[f"liq_far_{where[1]}"])
    frame = drawn([panel], "cluster ahead at entry")
    assert {price for _, price in frame} == set(panel.ahead)
    assert {date for date, _ in frame} == {CANDLES["date"].iloc[i] for i in (entry, entry + 30)}


def test_everything_of_a_trade_lies_inside_its_panel(tmp_path):
    for panel in panels_of(loaded(tmp_path), SOURCES, "USDT"):
        assert panel.history.date[0] < panel.opened
        assert panel.closed < panel.history.last[-1]
        prices = [panel.entry, panel.stop, panel.bars["low"].min(), panel.bars["high"].max()]
        assert panel.lowest < min(prices)
        assert max(prices) < panel.highest


@pytest.mark.parametrize("rows", [120, 25])
def test_the_map_is_a_density_so_that_its_sum_does_not_depend_on_the_rows(tmp_path, monkeypatch, rows):
    """Over percents of price it adds up to what rests there, as a share of open interest."""
    monkeypatch.setitem(MAP, "max_prices", rows)
    (panel,) = panels_of(loaded(tmp_path, TRADES[:1]), SOURCES, "USDT")
    history = panel.history
    assert len(history.price) <= rows
    assert history.span == 1
    percents = 100 * np.diff(np.log(history.edge))
    resting = history_frame(history).groupby(["side", "date"])["notional"].sum()
    for side, name in ((LONG, "long"), (SHORT, "short")):
        summed = (np.nan_to_num(panel.density(side)) * percents[:, None]).sum(axis=0)
        share = resting[name].to_numpy() / (history.open_interest * history.close)
        np.testing.assert_allclose(summed, share, rtol=0.05)  # of the distance of rows from the close
        assert 0 < np.median(summed) < 1


def test_every_panel_has_axes_of_its_own_and_the_legend_names_a_thing_once(tmp_path):
    panels = panels_of(loaded(tmp_path), SOURCES, "USDT")
    figure = panels_figure(panels, theme="light")
    assert [a.text for a in figure.layout.annotations] == [panel.title for panel in panels]
    for i, panel in enumerate(panels):
        number = str(i + 1) if i else ""
        assert tuple(figure.layout[f"yaxis{number}"].range) == (panel.lowest, panel.highest)
        assert sum(t.name == "price" and t.xaxis == f"x{number}" for t in figure.data) == 1
    domains = [(figure.layout[f"xaxis{n}"].domain, figure.layout[f"yaxis{n}"].domain) for n in ("", 2, 3)]
    assert len(set(domains)) == 3
    names = [t.name for t in figure.data if t.showlegend]
    assert len(names) == len(set(names))
    assert {"exit with a profit", "exit with a loss", "part sold"} <= set(names)
