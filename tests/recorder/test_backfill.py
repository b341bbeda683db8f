"""Gate's liquidations of the last months: all of them, once, and none claimed that was not asked for."""

import asyncio
import json
import math
import random

import pytest

pytest.importorskip("ccxt")
pytest.importorskip("aiohttp")

from builders.gate import gate, order, statistic
from builders.recordings import spans_in
from liqfeature import ConfigError, DataError
from liqfeature.cli.main import main
from liqfeature.data.database import Database
from liqfeature.data.kinds import OPEN_INTEREST, ORDERS, TOTALS, Series
from liqfeature.data.recordings import load_recording, load_totals
from liqfeature.recorder import backfill as module
from liqfeature.recorder.backfill import Backfill, agreement
from liqfeature.recorder.normalise import Contract, received

BTC = "BTC/USDT:USDT"
NOW = 1_767_312_000
"""2026-01-02 in seconds."""

HOUR = 3600


@pytest.fixture
def path(tmp_path):
    return tmp_path / "one.sqlite"


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Let it be two minutes past midnight, and wait for nothing."""
    from ccxt import async_support

    owner = next(kind for kind in async_support.gate.__mro__ if "milliseconds" in vars(kind))
    monkeypatch.setattr(owner, "milliseconds", staticmethod(lambda: NOW * 1000 + module.SETTLED))
    monkeypatch.setattr(module, "DELAYS", (0.0, 0.0))


def filled(there, path, days=0.5, pairs=(BTC,), kinds=(ORDERS,)):
    return Backfill(path, there.options()).run(pairs, days, kinds)


def seconds(path, pair=BTC):
    return [int(date.timestamp()) for date in load_recording(path, pair, "gate")["date"]]


# Rows.


CONTRACTS = {"BTC_USDT": Contract(BTC, 0.0001)}


def test_the_example_of_the_documentation_is_a_long():
    row = {"time": 1548654951, "contract": "BTC_USDT", "size": 600, "order_size": -600}
    row |= {"order_price": "3405", "fill_price": "3424", "left": 0}
    (one,) = received("gate", [row], CONTRACTS).prints
    assert one[:6] == (1548654951000, "gate", BTC, "long", 3424.0, 3405.0)
    assert one.amount == pytest.approx(0.06)
    assert one.notional == pytest.approx(0.06 * 3424)


def test_a_row_of_another_time_is_a_short_since_it_bought_below_its_limit():
    row = {"time": 1696736132, "contract": "BTC_USDT", "size": -165, "left": 65}
    row |= {"fill_price": "28070", "order_price": "28225"}
    (one,) = received("gate", [row], CONTRACTS).prints
    assert one.side == "short"
    assert one.amount == pytest.approx(0.01)


@pytest.mark.parametrize(
    "change",
    [{"size": -600}, {"order_size": 600}, {"fill_price": "3400"}, {"fill_price": None, "order_price": None}],
)
def test_a_row_whose_side_and_prices_do_not_agree_is_refused(change):
    row = {"time": 1548654951, "contract": "BTC_USDT", "size": 600, "order_size": -600}
    row |= {"order_price": "3405", "fill_price": "3424", "left": 0} | change
    found = received("gate", [row], CONTRACTS)
    assert (len(found.prints), len(found.malformed)) == (0, 1)


def test_what_was_not_filled_is_none():
    found = received("gate", [order(NOW, size=5, left=5)], CONTRACTS)
    assert (found.prints, found.malformed, found.ignored) == ((), (), 1)


# Hours.


def test_every_liquidation_comes_once_however_crowded_its_hour(path):
    chosen = random.Random(1)
    crowd = [order(NOW - 2 * HOUR + chosen.randrange(HOUR), size=1 + i) for i in range(3500)]
    edges = [order(NOW - k * HOUR + shift, size=-9) for k in range(1, 12) for shift in (-1, 0, 1)]

    async def story():
        async with gate() as there:
            there.orders = sorted([*crowd, *edges], key=lambda row: row["time"])
            found = await filled(there, path)
            return there, found

    there, found = asyncio.run(story())
    inside = [row["time"] for row in there.orders if row["time"] >= NOW - 12 * HOUR]
    assert seconds(path) == inside
    assert found.added == {"liquidation_orders": len(inside)}
    assert found.faults == []
    assert there.asked["liq_orders"] > 15
    assert spans_in(path, "gate", BTC) == [((NOW - 12 * HOUR) * 1000, NOW * 1000)]


def test_equal_liquidations_of_one_second_are_kept_and_asked_again_they_are_the_same(path):
    async def story():
        async with gate() as there:
            there.orders = [order(NOW - 100)] * 3 + [order(NOW - 50)]
            for _ in range(2):
                await filled(there, path)
                with Database(path, write=True, simulated=True) as database:
                    database.query("DELETE FROM listened")

    asyncio.run(story())
    assert seconds(path) == [NOW - 100] * 3 + [NOW - 50]


def test_what_was_asked_for_is_not_asked_for_again(path):
    async def story():
        async with gate() as there:
            there.orders = [order(NOW - 12 * HOUR + 5)]
            await filled(there, path)
            before = there.asked["liq_orders"]
            await filled(there, path)
            return before, there.asked["liq_orders"]

    before, after = asyncio.run(story())
    assert before == after == 12


def test_hours_before_the_first_liquidation_may_lie_before_what_is_kept(path):
    """They are not taken for hours without liquidations."""

    async def story():
        async with gate() as there:
            there.orders = [order(NOW - k * HOUR + 7) for k in range(1, 13)]
            there.keeps_since = NOW - 5 * HOUR
            await filled(there, path)

    asyncio.run(story())
    assert len(seconds(path)) == 5
    assert spans_in(path, "gate", BTC) == [((NOW - 5 * HOUR) * 1000, NOW * 1000)]


def test_a_crowded_second_is_reported(path):
    async def story():
        async with gate() as there:
            there.orders = [order(NOW - 100, size=1 + i) for i in range(1200)]
            return await filled(there, path, days=1 / 24)

    found = asyncio.run(story())
    assert found.faults == [f"BTC_USDT: more than 1000 liquidations in second {NOW - 100}"]
    assert len(seconds(path)) == 1000


def test_a_busy_exchange_is_asked_again_and_one_that_stays_busy_costs_nothing_fetched_before(path):
    async def story():
        async with gate() as there:
            there.orders = [order(NOW - k * HOUR + 7) for k in range(1, 13)]
            there.failures = 2
            await filled(there, path, days=0.25)
            there.failures = 1000
            with pytest.raises(DataError, match="gate must answer, received"):
                await filled(there, path)
            there.failures = 0
            await filled(there, path)

    asyncio.run(story())
    assert len(seconds(path)) == 12


def test_malformed_rows_are_reported_and_cost_no_other(path):
    async def story():
        async with gate() as there:
            bad = [order(NOW - 90) | {"size": "many"}, order(NOW - 80) | {"fill_price": "1"}]
            there.orders = [order(NOW - 100), *bad, order(NOW - 70)]
            return await filled(there, path, days=1 / 24)

    found = asyncio.run(story())
    assert len(found.faults) == 2
    assert seconds(path) == [NOW - 100, NOW - 70]


def test_an_unknown_pair_is_refused(path):
    async def story():
        async with gate() as there:
            await filled(there, path, pairs=("X/USDT:USDT",))

    with pytest.raises(ConfigError, match="received X/USDT:USDT"):
        asyncio.run(story())


# Totals.


def test_totals_and_open_interest_of_every_period_come_and_the_present_one_does_not(path):
    periods = range(NOW - 12 * HOUR, NOW + 300, 300)

    async def story():
        async with gate() as there:
            there.statistics = [statistic(t, long=float(i), short=2.0 * i) for i, t in enumerate(periods)]
            del there.statistics[20]
            there.statistics[30] = there.statistics[30] | {"long_liq_usd": None}
            found = await filled(there, path, kinds=(TOTALS,))
            first = there.asked["contract_stats"]
            await filled(there, path, kinds=(TOTALS,))
            return found, first, there.asked["contract_stats"] - first

    found, first, again = asyncio.run(story())
    expected = [i for i in range(144) if i not in (20, 31)]
    with Database(path) as database:
        totals = database.read(Series("gate", BTC, TOTALS, "5m"))
        interest = database.read(Series("gate", BTC, OPEN_INTEREST, "5m"))
    assert totals["long"].tolist() == [float(i) for i in expected]
    assert totals["short"].tolist() == [2.0 * i for i in expected]
    assert ((totals["available"] - totals["stamp"]) == 600_000).all()
    assert interest["amount"].tolist() == pytest.approx([0.1] * len(expected))
    assert interest["value"].tolist() == [6000.0] * len(expected)
    assert found.added == {"liquidation_totals": 142, "open_interest": 142}
    assert len(found.faults) == 1
    assert first == 2
    assert again == 2  # what is missing is asked for again


def test_single_liquidations_stand_before_totals_where_both_are_known(path):
    async def story():
        async with gate() as there:
            there.orders = [order(NOW - 600, size=10), order(NOW - 300, size=-20)]
            there.statistics = [statistic(NOW - 7200 + 300 * i, long=7.0, short=9.0) for i in range(24)]
            await filled(there, path, days=1 / 24)
            await filled(there, path, days=2 / 24, kinds=(TOTALS,))

    asyncio.run(story())
    found = load_totals(path, BTC, "5m", "gate")
    assert found["long"].tolist() == pytest.approx([7.0] * 12 + [0.0] * 10 + [60.0, 0.0])
    assert found["short"].tolist() == pytest.approx([9.0] * 12 + [0.0] * 11 + [120.0])


def test_it_is_reported_how_much_of_the_totals_the_single_liquidations_make_up(path):
    """Were sides or units confused, the shares would show it."""

    async def story():
        async with gate() as there:
            there.orders = [order(NOW - 5000, size=1000), order(NOW - 4000, size=-500)]
            there.orders += [order(NOW - 900, size=2000)]
            periods = range(NOW - 3 * HOUR, NOW, 300)
            there.statistics = [statistic(t, long=3000.0 / 2, short=500.0) for t in periods]
            await filled(there, path, days=3 / 24, kinds=(ORDERS, TOTALS))

    asyncio.run(story())
    hours = 2  # that are listened to
    long, short = agreement(path, BTC)
    assert long == pytest.approx(0.3 * 60_000 / (hours * 12 * 1500))
    assert short == pytest.approx(0.05 * 60_000 / (hours * 12 * 500))
    with Database(path, write=True, simulated=True) as database:
        database.query("DELETE FROM liquidation_totals")
    assert all(math.isnan(share) for share in agreement(path, BTC))


def test_the_command_fetches_and_reports(path, tmp_path, capsys):
    config = tmp_path / "config.json"

    async def story():
        async with gate() as there:
            there.orders = [order(NOW - 100)]
            there.statistics = [statistic(NOW - HOUR + 300 * i, long=50.0, short=0.0) for i in range(12)]
            bot = {"name": "gate", "pair_whitelist": [BTC], "ccxt_config": there.options()}
            config.write_text(json.dumps({"exchange": bot}))
            command = ["record", "--config", str(config), "--backfill", "gate", "--days", "0.04"]
            return await asyncio.to_thread(main, [*command, "--out", str(path)])

    assert asyncio.run(story()) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"added to {path}: 1 liquidation orders, 12 liquidation totals, 12 open interest",
        f"{BTC}: single liquidations are 100.0% of Gate's totals of longs, - of shorts",
    ]
