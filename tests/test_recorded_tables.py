"""Recorded liquidations: every form in which they are recorded becomes the same table."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from liqfeature import DataError, MissingColumnError
from liqfeature.data.schema import FORCED_ORDERS
from liqfeature.data.store import write_frame
from liqfeature.scoring.recorded import are_orders, hourly_totals, load_recorded

PAIR = "BTC/USDT:USDT"


def stamps(*texts: str) -> pd.DatetimeIndex:
    return pd.DatetimeIndex([pd.Timestamp(text, tz="UTC") for text in texts]).as_unit("ms")


def orders(pair: str | list[str] = PAIR) -> pd.DataFrame:
    """Three orders, the second last in time."""
    return pd.DataFrame(
        {
            "date": stamps("2026-01-01 00:10", "2026-01-01 03:00", "2026-01-01 00:59:59.999"),
            "pair": pair,
            "side": ["long", "short", "long"],
            "price": [100.0, 90.0, 95.0],
            "bankruptcy_price": [99.0, 91.0, np.nan],
            "amount": [1.0, 2.0, 3.0],
            "notional": [100.0, 180.0, 285.0],
        }
    )


def stream() -> pd.DataFrame:
    """The same orders as Binance sends them: the side is that of the order."""
    return pd.DataFrame(
        {
            "symbol": "BTCUSDT",
            "side": ["SELL", "BUY", "SELL"],
            "price": [99.0, 91.0, np.nan],
            "avg_price": [100.0, 90.0, 95.0],
            "cum_fill_qty": [1.0, 2.0, 3.0],
            "ts": [int(t.timestamp() * 1000) for t in orders()["date"]],
        }
    )


def written(table: pd.DataFrame, folder: Path, suffix: str = ".feather") -> Path:
    path = folder / f"recorded{suffix}"
    write_frame(table, path)
    return path


@pytest.mark.parametrize("suffix", [".feather", ".parquet"])
@pytest.mark.parametrize("prefix", ["", "liq_"])
def test_totals_are_read_under_both_names_and_by_date(prefix: str, suffix: str, tmp_path: Path) -> None:
    date = stamps("2026-01-01 02:00", "2026-01-01 01:00")
    table = pd.DataFrame(
        {f"{prefix}short": [3.0, 4.0], "date": date, "n": [1, 2], f"{prefix}long": [1.0, 2.0]}
    )
    found = load_recorded(written(table, tmp_path, suffix), PAIR)
    assert list(found.columns) == ["date", "long", "short"]
    assert found["date"].tolist() == date[::-1].tolist()
    assert found["long"].tolist() == [2.0, 1.0]
    assert found["short"].tolist() == [4.0, 3.0]
    assert not are_orders(found)


def test_orders_of_the_schema_are_read_by_date(tmp_path: Path) -> None:
    found = load_recorded(written(orders(), tmp_path), PAIR)
    assert are_orders(found)
    assert list(found.columns) == list(FORCED_ORDERS)
    assert found["date"].is_monotonic_increasing
    assert found["notional"].tolist() == [100.0, 285.0, 180.0]


def test_an_order_of_binance_that_sells_liquidates_a_long(tmp_path: Path) -> None:
    ours, theirs = (load_recorded(written(table, tmp_path), PAIR) for table in (orders(), stream()))
    theirs["date"] = theirs["date"].dt.as_unit("ms")
    pd.testing.assert_frame_equal(theirs, ours)
    assert theirs["side"].tolist() == ["long", "long", "short"]


def test_orders_of_other_pairs_are_left_out(tmp_path: Path) -> None:
    mixed = orders([PAIR, "ETH/USDT:USDT", PAIR])
    assert load_recorded(written(mixed, tmp_path), PAIR)["notional"].tolist() == [100.0, 285.0]
    mixed = stream().assign(symbol=["ETHUSDT", "BTCUSDC", "BTCUSDT"])
    assert load_recorded(written(mixed, tmp_path), PAIR)["notional"].tolist() == [285.0]
    for table in (orders(), stream()):
        with pytest.raises(DataError, match="must hold liquidations of SOL/USDT:USDT, received none"):
            load_recorded(written(table, tmp_path), "SOL/USDT:USDT")


def test_other_columns_are_refused_by_name(tmp_path: Path) -> None:
    table = pd.DataFrame({"date": stamps("2026-01-01"), "longs": 1.0, "shorts": 2.0})
    path = written(table, tmp_path)
    with pytest.raises(MissingColumnError) as refused:
        load_recorded(path, PAIR)
    assert str(refused.value) == (
        f"{path} must have the columns date, long, short or {', '.join(FORCED_ORDERS)}, "
        "received date, longs, shorts"
    )


@pytest.mark.parametrize("column", ["pair", "side", "price", "notional"])
def test_orders_without_a_column_that_is_needed_are_refused(column: str, tmp_path: Path) -> None:
    with pytest.raises(MissingColumnError, match=column):
        load_recorded(written(orders().drop(columns=column), tmp_path), PAIR)


@pytest.mark.parametrize("column", ["ts", "side", "cum_fill_qty"])
def test_a_stream_without_a_column_that_is_needed_is_refused(column: str, tmp_path: Path) -> None:
    with pytest.raises(MissingColumnError, match=column):
        load_recorded(written(stream().drop(columns=column), tmp_path), PAIR)


@pytest.mark.parametrize("table", [orders().assign(side="sell"), stream().assign(side="sell")])
def test_a_side_that_is_neither_is_not_taken_for_silence(table: pd.DataFrame, tmp_path: Path) -> None:
    """Else every hour would count as one without liquidations."""
    with pytest.raises(DataError, match=r"column 'side' must hold .*, received 'sell'"):
        hourly_totals(load_recorded(written(table, tmp_path), PAIR))


def test_totals_of_orders_are_sums_and_silent_hours_between_them_are_zero() -> None:
    found = hourly_totals(orders())
    assert found["date"].tolist() == stamps(*(f"2026-01-01 0{h}:00" for h in range(4))).tolist()
    assert found["long"].tolist() == [385.0, 0.0, 0.0, 0.0]
    assert found["short"].tolist() == [0.0, 0.0, 0.0, 180.0]


def test_totals_stay_as_they_are_and_silence_between_them_is_unknown() -> None:
    date = stamps("2026-01-01 01:00", "2026-01-01 05:00")
    table = pd.DataFrame({"date": date, "long": [1.0, 2.0], "short": [3.0, 4.0]})
    pd.testing.assert_frame_equal(hourly_totals(table), table)


def test_totals_twice_in_one_hour_are_refused() -> None:
    date = stamps("2026-01-01 01:00", "2026-01-01 01:00")
    with pytest.raises(DataError, match="liquidations: column 'date' must ascend without duplicates"):
        hourly_totals(pd.DataFrame({"date": date, "long": 1.0, "short": 1.0}))
