"""Recorded liquidations: every form in which they are recorded becomes the same table."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from liqfeature import ConfigError, DataError, MissingColumnError
from liqfeature.data.recorded import in_quote, load_recorded
from liqfeature.data.schema import FORCED_ORDERS
from liqfeature.data.store import write_frame
from liqfeature.durations import DAY, HOUR
from liqfeature.market.liquidations import are_orders, totals_of

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
        totals_of(load_recorded(written(table, tmp_path), PAIR), HOUR, silence=DAY)


def test_totals_in_base_are_worth_the_mean_price_at_which_their_period_was_traded() -> None:
    """Half an hour at 100 with a volume of 1 and half at 200 with 3: 175."""
    date = stamps("2026-01-01 00:00", "2026-01-01 00:30", "2026-01-01 01:00", "2026-01-01 01:30")
    candles = pd.DataFrame(
        {"date": date, "close": [100.0, 200.0, 300.0, 300.0], "volume": [1.0, 3.0, 2.0, 0.0]}
    )
    hours = stamps("2026-01-01 00:00", "2026-01-01 01:00", "2026-01-01 02:00")
    totals = pd.DataFrame({"date": hours, "long": [2.0, 1.0, 1.0], "short": [0.0, np.nan, 1.0]})
    found = in_quote(totals, candles, "base")
    np.testing.assert_allclose(found["long"], [350.0, 300.0, np.nan])
    np.testing.assert_allclose(found["short"], [0.0, np.nan, np.nan])
    assert in_quote(totals, candles, "quote") is totals
    assert in_quote(orders(), candles, "base")["notional"].tolist() == orders()["notional"].tolist()
    with pytest.raises(ConfigError, match="unit must be one of quote, base, received 'euro'"):
        in_quote(None, candles, "euro")


@pytest.mark.parametrize("table", [orders, stream])
def test_orders_that_are_repeated_count_once_and_are_reported(
    table: Callable[[], pd.DataFrame], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    want = load_recorded(written(table(), tmp_path), PAIR)
    assert caplog.messages == []
    again = pd.concat([table(), table().iloc[[0, 2]]], ignore_index=True)
    pd.testing.assert_frame_equal(load_recorded(written(again, tmp_path), PAIR), want)
    assert caplog.messages == ["2 of 5 liquidations in recorded.feather are repetitions, and are not counted"]


def test_equal_orders_that_a_recorder_told_apart_all_count(tmp_path: Path) -> None:
    twice = pd.concat([orders().assign(copy=0), orders().assign(copy=1)], ignore_index=True)
    assert len(load_recorded(written(twice, tmp_path), PAIR)) == 6
