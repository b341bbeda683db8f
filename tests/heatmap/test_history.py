"""The map through time agrees with the map at one candle, whatever the range, and loses no peak."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from builders.frames import random_candles, random_funding, random_open_interest
from builders.naive import NaiveScan
from liqfeature import ConfigError, DataError, HeatmapConfig, estimate_heatmap, liquidation_features
from liqfeature.heatmap.export import column_candles, history_frame, history_json, write_history
from liqfeature.heatmap.history import heatmap_history
from liqfeature.market.market import Market
from liqfeature.sides import LONG, SHORT

CONFIG = HeatmapConfig(max_age=96, lookback=24)
CANDLES = random_candles(420, seed=7, gaps=0.01)
INPUTS = {
    "open_interest": random_open_interest(CANDLES, 8),
    "funding_rate": random_funding(CANDLES, 9, size=0.0005),
}
WIDE = 0.9
"""Margin beyond which nothing rests on these candles."""


def history(**changes):
    return heatmap_history(CANDLES, CONFIG, **(INPUTS | {"margin": WIDE, "max_prices": 100_000} | changes))


def dense(found, side, what="notional"):
    cells = getattr(found, side)
    table = np.zeros((len(found.date), len(found.price)))
    table[cells.time, cells.price] = getattr(cells, what)
    return table


@pytest.mark.parametrize("row", [-1, -37, -150])
def test_a_column_is_the_map_at_the_close_of_its_candle(row):
    found = history()
    stop = len(CANDLES) + row + 1
    known = CANDLES.iloc[:stop]
    heatmap = estimate_heatmap(known, CONFIG, **INPUTS)
    begin = int(np.searchsorted(found.edge, heatmap.edge[0] * (1 - 1e-12)))
    at = slice(begin, begin + len(heatmap.long))
    assert found.date[row] == heatmap.date
    assert found.close[row] == heatmap.close
    assert found.edge[begin : begin + len(heatmap.edge)] == pytest.approx(heatmap.edge)
    for side in ("long", "short"):
        whole = dense(found, side)[row]
        assert whole[at] == pytest.approx(getattr(heatmap, side))
        assert np.sum(whole) == pytest.approx(np.sum(getattr(heatmap, side)))


def test_notional_of_the_nearest_cluster_is_that_of_the_columns():
    found = history()
    rows = liquidation_features(CANDLES, CONFIG, **INPUTS).iloc[-len(found.date) :]
    compared = 0
    for side, where in (("long", "below"), ("short", "above")):
        notional = dense(found, side)
        for i in range(len(rows)):
            edges = rows[[f"liq_near_{where}", f"liq_far_{where}"]].iloc[i]
            if edges.isna().any():
                continue
            inside = (found.price > edges.min()) & (found.price < edges.max())
            held = np.sum(notional[i, inside])
            assert held == pytest.approx(rows[f"liq_notional_{where}"].iloc[i], rel=1e-9)
            compared += 1
    assert compared > 50


def test_ages_of_the_last_column_are_those_of_a_list_of_positions():
    newest = CANDLES.iloc[:240].reset_index(drop=True)
    found = heatmap_history(newest, CONFIG, **INPUTS, margin=WIDE, max_prices=100_000)
    twin = NaiveScan(Market.of(newest, CONFIG.join_rule, **INPUTS), CONFIG).run()
    first = round(np.log(found.edge[0]) / CONFIG.grid.width)
    for number, side in ((LONG, "long"), (SHORT, "short")):
        age, notional = dense(found, side, "age")[-1], dense(found, side)[-1]
        ages = {b - first: mean for (s, b), mean in twin.ages(len(newest) - 1).items() if s == number}
        assert {int(row) for row in np.nonzero(notional)[0]} <= set(ages)
        assert [age[row] for row in ages] == pytest.approx(list(ages.values()), rel=1e-4, abs=1e-3)


def test_a_range_shows_the_same_as_the_whole():
    whole = history()
    first, last = CANDLES["date"].iloc[[250, 330]]
    part = history(first=first, last=last)
    assert list(part.date) == list(CANDLES["date"].iloc[250:331])
    rows = np.searchsorted(whole.edge, part.edge * (1 - 1e-12))
    columns = np.searchsorted(whole.date, part.date)
    assert whole.edge[rows] == pytest.approx(part.edge)
    for side in ("long", "short"):
        assert dense(part, side) == pytest.approx(dense(whole, side)[np.ix_(columns, rows[:-1])], rel=1e-9)


def test_columns_of_several_candles_hold_the_largest_of_them_and_its_age():
    whole, coarse = history(), history(max_times=40)
    span = coarse.span
    assert span == -(-len(whole.date) // 40)
    for side in ("long", "short"):
        notional, age = dense(whole, side), dense(whole, side, "age")
        for i in range(len(coarse.date)):
            bucket = notional[i * span : (i + 1) * span]
            assert dense(coarse, side)[i] == pytest.approx(bucket.max(axis=0))
            picked = np.take_along_axis(age[i * span : (i + 1) * span], bucket.argmax(axis=0)[None], 0)[0]
            held = bucket.max(axis=0) > 0
            assert dense(coarse, side, "age")[i, held] == pytest.approx(picked[held])
    assert list(coarse.date) == list(whole.date[::span])
    assert coarse.last[-1] == whole.date[-1]


def test_rows_of_several_bins_hold_their_sum():
    fine, coarse = history(), history(max_prices=90)
    assert len(coarse.price) <= 90
    rows = np.searchsorted(coarse.edge, fine.price) - 1
    inside = (rows >= 0) & (rows < len(coarse.price))
    for side in ("long", "short"):
        sums = np.zeros((len(fine.date), len(coarse.price)))
        np.add.at(sums.T, rows[inside], dense(fine, side).T[inside])
        assert dense(coarse, side) == pytest.approx(sums, rel=1e-9)


def test_parts_by_leverage_add_up_to_the_whole():
    whole = history(margin=0.3)
    parts = [history(margin=0.3, leverage=classes) for classes in ((1, 10), (11, 50), (51, 200))]
    for side in ("long", "short"):
        total = sum(np.sum(getattr(part, side).notional) for part in parts)
        assert total == pytest.approx(np.sum(getattr(whole, side).notional), rel=1e-9)
        assert all(getattr(part, side).notional.size for part in parts)


def test_low_leverage_is_liquidated_far_from_price():
    low, high = history(leverage=(2, 5)), history(leverage=(50, 200))
    reach = [np.max(np.abs(np.log(h.price[h.short.price] / h.close[h.short.time]))) for h in (low, high)]
    assert reach[0] > 2 * reach[1]


def test_what_rests_now_is_the_last_candle_s_also_where_columns_hold_several():
    whole, coarse = history(), history(max_times=3)
    for side, live in zip(("long", "short"), coarse.live, strict=True):
        assert live == pytest.approx(dense(whole, side)[-1])
        assert np.sum(live) < np.sum(dense(coarse, side)[-1])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_times": 0}, "max_times must be at least 1, received 0"),
        ({"max_prices": 0}, "max_prices must be at least 1, received 0"),
        ({"margin": 1.0}, "margin must be at least 0 and below 1, received 1.0"),
        ({"leverage": (200, 300)}, "leverage must be a range with one of the leverages that occur, 2, 3"),
    ],
)
def test_a_broken_rule_is_named(changes, message):
    with pytest.raises(ConfigError, match=message.replace("(", r"\(")):
        history(**changes)


def test_too_few_candles_are_refused():
    with pytest.raises(DataError, match=f"the range with {CONFIG.warmup - 1} before it"):
        heatmap_history(CANDLES.iloc[: CONFIG.warmup - 1], CONFIG)
    with pytest.raises(DataError, match="the range with"):
        history(first=pd.Timestamp("2030-01-01", tz="UTC"))


def test_the_table_holds_every_cell():
    found = history(max_times=50, max_prices=120)
    table = history_frame(found)
    assert list(table.columns) == ["date", "side", "low", "high", "notional", "age"]
    for side in ("long", "short"):
        rows = table[table["side"] == side]
        assert rows["notional"].tolist() == getattr(found, side).notional.tolist()
        assert (rows["low"] < rows["high"]).all()
        assert rows["date"].tolist() == list(found.date[getattr(found, side).time])


def test_the_json_answers_as_its_model_does(tmp_path):
    found = history(max_times=50, max_prices=120)
    write_history(found, CANDLES, tmp_path / "map.json")
    answer = json.loads((tmp_path / "map.json").read_text())
    assert answer == history_json(found, CANDLES)
    both = dense(found, "long") + dense(found, "short")
    for i, j, value in answer["liquidation_leverage_data"]:
        assert value == pytest.approx(both[i, j], rel=1e-5)
    assert len(answer["liquidation_leverage_data"]) == np.count_nonzero(both)
    assert answer["y_axis"] == pytest.approx(found.price)
    bars = answer["price_candlesticks"]
    assert [bar[0] for bar in bars] == [int(date.timestamp()) for date in found.date]
    assert [float(bar[4]) for bar in bars] == pytest.approx(found.close)
    assert answer["update_time"] == int(CANDLES["date"].iloc[-1].timestamp() + 300) * 1000


def test_candles_of_a_column_span_its_highs_and_lows():
    found = history(max_times=50)
    bars = column_candles(found, CANDLES)
    shown = CANDLES[CANDLES["date"] >= found.date[0]]
    assert len(bars) == len(found.date)
    assert bars["high"].max() == shown["high"].max()
    assert bars["low"].min() == shown["low"].min()
    assert bars["volume"].sum() == pytest.approx(shown["volume"].sum())
    assert bars["open"].iloc[0] == shown["open"].iloc[0]


def test_a_table_is_written_by_its_suffix(tmp_path):
    found = history(max_times=20, max_prices=60)
    write_history(found, CANDLES, tmp_path / "map.parquet")
    assert len(pd.read_parquet(tmp_path / "map.parquet")) == len(history_frame(found))
    with pytest.raises(ConfigError, match=r"must end in \.parquet, \.feather or \.json, received map\.csv"):
        write_history(found, CANDLES, tmp_path / "map.csv")


def test_without_funding_and_open_interest_there_is_a_map_too():
    found = heatmap_history(CANDLES, replace(CONFIG, band=0.1), max_times=10)
    assert found.long.notional.size
    assert found.short.notional.size
