"""A backtest as Freqtrade writes it, of a random market."""

import json
import zipfile

from builders.frames import random_candles, random_open_interest
from liqfeature import HeatmapConfig, liquidation_features
from liqfeature.data.pair import PairData
from liqfeature.data.schema import SANDBOX_MARKER

PAIR = "BTC/USDT:USDT"
CANDLES = random_candles(2700, seed=5, volatility=0.001)
KNOWN = random_open_interest(CANDLES, 6)
CONFIG = HeatmapConfig.for_pair(PAIR)
FEATURES = liquidation_features(CANDLES, CONFIG, open_interest=KNOWN)


def spread(opened, closed, n):
    """Candles from the first of n orders to the last, which is the exit if there are several."""
    return [opened + (closed - opened) * i // max(n - 1, 1) for i in range(n)]


def order(candle, tag):
    return {
        "ft_order_tag": tag,
        "ft_is_entry": tag == "entry",
        "safe_price": float(CANDLES["close"].iloc[candle]),
        "order_filled_timestamp": int(CANDLES["date"].iloc[candle].timestamp() * 1000),
    }


def trade(opened, closed, *, is_short=False, profit=5.0, reason="peak", tags=("entry",)):
    return {
        "pair": PAIR,
        "open_date": str(CANDLES["date"].iloc[opened]),
        "close_date": str(CANDLES["date"].iloc[closed]),
        "open_rate": float(CANDLES["open"].iloc[opened]),
        "close_rate": float(CANDLES["close"].iloc[closed]),
        "stop_loss_abs": 90.0,
        "profit_abs": profit,
        "profit_ratio": profit / 1000,
        "exit_reason": reason,
        "enter_tag": "<b>tag",
        "is_short": is_short,
        "orders": [order(*at) for at in zip(spread(opened, closed, len(tags)), tags, strict=True)],
    }


TRADES = [
    trade(2500, 2520, profit=-3.0, reason="stop_loss", tags=("entry", "stop_loss")),
    trade(2400, 2450, profit=5.0, tags=("entry", "peak")),
    trade(
        *(2600, 2640),
        is_short=True,
        profit=1.0,
        reason="cascade_behind",
        tags=("entry", "near_edge", "cascade_behind"),
    ),
]


def archive(folder, trades, name="backtest-result-1"):
    figures = {
        "trades": trades,
        "total_trades": len(trades),
        "profit_total": 0.0003,
        "profit_factor": 2.0,
        "starting_balance": 1000.0,
        "stake_currency": "USDT",
        "timeframe": "5m",
        "backtest_start": str(CANDLES["date"].iloc[2350])[:19],
        "backtest_end": str(CANDLES["date"].iloc[2690])[:19],
    }
    path = folder / f"{name}.zip"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr(f"{name}.json", json.dumps({"strategy": {"Mine": figures}}))
    return path


def mark_simulated(datadir):
    """Leave the sandbox's marker."""
    (datadir / SANDBOX_MARKER).write_text("Simulated.\nmarket 0123456789abcdef\n")


def write_market(folder):
    """Write the market as Freqtrade would, and return the data directory."""
    futures = folder / "binance" / "futures"
    futures.mkdir(parents=True)
    CANDLES.to_feather(futures / "BTC_USDT_USDT-5m-futures.feather")
    KNOWN.to_feather(futures / "BTC_USDT_USDT-5m-open_interest.feather")
    return futures.parent


SOURCES = {
    PAIR: PairData(
        pair=PAIR,
        timeframe="5m",
        candles=CANDLES,
        inputs={"open_interest": KNOWN},
        config=CONFIG,
        exchange="binance",
        simulated=True,
    )
}
