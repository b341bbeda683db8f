"""The simulated market keeps its books: who holds what, who was liquidated, and what the tape says of it."""

import hashlib
import os
import subprocess
import sys
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from liqfeature.data.schema import FORCED_ORDERS, POSITION_EVENTS
from liqfeature.durations import MINUTE
from liqfeature.sandbox.simulation import simulate as simulate_module
from liqfeature.sandbox.simulation.pairs import PAIRS
from liqfeature.sandbox.simulation.scenario import SCENARIOS, Scenario
from liqfeature.sandbox.simulation.simulate import simulate
from liqfeature.sandbox.simulation.tape import Tape

BTC, ETH, SOL = "BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT"
START = "2024-01-01"
ARRAYS = [field.name for field in fields(Tape) if field.type not in (str, int, float, pd.DataFrame)]


@pytest.fixture(scope="session")
def tape() -> Tape:
    return simulate(SCENARIOS["reflexive"], SOL, start=START, days=12, seed=3)


@pytest.fixture(scope="session")
def day() -> Tape:
    return simulate(Scenario(), BTC, start=START, days=1, seed=5)


@pytest.fixture(scope="session")
def log(tape: Tape) -> pd.DataFrame:
    """The event log with the row of the tape and what was there before each event."""
    log = tape.positions.assign(row=rows_of(tape, tape.positions))
    by_position = log.groupby("position")
    log["level_before"] = by_position["liquidation_price"].shift()
    log["row_after"] = by_position["row"].shift(-1, fill_value=len(tape.close))
    log["amount"] = held_after(log)
    log["sign"] = np.where(log["side"] == "long", 1, -1)
    return log


def rows_of(tape: Tape, frame: pd.DataFrame) -> np.ndarray:
    milliseconds = frame["date"].dt.as_unit("ms").astype("int64").to_numpy()
    return (milliseconds - tape.start) // MINUTE


def held_after(log: pd.DataFrame) -> list[float]:
    # pandas' cumsum compensates rounding, and would not come to exactly nothing.
    held: dict[int, float] = {}
    after = []
    for position, change in zip(log["position"].tolist(), log["change"].tolist(), strict=True):
        held[position] = held.get(position, 0.0) + change
        after.append(held[position])
    return after


def same(a: Tape, b: Tape) -> bool:
    return (
        all(np.array_equal(getattr(a, name), getattr(b, name)) for name in ARRAYS)
        and a.positions.equals(b.positions)
        and a.forced_orders.equals(b.forced_orders)
    )


# The same again


def test_a_run_is_repeated_to_the_last_bit(day: Tape):
    assert same(day, simulate(Scenario(), BTC, start=START, days=1, seed=5))


def test_another_seed_or_pair_is_another_market(day: Tape):
    seed = simulate(Scenario(), BTC, start=START, days=0.1, seed=6)
    pair = simulate(Scenario(), ETH, start=START, days=0.1, seed=5)
    returns = [np.diff(np.log(tape.close[:144])) for tape in (day, seed, pair)]
    correlations = np.corrcoef(returns)[np.triu_indices(3, 1)]
    assert np.all(np.abs(correlations) < 0.5)


def test_a_longer_run_begins_with_the_shorter(day: Tape):
    short = simulate(Scenario(), BTC, start=START, days=0.25, seed=5)
    for name in ("close", "mark_low", "open_interest", "volume"):
        np.testing.assert_array_equal(getattr(short, name), getattr(day, name)[:360])
    pd.testing.assert_frame_equal(short.positions, day.positions.iloc[: len(short.positions)])


def test_another_process_makes_the_same_tape(day: Tape):
    code = (
        "import hashlib; from liqfeature.sandbox.simulation.simulate import simulate, Scenario\n"
        f"tape = simulate(Scenario(), {BTC!r}, start={START!r}, days=1, seed=5)\n"
        "print(hashlib.sha256(tape.mark_close.tobytes() + tape.open_interest.tobytes()).hexdigest())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    here = hashlib.sha256(day.mark_close.tobytes() + day.open_interest.tobytes()).hexdigest()
    assert run.stdout.strip() == here


def test_the_start_is_read_in_its_zone():
    tapes = [
        simulate(Scenario(), BTC, start=start, days=0.01, seed=0)
        for start in ("2024-01-01T02:00+02:00", "2024-01-01T00:00Z", "2024-01-01")
    ]
    assert {tape.start for tape in tapes} == {1_704_067_200_000}
    assert same(tapes[0], tapes[2])


def test_small_arrays_grow_and_change_nothing(day: Tape, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(simulate_module, "_SLOTS", 4096)
    monkeypatch.setattr(simulate_module, "_EVENTS", 20_000)
    assert same(day, simulate(Scenario(), BTC, start=START, days=1, seed=5))


# Candles


def test_candles_are_sane(tape: Tape):
    for prefix in ("", "mark_"):
        opened, high, low, close = (getattr(tape, prefix + name) for name in ("open", "high", "low", "close"))
        assert np.all(low > 0)
        assert np.all(low <= np.minimum(opened, close))
        assert np.all(high >= np.maximum(opened, close))
        np.testing.assert_array_equal(opened[1:], close[:-1])


def test_volume_holds_the_forced_orders_and_trades_inside_the_candle(tape: Tape):
    forced = np.bincount(rows_of(tape, tape.forced_orders), tape.forced_orders["amount"], len(tape.close))
    assert np.all(tape.volume > forced)
    vwap = tape.quote_volume / tape.volume
    assert np.all((tape.low <= vwap * (1 + 1e-12)) & (vwap <= tape.high * (1 + 1e-12)))
    assert np.all((tape.taker_buy_volume >= 0) & (tape.taker_buy_volume <= tape.volume))


def test_takers_buy_when_the_price_rises(tape: Tape):
    share = tape.taker_buy_volume / tape.volume
    assert np.corrcoef(share, np.log(tape.close / tape.open))[0, 1] > 0.1


def test_the_mark_price_follows_the_last_and_spares_wicks(tape: Tape):
    assert np.std(np.log(tape.mark_close / tape.close)) < 0.002
    assert np.mean(np.log(tape.mark_high / tape.mark_low)) < np.mean(np.log(tape.high / tape.low))


def test_the_premium_is_a_return_to_the_mark(tape: Tape):
    premium = np.log(tape.close / tape.mark_close)[:-1]
    assert np.corrcoef(premium, np.diff(np.log(tape.close)))[0, 1] < 0


# The event log


def test_tables_have_the_columns_of_the_schema(tape: Tape):
    assert list(tape.positions.columns) == list(POSITION_EVENTS)
    assert list(tape.forced_orders.columns) == list(FORCED_ORDERS)
    for frame in (tape.positions, tape.forced_orders):
        assert frame["date"].dtype == "datetime64[ms, UTC]"
        assert frame["date"].is_monotonic_increasing
        assert set(frame["side"].unique()) == {"long", "short"}


def test_every_position_opens_once_and_never_holds_less_than_nothing(log: pd.DataFrame):
    first = log.groupby("position").head(1)
    assert (first["reason"] == "open").all()
    assert (log["reason"] == "open").sum() == len(first)
    assert (log["amount"] >= 0).all()
    assert not (log["amount"] == 0)[log.duplicated("position", keep="last")].any()


def test_reasons_say_what_changed(log: pd.DataFrame):
    by_reason = log.groupby("reason", observed=True)["change"]
    assert set(by_reason.groups) == {"open", "close", "stop", "liquidation", "margin", "funding"}
    assert (by_reason.get_group("open") > 0).all()
    for reason in ("close", "stop", "liquidation"):
        assert (by_reason.get_group(reason) < 0).all()
    for reason in ("margin", "funding"):
        assert (by_reason.get_group(reason) == 0).all()
    ended = log["reason"].isin(["stop", "liquidation"])
    assert (log.loc[ended, "amount"] == 0).all()


def test_open_interest_counts_each_contract_once_on_either_side(tape: Tape, log: pd.DataFrame):
    live = {
        side: np.cumsum(np.bincount(log["row"], log["change"] * (log["side"] == side), len(tape.close)))
        for side in ("long", "short")
    }
    expected = tape.hedged_amount + np.maximum(live["long"], live["short"])
    np.testing.assert_allclose(tape.open_interest, expected, rtol=1e-9)
    maker = live["short"] - live["long"]
    longs = tape.hedged_amount + live["long"] + np.maximum(maker, 0)
    shorts = tape.hedged_amount + live["short"] + np.maximum(-maker, 0)
    np.testing.assert_allclose(longs, shorts, rtol=1e-9)


def test_open_interest_stays_near_what_the_pair_has(tape: Tape):
    assert 0.7 < np.mean(tape.open_interest) / PAIRS[SOL].open_interest < 1.4


# Liquidations


def test_liquidation_events_are_the_forced_orders(tape: Tape, log: pd.DataFrame):
    events = log[log["reason"] == "liquidation"]
    forced = tape.forced_orders
    assert len(forced) > 100
    np.testing.assert_array_equal(events["row"], rows_of(tape, forced))
    np.testing.assert_array_equal(-events["change"], forced["amount"])
    np.testing.assert_array_equal(events["side"].astype(str), forced["side"].astype(str))
    np.testing.assert_array_equal(forced["notional"], forced["amount"] * forced["price"])


def test_forced_orders_trade_inside_the_candle(tape: Tape):
    row, price = rows_of(tape, tape.forced_orders), tape.forced_orders["price"]
    assert np.all((tape.low[row] <= price) & (price <= tape.high[row]))


def test_the_mark_price_was_at_the_level_of_everybody_it_liquidated(tape: Tape, log: pd.DataFrame):
    forced = log[log["reason"] == "liquidation"]
    row, level = forced["row"].to_numpy(), forced["level_before"].to_numpy()
    inside = (tape.mark_low[row] <= level) & (level <= tape.mark_high[row])
    # Funding may move a level over the mark price: it need not lie in the range of that minute.
    moved = np.isin(tape.start + row * MINUTE, tape.funding_time)
    assert np.all(inside | moved)
    assert np.mean(inside) > 0.99


def test_nobody_outlives_the_mark_price_at_their_level(tape: Tape, log: pd.DataFrame):
    live = log[(log["amount"] > 0) & log["liquidation_price"].notna()].sample(4000, random_state=1)
    for sign, level, since, until in live[["sign", "liquidation_price", "row", "row_after"]].to_numpy():
        between = slice(int(since) + 1, int(until))
        extreme = tape.mark_low[between] if sign > 0 else -tape.mark_high[between]
        assert np.all(extreme > sign * level)


def test_a_fall_liquidates_longs_and_a_rise_shorts(tape: Tape):
    minute = rows_of(tape, tape.forced_orders)
    change = np.log(tape.mark_close / tape.mark_open)[minute]
    notional, is_long = tape.forced_orders["notional"], tape.forced_orders["side"] == "long"
    falls, rises = change < -0.002, change > 0.002
    assert notional[falls & is_long].sum() > 50 * notional[falls & ~is_long].sum()
    assert notional[rises & ~is_long].sum() > 50 * notional[rises & is_long].sum()


def test_levels_lie_below_longs_and_above_shorts_before_bankruptcy(tape: Tape, log: pd.DataFrame):
    opened = log[(log["reason"] == "open") & log["liquidation_price"].notna() & (log["row"] > 0)]
    mark = tape.mark_low[opened["row"]], tape.mark_high[opened["row"]]
    is_long = (opened["side"] == "long").to_numpy()
    assert np.all(opened["liquidation_price"] < np.where(is_long, mark[1], np.inf))
    assert np.all(opened["liquidation_price"] > np.where(is_long, 0, mark[0]))
    forced = log.loc[log["reason"] == "liquidation", "level_before"].to_numpy()
    beyond = np.where(tape.forced_orders["side"] == "long", 1, -1)
    assert np.all((forced - tape.forced_orders["bankruptcy_price"]) * beyond > 0)


def test_open_interest_falls_where_many_are_liquidated(tape: Tape):
    hours = len(tape.close) // 60
    forced = np.bincount(rows_of(tape, tape.forced_orders) // 60, tape.forced_orders["amount"], hours)
    change = np.diff(tape.open_interest[59::60])
    worst = np.argsort(forced[1:])[-5:]
    assert np.median(change[worst]) < 0


# Funding


def test_funding_is_paid_every_eight_hours_and_is_not_zero(tape: Tape):
    assert np.all(tape.funding_time % (480 * MINUTE) == 0)
    np.testing.assert_array_equal(np.diff(tape.funding_time), 480 * MINUTE)
    assert np.all(tape.funding_rate != 0)
    assert np.all(np.abs(tape.funding_rate) <= 0.003)


def test_funding_moves_all_isolated_levels_the_same_way(tape: Tape, log: pd.DataFrame):
    paid = log[(log["reason"] == "funding") & log["level_before"].notna() & log["liquidation_price"].notna()]
    rate = pd.Series(tape.funding_rate, index=(tape.funding_time - tape.start) // MINUTE)[paid["row"]]
    moved = np.log(paid["liquidation_price"].to_numpy() / paid["level_before"].to_numpy())
    assert len(np.unique(paid["row"])) == len(tape.funding_time)
    assert np.all(np.sign(moved) == np.sign(rate))
    assert 0.5 < np.median(moved / rate) < 1.5
