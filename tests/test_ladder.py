"""The ladder begins with the clusters of the columns, and holds every other one too."""

import io

import numpy as np
import pytest
from frames import random_candles, random_open_interest, small_config

from liqfeature import DataError, estimate_heatmap, liquidation_features
from liqfeature.clusters import ClusterRule
from liqfeature.heatmap import join_candles, walk_candles
from liqfeature.ladder import Ladder, Rung, cluster_ladder
from liqfeature.show import amount, ladder_table
from liqfeature.types import LONG, SHORT

CONFIG = small_config()
MARKETS = [random_candles(150, seed=seed) for seed in range(12)]


@pytest.mark.parametrize("where", ["above", "below"])
def test_the_first_rung_is_the_nearest_cluster_of_the_columns(where):
    compared = 0
    for seed, candles in enumerate(MARKETS):
        known = {"open_interest": random_open_interest(candles, seed)}
        row = liquidation_features(candles, CONFIG, **known).iloc[-1]
        rungs = getattr(cluster_ladder(candles, CONFIG, **known), where)
        assert bool(rungs) == np.isfinite(row[f"liq_near_{where}"])
        for name in ("near", "peak", "far", "distance", "notional", "density", "hit") if rungs else ():
            assert getattr(rungs[0], name) == pytest.approx(row[f"liq_{name}_{where}"]), name
            compared += 1
    assert compared > 20


def test_rungs_lie_apart_from_price_outward_and_the_strongest_is_among_them():
    several = 0
    for candles in MARKETS:
        ladder = cluster_ladder(candles, CONFIG)
        row = liquidation_features(candles, CONFIG).iloc[-1]
        for where, sign in (("above", 1), ("below", -1)):
            rungs = getattr(ladder, where)
            prices = [sign * price for rung in rungs for price in (rung.near, rung.peak, rung.far)]
            assert prices == sorted(prices)
            if rungs:
                assert row[f"liq_strongest_{where}"] in [rung.peak for rung in rungs]
            several += len(rungs) > 1
    assert several > 5


def test_a_rung_holds_what_the_map_holds_between_its_edges():
    for candles in MARKETS:
        heatmap, ladder = estimate_heatmap(candles, CONFIG), cluster_ladder(candles, CONFIG)
        assert (ladder.date, ladder.close) == (heatmap.date, heatmap.close)
        middle = (heatmap.edge[1:] + heatmap.edge[:-1]) / 2
        for rungs, held in ((ladder.above, heatmap.short), (ladder.below, heatmap.long)):
            for rung in rungs:
                inside = (middle > min(rung.near, rung.far)) & (middle < max(rung.near, rung.far))
                assert rung.notional == pytest.approx(np.sum(held[inside]))


def test_every_run_above_the_usual_is_one_rung():
    config = small_config(clusters=ClusterRule(ratio=0.4, least_share=0.0))
    for candles in MARKETS:
        ladder = cluster_ladder(candles, config)
        reading = walk_candles(join_candles(candles, config, None, None), config).reading
        for rungs, side in ((ladder.above, SHORT), (ladder.below, LONG)):
            over = np.concatenate([[False], reading.smooth[side] > reading.bar])
            assert len(rungs) == np.count_nonzero(over[1:] & ~over[:-1])


def test_too_few_candles_are_refused():
    with pytest.raises(DataError, match=f"at least {CONFIG.warmup}, the warm-up, received 20"):
        cluster_ladder(MARKETS[0].iloc[:20], CONFIG)


def rung(near, notional):
    return Rung(
        near=near, peak=near, far=near, distance=0.01, notional=notional, share=0.02, density=0.1, hit=0.5
    )


def printed(ladder):
    from rich.console import Console

    console = Console(file=io.StringIO(), width=120, no_color=True)
    console.print(ladder_table(ladder, "Title"))
    return console.file.getvalue().splitlines()


def test_the_table_runs_from_the_highest_price_down_with_bars_in_proportion():
    date = MARKETS[0]["date"].iloc[0]
    lines = printed(
        Ladder(date=date, close=100.0, above=(rung(101, 1e6), rung(105, 4e6)), below=(rung(98, 2e6),))
    )
    order = [next(i for i, line in enumerate(lines) if f" {price} " in line) for price in (105, 101, 100, 98)]
    assert order == sorted(order)
    bars = [lines[i].count("█") for i in order]
    assert bars == [20, 5, 0, 10]
    assert "4M" in lines[order[0]]
    assert "-1.00%" in lines[order[3]]


@pytest.mark.parametrize(
    ("notional", "text"), [(1.234e9, "1.23B"), (5e6, "5M"), (1500, "1.5k"), (12.3, "12.3")]
)
def test_amounts_have_three_digits(notional, text):
    assert amount(notional) == text
