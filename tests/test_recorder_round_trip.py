"""What the recorder wrote is what `validate` and `calibrate` read."""

import json

import numpy as np
import pandas as pd
import pytest
from frames import random_candles, random_open_interest

from liqfeature import DataError
from liqfeature.cli import main
from liqfeature.data.prints import Print
from liqfeature.data.schema import FORCED_ORDERS
from liqfeature.data.store import write_frame
from liqfeature.recorder.compaction import compact
from liqfeature.recorder.journal import Journal
from liqfeature.recorder.spans import Spans
from liqfeature.scoring.recorded import hourly_totals, load_recorded

PAIR = "BTC/USDT:USDT"


def recorded(root, candles, exchange="binance", n=3000):
    """Record orders at random times and prices within the candles; half of them still in the journal."""
    rng = np.random.default_rng(3)
    rows = np.sort(rng.integers(0, len(candles), n))
    opened = candles["date"].dt.as_unit("ms").astype("int64").to_numpy()[rows]
    long = rng.random(n) < 0.5
    price = np.where(long, candles["low"].to_numpy()[rows], candles["high"].to_numpy()[rows])
    prints = [
        Print(
            int(opened[i] + rng.integers(0, 300_000)),
            exchange,
            PAIR,
            "long" if long[i] else "short",
            float(price[i]) if exchange == "binance" else None,
            float(price[i]),
            2.0,
            2.0 * float(price[i]),
        )
        for i in range(n)
    ]
    journal = Journal(root)
    journal.append(prints[: n // 2])
    compact(root, journal.close())
    journal.append(prints[n // 2 :])
    journal.close()
    return prints


@pytest.fixture
def datadir(tmp_path):
    """Data of Bybit, as Freqtrade downloads them."""
    folder = tmp_path / "with space" / "bybit"
    (folder / "futures").mkdir(parents=True)
    candles = random_candles(6000, 1)
    write_frame(candles, folder / "futures" / "BTC_USDT_USDT-5m-futures.feather")
    write_frame(
        random_open_interest(candles, 1), folder / "futures" / "BTC_USDT_USDT-5m-open_interest.feather"
    )
    return folder


@pytest.fixture
def root(datadir):
    """Recordings of Bybit and Binance."""
    root = datadir.parent / "recordings"
    candles = pd.read_feather(datadir / "futures" / "BTC_USDT_USDT-5m-futures.feather")
    recorded(root, candles, "bybit")
    recorded(root, candles, "binance", n=20)
    return root


def test_a_recording_is_read_as_orders_at_the_price_that_is_known(root):
    orders = load_recorded(root, PAIR, "bybit")
    assert set(FORCED_ORDERS) <= set(orders.columns)
    assert len(orders) == 3000
    assert orders["price"].notna().all()
    assert (orders["price"] == orders["bankruptcy_price"]).all()
    totals = hourly_totals(orders)
    assert totals[["long", "short"]].to_numpy().sum() == pytest.approx(orders["notional"].sum())
    pd.testing.assert_frame_equal(load_recorded(root / "bybit", PAIR), orders)
    assert len(load_recorded(root, PAIR, "binance")) == 20
    with pytest.raises(DataError, match="one exchange, received binance, bybit"):
        load_recorded(root, PAIR)
    with pytest.raises(DataError, match="must hold liquidations of ETH/USDT:USDT, received none"):
        load_recorded(root, "ETH/USDT:USDT", "bybit")


def test_validate_takes_the_exchange_s_own_recording(root, datadir, capsys):
    out = root.parent / "scores.json"
    options = ["--datadir", str(datadir), "--pair", PAIR, "--liquidations", str(root), "--out", str(out)]
    assert main(["validate", *options]) == 0
    about = json.loads(out.read_text())["about"]
    assert about["market"] == "recorded: recordings"
    assert "binance" not in capsys.readouterr().err


def test_calibrate_reads_it_too(root, datadir, monkeypatch):
    from liqfeature.calibration import command

    seen = {}

    def caught(**arguments):
        seen.update(arguments)
        raise DataError("enough")

    monkeypatch.setattr(command, "calibrate", caught)
    out = str(root.parent / "found.json")
    assert main(["calibrate", "--datadir", str(datadir), "--liquidations", str(root), "--out", out]) == 2
    assert len(seen["liquidations"]) == 3000


def test_hours_in_which_it_did_not_listen_are_unknown(root):
    """Not 0, as where it listened and nothing was liquidated."""
    orders = load_recorded(root, PAIR, "bybit")
    without = hourly_totals(orders)
    first, last = (int(without["date"].iloc[i].timestamp() * 1000) for i in (0, -1))
    hour = 3_600_000
    spans = Spans(root, "bybit", [PAIR])
    spans.add((first - 2 * hour, first + 20 * hour))
    spans.add((first + 22 * hour + hour // 2, last + 3 * hour))
    spans.write(spans.content())
    found = hourly_totals(load_recorded(root, PAIR, "bybit")).set_index("date")
    unheard = found.index[found["long"].isna()]
    assert unheard.tolist() == [without["date"].iloc[i] for i in (20, 21, 22)]
    assert (found.iloc[:2] == 0).all(axis=None)
    assert (found.iloc[-2:] == 0).all(axis=None)
    assert len(found) == len(without) + 4
    known = without.set_index("date").drop(unheard)
    pd.testing.assert_frame_equal(found.loc[known.index], known, check_freq=False)
