"""Saved answers in the database: known from their request on, revised, late, and never in part."""

import numpy as np
import pandas as pd
import pytest

from builders import vendors
from builders.frames import CANDLE, random_candles, random_open_interest, small_config
from builders.recordings import record
from builders.vendors import HOUR, START, save
from liqfeature import DataError, liquidation_features
from liqfeature.data.database import Database
from liqfeature.data.kinds import OPEN_INTEREST, Series
from liqfeature.data.maps import load_maps, map_sources
from liqfeature.data.prints import Print
from liqfeature.data.recordings import load_open_interest, load_totals
from liqfeature.recorder.imported import import_answers, requested_at

PAIR = "BTC/USDT:USDT"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "recordings.sqlite"


@pytest.fixture
def put(tmp_path, path):
    def put(answer, hours, vendor="coinglass", **options):
        file = save(tmp_path, answer, START + round(hours * HOUR))
        return import_answers(path, vendor, [file], PAIR, **{"exchange": "binance", **options})

    return put


def hours_of(frame, column="date"):
    return ((frame[column].dt.as_unit("ms").astype("int64") - START) / HOUR).tolist()


def test_totals_count_from_their_request_and_a_revision_from_its_own(put, path):
    assert put(vendors.coinglass_totals(n=3), 3).added == {"liquidation_totals": 3}
    revised = vendors.coinglass_totals(n=5)
    revised["data"][1]["long_liquidation_usd"] = "9.5"
    again = put(revised, 4.5)
    assert (again.added, again.known) == ({"liquidation_totals": 2}, {"liquidation_totals": 2})
    found = load_totals(path, PAIR, "1h", "binance")
    assert list(zip(hours_of(found), hours_of(found, "available"), found["long"], strict=True)) == [
        (0, 3, 1000.5),
        (1, 3, 1001.5),
        (1, 4.5, 9.5),
        (2, 3, 1002.5),
        (3, 4.5, 1003.5),
    ]


@pytest.mark.parametrize(("timeframe", "period"), [("5m", HOUR), ("1h", HOUR), ("4h", HOUR)])
def test_their_own_period_is_kept(put, path, timeframe, period):
    put(vendors.coinglass_totals(n=30), 40)
    found = load_totals(path, PAIR, timeframe, "binance")
    assert found["date"].diff().dropna().unique() == [pd.Timedelta(period, unit="ms")]


def test_what_was_heard_counts_before_what_a_vendor_says(put, path):
    sold = Print(START + HOUR + 5, "binance", PAIR, "long", 100.0, None, 1.0, 100.0)
    record(path, [sold], [(START + HOUR, START + 2 * HOUR)])
    put(vendors.coinglass_totals(n=4), 8)
    found = load_totals(path, PAIR, "1h", "binance")
    assert found["long"].tolist() == [1000.5, 100.0, 1002.5, 1003.5]
    assert hours_of(found, "available") == [8, 2, 8, 8]


def test_open_interest_counts_from_its_request_and_once(put, path):
    put(vendors.coinalyze_interest(n=4), 3.5, "coinalyze", exchange="hyperliquid")
    put(vendors.coinalyze_interest(n=6), 5.5, "coinalyze", exchange="hyperliquid")
    found = load_open_interest(path, PAIR, "hyperliquid")
    assert hours_of(found, "available") == [3.5] * 4 + [5.5] * 2
    assert found["open_interest_value"].tolist() == [5e9 + 1e6 * i for i in range(6)]
    assert found["open_interest_amount"].isna().all()


def test_recorded_open_interest_counts_before_a_vendor_s(put, path):
    put(vendors.coinglass_interest(period=5 * 60_000, n=5), 1, exchange="hyperliquid")
    with Database(path, write=True) as database, database.writing():
        from liqfeature.data.database import Row

        series = Series("hyperliquid", PAIR, OPEN_INTEREST, "5m")
        database.add(series, "rest", [Row(START + 5 * 60_000, START + 5 * 60_000 + 20, (7.0, 700.0))])
    found = load_open_interest(path, PAIR, "hyperliquid")
    assert found["open_interest_value"].tolist() == [5e9, 700.0, 5.002e9, 5.003e9, 5.004e9]


def test_maps_are_kept_by_name_with_what_they_say(put, path):
    put(vendors.coinglass_heatmap(), 5)
    put(vendors.coinglass_map(), 5, name="coinglass map 7d")
    put(vendors.hyblock_heatmap(START + 2 * HOUR), 7, "hyblock")
    put({"data": []}, 8, "hyblock")
    assert map_sources(path, PAIR) == ["coinglass", "coinglass map 7d", "hyblock"]
    found = load_maps(path, PAIR, "hyblock")
    assert hours_of(found) == [2, 2, 8]
    assert hours_of(found, "available") == [7, 7, 8]
    assert found["side"].tolist() == ["long", "short", "by price"]
    assert found["notional"].tolist() == [30, 40, 0]
    first = pd.Timestamp(START + 3 * HOUR, unit="ms", tz="UTC")
    assert hours_of(load_maps(path, PAIR, "hyblock", first=first)) == [8]
    with pytest.raises(
        DataError, match="must hold maps of BTC/USDT:USDT by me, received those by coinglass,"
    ):
        load_maps(path, PAIR, "me")


def test_two_answers_of_one_request_are_refused_and_neither_is_half_there(put, path):
    put(vendors.coinglass_heatmap(), 5)
    with pytest.raises(DataError, match=r"maps of coinglass requested at .* must be one answer"):
        put(vendors.coinglass_map(), 5)
    assert put(vendors.coinglass_heatmap(), 5).known == {"maps": 1}
    assert len(load_maps(path, PAIR, "coinglass")) == 2


def test_of_several_files_one_of_which_is_refused_none_is_there(tmp_path, path):
    files = [
        save(tmp_path, vendors.coinglass_totals(), START + 9 * HOUR, "a"),
        save(tmp_path, {"code": "0"}, START + 9 * HOUR, "b"),
    ]
    with pytest.raises(DataError, match=r"b-.*Z.json: answer lacks key 'data'"):
        import_answers(path, "coinglass", files, PAIR, exchange="binance")
    assert not path.exists()


@pytest.mark.parametrize("name", ["heatmap.json", "heatmap-20261301T000000Z.json", "1-2026.json"])
def test_a_file_that_does_not_tell_when_it_was_requested_is_refused(tmp_path, name):
    with pytest.raises(DataError, match=name.replace(".", r"\.")):
        requested_at(tmp_path / name)


def test_the_name_tells_the_moment_in_utc(tmp_path):
    for name in ("x-20260101T010203Z.json", "20260101_010203.json", "20260101010203Z-x.json"):
        assert requested_at(tmp_path / name) == START + 3_723_000


def test_a_file_that_is_no_json_is_named(tmp_path, path):
    file = tmp_path / "x-20260101T000000Z.json"
    file.write_text("<html>")
    with pytest.raises(DataError, match=r"Z\.json must hold an answer as JSON"):
        import_answers(path, "coinglass", [file], PAIR, exchange="binance")


# From answers to columns.

CONFIG = small_config().changed({"cascade.recorded_share": 0.02})
CANDLES = random_candles(CONFIG.warmup + 200, seed=3, volatility=0.002)
INTEREST = random_open_interest(CANDLES, 4)
TIME = CANDLES["date"].dt.as_unit("ms").astype("int64").to_numpy()


def answers(vendor):
    """What is asked for now and then, by moment of the request: some history is revised."""
    rng, first = np.random.default_rng(2), int(TIME[0])
    amounts = rng.lognormal(3, 1, (2, len(TIME)))
    for row in range(20, len(TIME), 5):
        asked = int(TIME[row]) + 77_000
        amounts *= np.where(rng.random(amounts.shape) < 0.05, 1.5, 1.0)
        ended = range(max(row - 40, 0), row + 1)
        price = float(CANDLES["close"].iloc[row])
        if vendor == "coinalyze":
            rows = [
                {"t": (first + CANDLE * i) // 1000, "l": amounts[0, i], "s": amounts[1, i]} for i in ended
            ]
            yield asked, [{"symbol": "BTCUSDT_PERP.A", "history": rows}]
        elif vendor == "coinglass":
            prices = [price * (1 + 0.0015 * k) for k in range(-20, 21)]
            held = [(y, float(x)) for y, x in enumerate(rng.exponential(100, 41))]
            yield asked, vendors.coinglass_heatmap(prices, held)
        else:
            edge = price * np.exp(0.0005 * np.arange(-40, 41))
            held = rng.exponential(100, (2, 80)) * (rng.random((2, 80)) < 0.3)
            held[0, 40:], held[1, :40] = 0, 0
            yield asked, vendors.map_answer(edge, *held, stamp=asked // 1000)


def columns(folder, vendor, until, candles=CANDLES):
    """Import what was answered until a moment, and compute the columns."""
    path = folder / f"{vendor}-{until}.sqlite"
    files = [save(folder, answer, asked, vendor) for asked, answer in answers(vendor) if asked <= until]
    import_answers(path, vendor, files, PAIR, exchange="binance")
    if vendor == "coinalyze":
        given = {"liquidations": load_totals(path, PAIR, "5m", "binance")}
    else:
        given = {"maps": load_maps(path, PAIR, vendor)}
    return liquidation_features(candles, CONFIG, open_interest=INTEREST, **given)


@pytest.mark.parametrize("vendor", ["coinglass", "coinalyze", "hyblock"])
def test_payloads_go_in_and_causal_columns_come_out(vendor, tmp_path):
    end = int(TIME[-1]) + CANDLE
    whole = columns(tmp_path, vendor, end)
    plain = liquidation_features(CANDLES, CONFIG, open_interest=INTEREST)
    changed = "liq_cascade_above" if vendor == "coinalyze" else "liq_total_above"
    assert whole[changed].iloc[CONFIG.warmup + 5 :].notna().mean() > 0.5
    assert not whole[changed].equals(plain[changed])
    for row in (CONFIG.warmup + 3, CONFIG.warmup + 90, len(CANDLES) - 3):
        part = columns(tmp_path, vendor, int(TIME[row]) + CANDLE, CANDLES.iloc[: row + 1])
        pd.testing.assert_series_equal(part.iloc[-1], whole.iloc[row], check_exact=True)
