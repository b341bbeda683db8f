"""Results of a backtest, as Freqtrade archives them."""

import json
import zipfile

import pytest

from builders.backtests import TRADES, archive
from liqfeature import DataError
from liqfeature.data.backtest import load_backtest


def test_the_newest_archive_of_a_directory_is_read(tmp_path):
    import os

    newer = archive(tmp_path, TRADES, "newer")
    older = archive(tmp_path, [], "older")
    os.utime(older, (1, 1))
    found = load_backtest(tmp_path)
    assert found.strategy == "Mine"
    assert len(found.trades) == 3
    assert found.trades["open_date"].is_monotonic_increasing
    assert str(found.trades["open_date"].dt.tz) == "UTC"
    assert load_backtest(older).trades.empty
    assert load_backtest(newer).figures["profit_factor"] == 2.0


def test_what_is_no_archive_is_named(tmp_path):
    with pytest.raises(DataError, match="no archive of a backtest in"):
        load_backtest(tmp_path)
    (tmp_path / "no.zip").write_text("no")
    with pytest.raises(DataError, match=r"no\.zip must hold what freqtrade backtesting writes"):
        load_backtest(tmp_path)


def rewritten(tmp_path, change):
    """Write an archive of which something was changed."""
    path = archive(tmp_path, TRADES)
    with zipfile.ZipFile(path) as opened:
        content = json.loads(opened.read(f"{path.stem}.json"))
    figures = content["strategy"]["Mine"]
    found = change(content, figures, figures["trades"][0])
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr(f"{path.stem}.json", json.dumps(content if found is None else found[0]))
    return path


def put(where, **values):
    where.update(values)


MALFORMED = {
    "a list": lambda c, f, t: ([1],),
    "null": lambda c, f, t: ([None],),
    "no strategy": lambda c, f, t: put(c, strategy={}),
    "strategies in a list": lambda c, f, t: put(c, strategy=[1]),
    "figures as text": lambda c, f, t: put(c, strategy={"Mine": "x"}),
    "trades as a number": lambda c, f, t: put(f, trades=5),
    "trades as text": lambda c, f, t: put(f, trades="x"),
    "trades in text": lambda c, f, t: put(f, trades=["x", "y"]),
    "no trades": lambda c, f, t: put(f, trades=None) or f.pop("trades"),
    "a trade of other columns": lambda c, f, t: put(f, trades=[{"a": 1}]),
    "dates that are none": lambda c, f, t: put(t, open_date="x"),
    "a price in words": lambda c, f, t: put(t, close_rate="high"),
    "a side in words": lambda c, f, t: put(t, is_short="yes"),
    "a pair that is a number": lambda c, f, t: put(t, pair=5),
    "orders as a number": lambda c, f, t: put(t, orders=5),
    "orders in text": lambda c, f, t: put(t, orders=["x"]),
    "an order of other keys": lambda c, f, t: put(t, orders=[{"a": 1}]),
    "no timeframe": lambda c, f, t: put(f, timeframe=None),
    "no currency": lambda c, f, t: f.pop("stake_currency") and None,
    "no balance": lambda c, f, t: f.pop("starting_balance") and None,
    "a balance in words": lambda c, f, t: put(f, starting_balance="much"),
    "a figure in words": lambda c, f, t: put(f, profit_factor="good"),
    "no begin": lambda c, f, t: f.pop("backtest_start") and None,
    "an end that is none": lambda c, f, t: put(f, backtest_end="soon"),
    "a begin that is null": lambda c, f, t: put(f, backtest_start=None),
    "a balance of nothing": lambda c, f, t: put(f, starting_balance=0.0),
    "a profit that is not known": lambda c, f, t: put(t, profit_abs=float("nan")),
    "a profit without end": lambda c, f, t: put(t, profit_ratio=float("inf")),
    "a price that is missing": lambda c, f, t: put(t, open_rate=None),
    "a price of nothing": lambda c, f, t: put(t, close_rate=0.0),
    "a trade that has not ended": lambda c, f, t: put(t, close_date=None),
    "a trade that ends before it begins": lambda c, f, t: put(t, close_date="2001-01-01 00:00:00+00:00"),
}


@pytest.mark.parametrize("how", MALFORMED)
def test_a_malformed_archive_is_named_with_what_it_should_hold(how, tmp_path):
    path = rewritten(tmp_path, MALFORMED[how])
    with pytest.raises(DataError, match=r"result-1\.zip must hold what freqtrade backtesting writes"):
        load_backtest(path)


def test_what_freqtrade_may_leave_out_is_no_fault(tmp_path):
    def change(content, figures, trade):
        put(trade, enter_tag=None)  # of a strategy that sets none
        trade["orders"][0]["order_filled_timestamp"] = None  # not filled
        put(figures, profit_factor=None)

    trades = load_backtest(rewritten(tmp_path, change)).trades
    assert sorted(set(trades["enter_tag"])) == ["", "<b>tag"]


def test_a_damaged_archive_is_named(tmp_path):
    path = archive(tmp_path, TRADES)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr(f"{path.stem}.json", json.dumps({"strategy": {}}) + " " * 5000)
    content = bytearray(path.read_bytes())
    content[60:75] = b"\xff" * 15
    path.write_bytes(bytes(content))
    with pytest.raises(DataError, match="must hold what freqtrade backtesting writes"):
        load_backtest(path)
