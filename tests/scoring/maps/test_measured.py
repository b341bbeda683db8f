"""Measured positions, hours old, against the estimate: which is nearer to the positions really open."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from liqfeature.durations import HOUR
from liqfeature.estimate.config import HeatmapConfig
from liqfeature.estimate.reach import ReachRule
from liqfeature.market.maps import join_maps
from liqfeature.market.market import Market
from liqfeature.sandbox.simulation import frames
from liqfeature.sandbox.simulation.scenario import SCENARIOS
from liqfeature.sandbox.simulation.simulate import simulate
from liqfeature.sandbox.simulation.truth import true_maps
from liqfeature.scoring.maps.base import Ground
from liqfeature.scoring.maps.estimate import estimate
from liqfeature.scoring.measures import placement
from liqfeature.scoring.outcomes import true_windows
from liqfeature.sides import SIDES

AGES = (2, 6, 24)
PAIR = "BTC/USDT:USDT"


@pytest.fixture(scope="module")
def tape():
    market = dataclasses.replace(SCENARIOS["liquid"], arrivals=4.0)
    return simulate(market, PAIR, start="2026-01-01", days=24, seed=1)


def measured(tape, moments, width):
    """Half of the accounts, as a recorder keeps them: bins, seen at some moments."""
    half = dataclasses.replace(tape, positions=tape.positions[tape.positions["position"] % 2 == 0])
    tables = []
    for moment, held in zip(moments, true_maps(half, moments, width=width), strict=True):
        for side in SIDES:
            amount = held[side][held[side] > 0]
            edge = [np.exp((amount.index + k) * width) for k in (0, 1)]
            notional = amount.to_numpy() * np.sqrt(edge[0] * edge[1])
            table = pd.DataFrame({"low": edge[0], "high": edge[1], "notional": notional})
            tables.append(table.assign(date=moment, available=moment, side=side))
    return pd.concat(tables, ignore_index=True)


def test_measured_positions_are_nearer_to_the_truth_than_the_estimate_at_2_and_6_hours(tape):
    config = HeatmapConfig.for_pair(PAIR, reach=ReachRule(hours=(1.0,) * 24, weekend=1.0))
    candles, width = frames.candles(tape, "5m"), config.grid.width
    market = Market.of(candles, config.join_rule, open_interest=frames.open_interest(tape, "5m"))
    closing = (market.tick + 1) * market.interval
    rows = np.flatnonzero((closing % (25 * HOUR) == 0) & (np.arange(closing.size) >= config.warmup - 1))
    ground = Ground(market=market, grid=config.grid, origins=rows, n_window=round(0.15 / width))
    moments = pd.to_datetime(closing[rows], unit="ms", utc=True)
    truth = true_windows(ground, lambda dates: true_maps(tape, dates, width=width))

    def distance(prediction):
        window, day = np.ascontiguousarray(prediction.window), np.arange(len(rows))
        return placement.earth_mover(window, truth, width, day).value

    found = {"estimate": distance(estimate(ground, config))}
    for age in AGES:
        maps = measured(tape, [moment - pd.Timedelta(age, unit="h") for moment in moments], width)
        known = join_maps(maps, market.tick * market.interval, market.interval, config.lookback)
        assert known.age[rows] == pytest.approx(12 * age)
        there = dataclasses.replace(ground, market=dataclasses.replace(market, maps=known))
        found[age] = distance(estimate(there, config))
    assert found[2] < found["estimate"]
    assert found[6] < found["estimate"]
    assert found[2] < found[24]
