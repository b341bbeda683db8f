"""The ladder begins with the clusters of the columns, and holds every other one too."""

import numpy as np
import pytest

from builders.frames import random_candles, random_open_interest, small_config
from liqfeature import DataError, estimate_heatmap, liquidation_features
from liqfeature.estimate.clusters import ClusterRule
from liqfeature.estimate.prepare import walk_market
from liqfeature.heatmap.clusters import cluster_ladder
from liqfeature.heatmap.history import heatmap_history
from liqfeature.market.market import Market
from liqfeature.sides import LONG, SHORT

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


def test_rungs_lie_apart_from_price_outward():
    several = 0
    for candles in MARKETS:
        ladder = cluster_ladder(candles, CONFIG)
        row = liquidation_features(candles, CONFIG).iloc[-1]
        for where, sign in (("above", 1), ("below", -1)):
            rungs = getattr(ladder, where)
            prices = [sign * price for rung in rungs for price in (rung.near, rung.peak, rung.far)]
            assert prices == sorted(prices)
            if rungs:
                assert row[f"liq_peak_{where}"] == rungs[0].peak
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


def test_the_age_of_a_rung_is_that_of_its_cells():
    for candles in MARKETS:
        ladder, map_ = cluster_ladder(candles, CONFIG), heatmap_history(candles, CONFIG, max_prices=100_000)
        middle = (map_.edge[1:] + map_.edge[:-1]) / 2
        for rungs, cells in ((ladder.above, map_.short), (ladder.below, map_.long)):
            newest = cells.time == len(map_.date) - 1
            at, age, amount = middle[cells.price], cells.age, cells.notional / middle[cells.price]
            for rung in rungs:
                inside = newest & (at > min(rung.near, rung.far)) & (at < max(rung.near, rung.far))
                assert rung.age == pytest.approx(np.average(age[inside], weights=amount[inside]), rel=1e-3)


def test_every_run_above_the_usual_is_one_rung():
    config = small_config(clusters=ClusterRule(ratio=0.4, least_share=0.0))
    for candles in MARKETS:
        ladder = cluster_ladder(candles, config)
        work = walk_market(Market.of(candles, config.join_rule), config).work
        for rungs, side in ((ladder.above, SHORT), (ladder.below, LONG)):
            over = np.concatenate([[False], work.smooth[side] > work.bar])
            assert len(rungs) == np.count_nonzero(over[1:] & ~over[:-1])


def test_a_side_is_filled_up_with_its_highest_peaks():
    filled = 0
    for candles in MARKETS:
        plain, full = cluster_ladder(candles, CONFIG), cluster_ladder(candles, CONFIG, least=4)
        for where, sign in (("above", 1), ("below", -1)):
            rungs, found = getattr(full, where), getattr(plain, where)
            assert tuple(rung for rung in rungs if rung.stands_out) == found
            prices = [sign * price for rung in rungs for price in (rung.near, rung.peak, rung.far)]
            assert prices == sorted(prices)  # they lie apart
            assert len(rungs) <= max(4, len(found))
            filled += len(rungs) - len(found)
    assert filled > 10


def test_too_few_candles_are_refused():
    with pytest.raises(DataError, match=f"at least {CONFIG.warmup}, the warm-up, received 20"):
        cluster_ladder(MARKETS[0].iloc[:20], CONFIG)
