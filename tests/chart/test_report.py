"""A report tells what Freqtrade's archive says, beside what the map said at the time."""

import numpy as np
import pandas as pd
import pytest

from builders.backtests import CANDLES, FEATURES, SOURCES, TRADES, archive, trade
from liqfeature.chart.equity import equity_figure
from liqfeature.chart.report import report_parts
from liqfeature.chart.trades import OUTCOMES, outcome, outcomes_by_density, trade_traces, with_entry_row
from liqfeature.data.backtest import load_backtest
from liqfeature.heatmap.colours import THEMES


@pytest.mark.parametrize(
    ("reason", "tags", "expected"),
    [
        ("peak", ("entry", "near_edge"), "second target"),
        ("stop_loss", ("entry", "near_edge"), "first target only"),
        ("stop_loss", ("entry",), "stop"),
        ("liquidation", ("entry",), "stop"),
        ("cascade_behind", ("entry",), "neither"),
    ],
)
def test_outcomes_go_by_exit_reason_and_tags(reason, tags, expected):
    assert outcome(trade(2400, 2410, reason=reason, tags=tags)) == expected


def known(tmp_path):
    trades = load_backtest(archive(tmp_path, TRADES)).trades
    return with_entry_row(trades, CANDLES, FEATURES)


def test_the_map_ahead_of_a_trade_is_that_of_the_last_closed_candle(tmp_path):
    rows = known(tmp_path)
    for (_, found), (opened, where) in zip(
        rows.iterrows(), [(2400, "above"), (2500, "above"), (2600, "below")], strict=True
    ):
        row = FEATURES.iloc[opened - 1]
        assert found["target"] == pytest.approx(row[f"liq_near_{where}"], nan_ok=True)
        assert found["density"] == pytest.approx(row[f"liq_density_{where}"], nan_ok=True)
    assert rows["outcome"].tolist() == ["second target", "stop", "first target only"]
    assert rows["target"].notna().any()


def test_trades_are_drawn_where_they_were_entered_and_left(tmp_path):
    import plotly.graph_objects as go

    rows = known(tmp_path)
    drawn = {t.name: t for t in trade_traces(rows, go, THEMES["dark"])}
    assert list(drawn["entries"].y) == rows["open_rate"].tolist()
    assert list(drawn["exits"].y) == rows["close_rate"].tolist()
    assert list(drawn["entries"].marker.symbol) == ["triangle-up", "triangle-up", "triangle-down"]
    assert list(drawn["lost"].y[:2]) == [rows["open_rate"][1], rows["close_rate"][1]]
    assert len(drawn["won"].y) == 6
    opened = rows["open_date"].dt.tz_localize(None)
    assert list(pd.to_datetime(drawn["entries"].x)) == list(opened)


def test_outcomes_are_counted_from_thin_to_dense():
    trades = pd.DataFrame(
        {
            "density": [0.01, 0.02, 0.03, 0.2, 0.3, 0.4, np.nan],
            "outcome": ["stop", "stop", "neither", "second target", "second target", "stop", "stop"],
        }
    )
    table = outcomes_by_density(trades, groups=2)
    assert list(table.columns) == list(OUTCOMES)
    assert table["stop"].tolist() == [2, 1]
    assert table["second target"].tolist() == [0, 2]
    assert table.to_numpy().sum() == 6
    assert outcomes_by_density(trades.iloc[:1]).loc["all", "stop"] == 1
    assert outcomes_by_density(trades.iloc[6:]).empty


def test_equity_drawdown_and_market_are_those_of_the_backtest(tmp_path):
    backtest = load_backtest(archive(tmp_path, TRADES))
    traces = {t.name: t for t in equity_figure(backtest, THEMES["dark"], [CANDLES, CANDLES]).data}
    assert list(traces["equity"].y) == pytest.approx([1000.0, 1005.0, 1002.0, 1003.0])
    assert list(traces["drawdown"].y) == pytest.approx([0.0, 0.0, -3 / 1005, -2 / 1005])
    market = traces["market"]
    first, last = (pd.Timestamp(market.x[i], tz="UTC") for i in (0, -1))
    close = CANDLES.set_index("date")["close"]
    assert first == pd.Timestamp(backtest.figures["backtest_start"], tz="UTC")
    assert market.y[0] == 1000.0
    assert market.y[-1] == pytest.approx(1000.0 * close[last] / close[first])
    assert "market" not in {t.name for t in equity_figure(backtest, THEMES["dark"]).data}


def test_the_table_holds_every_trade_and_where_it_was(tmp_path):
    backtest = load_backtest(archive(tmp_path, TRADES))
    (part,) = [p for p in report_parts(backtest, SOURCES, "dark") if p.places]
    assert len(part.table) == len(TRADES) + 1
    assert [row[-1] for row in part.table[1:]] == ["+5.00", "-3.00", "+1.00"]
    for (pair, opened, closed), trade_ in zip(part.places, backtest.trades.to_dict("records"), strict=True):
        assert pair == trade_["pair"]
        assert (pd.Timestamp(opened, tz="UTC"), pd.Timestamp(closed, tz="UTC")) == (
            trade_["open_date"],
            trade_["close_date"],
        )
