"""The sandbox's Hyperliquid: positions as they are, never later than the clock, and weight is counted."""

import dataclasses
import json
import urllib.error
import urllib.request

import numpy as np
import pytest

pytest.importorskip("aiohttp")

from builders.tapes import HandClock
from liqfeature.durations import HOUR, MINUTE
from liqfeature.sandbox.server.hyperliquid import ALLOWED, Hyperliquid, RefusedError
from liqfeature.sandbox.server.serve import running
from liqfeature.sandbox.server.venue import Venue
from liqfeature.sandbox.simulation.scenario import SCENARIOS
from liqfeature.sandbox.simulation.simulate import simulate
from liqfeature.sandbox.simulation.truth import true_maps


@pytest.fixture(scope="module")
def tape():
    market = dataclasses.replace(SCENARIOS["liquid"], arrivals=0.5)
    return simulate(market, "BTC/USDT:USDT", start="2026-01-01", days=0.5, seed=3)


def true_amount(tape, now):
    (held,) = true_maps(tape, [np.datetime64(now, "ms").item()])
    return held.to_numpy().sum(axis=0)


def test_positions_are_those_that_are_open_also_where_the_clock_was_set_back(tape):
    clock = HandClock(tape.start)
    exchange = Hyperliquid({"BTC": tape}, clock)
    for hours in (1, 6, 11, 2):
        clock.moment = tape.start + hours * HOUR
        held = [one for one in exchange.held().values() if np.isfinite(one.liquidation_price)]
        found = [sum(abs(one.amount) for one in held if (one.amount > 0) == long) for long in (True, False)]
        assert found == pytest.approx(true_amount(tape, clock.moment))


def test_trades_are_of_ended_minutes_and_name_both_sides(tape):
    clock = HandClock(tape.start + 6 * HOUR)
    exchange = Hyperliquid({"BTC": tape}, clock)
    rows = exchange.trades("BTC", clock.moment - 2 * HOUR)
    assert rows
    assert all(clock.moment - 2 * HOUR < row["time"] <= clock.moment for row in rows)
    opened = [row["users"][0] for row in rows]
    assert set(opened) & set(exchange.held())


def test_more_weight_than_there_is_in_a_minute_is_refused(tape):
    clock = HandClock(tape.start + HOUR)
    exchange = Hyperliquid({"BTC": tape}, clock)
    for _ in range(ALLOWED // 20):
        exchange.info({"type": "metaAndAssetCtxs"})
    with pytest.raises(RefusedError):
        exchange.info({"type": "clearinghouseState", "user": "0x0"})
    assert exchange.most == ALLOWED + 2
    clock.moment += MINUTE
    exchange.most = 0
    assert exchange.info({"type": "clearinghouseState", "user": "0x0"})["assetPositions"] == []


def test_it_is_served_beside_binance(tape):
    with running(Venue.of([tape])) as url:

        def asked(query):
            body = json.dumps(query).encode()
            request = urllib.request.Request(
                f"{url}/hyperliquid/info", body, {"Content-Type": "application/json"}
            )
            with urllib.request.urlopen(request) as answer:
                return json.load(answer)

        universe, contexts = asked({"type": "metaAndAssetCtxs"})
        assert [one["name"] for one in universe["universe"]] == ["BTC"]
        assert float(contexts[0]["markPx"]) == pytest.approx(tape.mark_close[-1])
        with pytest.raises(urllib.error.HTTPError, match="422"):
            asked({"type": "leaderboard"})
