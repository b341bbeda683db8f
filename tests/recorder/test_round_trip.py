"""What the recorder wrote is what `validate` and `calibrate` read."""

import json

import numpy as np
import pandas as pd
import pytest

from builders.frames import random_candles, random_open_interest
from builders.recordings import record
from liqfeature import DataError
from liqfeature.cli.main import main
from liqfeature.data.prints import Print
from liqfeature.data.recorded import load_recorded
from liqfeature.data.schema import FORCED_ORDERS
from liqfeature.data.store import write_frame
from liqfeature.durations import HOUR
from liqfeature.market.liquidations import totals_of

PAIR = "BTC/USDT:USDT"


def recorded(root, candles, exchange="binance", n=3000):
    """Record orders at random times and prices within the candles."""
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
    record(root, prints)
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
    root = datadir.parent / "recordings.sqlite"
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
    assert about["market"] == "recorded: recordings.sqlite"
    assert "binance" not in capsys.readouterr().err


def test_calibrate_reads_it_too(root, datadir, monkeypatch):
    seen = {}

    def caught(**arguments):
        seen.update(arguments)
        raise DataError("enough")

    monkeypatch.setattr("liqfeature.calibration.calibrate.calibrate", caught)
    out = str(root.parent / "found.json")
    assert main(["calibrate", "--datadir", str(datadir), "--liquidations", str(root), "--out", out]) == 2
    assert len(seen["liquidations"]) == 3000


def test_hours_in_which_it_did_not_listen_are_unknown(root):
    """Not 0, as where it listened and nothing was liquidated."""
    orders = load_recorded(root, PAIR, "bybit")
    opening = orders["date"].dt.floor("1h")
    first, last = (int(date.timestamp() * 1000) for date in (opening.iloc[0], opening.iloc[-1]))
    spans = [(first - 2 * HOUR, first + 20 * HOUR), (first + 22 * HOUR + HOUR // 2, last + 3 * HOUR)]
    record(root, spans=spans, exchange="bybit")
    found = totals_of(load_recorded(root, PAIR, "bybit"), HOUR, silence=0).to_frame().set_index("date")
    unheard = found.index[found["long"].isna()]
    assert unheard.tolist() == [opening.iloc[0] + pd.Timedelta(hours=i) for i in (20, 21, 22)]
    assert (found.iloc[:2] == 0).all(axis=None)
    assert (found.iloc[-2:] == 0).all(axis=None)
    known = orders["notional"].where(orders["side"] == "long", 0.0).groupby(opening).sum().drop(unheard)
    np.testing.assert_allclose(found["long"].loc[known.index], known)
