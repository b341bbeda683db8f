"""The real ccxt understands the sandbox, answers and refusals alike."""

import pytest

from builders.tapes import walking_tape
from liqfeature.durations import MINUTE
from liqfeature.sandbox.freqtrade_config import exchange_config
from liqfeature.sandbox.server.serve import running
from liqfeature.sandbox.server.venue import Venue
from liqfeature.sandbox.simulation.statistics import statistics_at

ccxt = pytest.importorskip("ccxt")

PAIR = "BTC/USDT:USDT"
TAPE = walking_tape(PAIR)
END = TAPE.start + len(TAPE.close) * MINUTE


@pytest.fixture(scope="module")
def exchange():
    with running(Venue.of([TAPE], oi_days=2)) as url:
        client = ccxt.binance(exchange_config(url)["exchange"]["ccxt_config"])
        client.options["defaultType"] = "swap"  # as Freqtrade sets it
        client.load_markets()
        yield client
        client.session.close()


def test_the_market_is_a_linear_perpetual_with_binance_s_steps(exchange):
    market = exchange.market(PAIR)
    assert (market["swap"], market["linear"], market["active"]) == (True, True, True)
    assert (market["contractSize"], market["expiry"]) == (1, None)
    assert market["precision"] | {"base": 0, "quote": 0} == {
        "amount": 0.001,
        "price": 0.1,
        "base": 0,
        "quote": 0,
    }
    assert market["limits"]["cost"]["min"] == 50


def test_candles(exchange):
    opened, first, high, low, close, volume = exchange.fetch_ohlcv(PAIR, "5m", since=TAPE.start, limit=1)[0]
    assert opened == TAPE.start
    assert (first, high) == (round(TAPE.open[0], 1), round(TAPE.high[:5].max(), 1))
    assert (low, close) == (round(TAPE.low[:5].min(), 1), round(TAPE.close[4], 1))
    assert volume == pytest.approx(TAPE.volume[:5].sum(), abs=0.001)


def test_mark_candles(exchange):
    candles = exchange.fetch_ohlcv(PAIR, "1h", since=TAPE.start, limit=500, params={"price": "mark"})
    assert len(candles) == 72
    assert candles[-1][4] == pytest.approx(TAPE.mark_close[-1])


def test_funding_history(exchange):
    history = exchange.fetch_funding_rate_history(PAIR, since=TAPE.start, limit=1000)
    assert [row["timestamp"] for row in history] == TAPE.funding_time.tolist()
    assert [row["fundingRate"] for row in history] == pytest.approx(TAPE.funding_rate.tolist(), abs=1e-8)


def test_open_interest_history(exchange):
    since = END - 10 * 5 * MINUTE
    history = exchange.fetch_open_interest_history(PAIR, "5m", since=since, limit=500)
    assert [row["timestamp"] for row in history] == list(range(since, END + 1, 5 * MINUTE))
    assert history[-1]["openInterestAmount"] == pytest.approx(TAPE.open_interest[-1])
    assert history[-1]["openInterestValue"] == pytest.approx(TAPE.open_interest[-1] * TAPE.mark_close[-1])


def test_positioning_history(exchange):
    history = exchange.fetch_long_short_ratio_history(PAIR, "1h", since=END - 86_400_000, limit=500)
    expected = statistics_at(TAPE, "1h").account_ratio[-25:]
    assert [row["longShortRatio"] for row in history] == pytest.approx(expected.tolist(), abs=1e-8)


def test_the_present(exchange):
    bid, ask = exchange.fetch_bids_asks()[PAIR]["bid"], exchange.fetch_bids_asks()[PAIR]["ask"]
    assert bid < TAPE.close[-1] < ask
    assert exchange.fetch_order_book(PAIR, 5)["bids"][0][0] == bid
    assert exchange.fetch_ticker(PAIR)["last"] == round(TAPE.close[-1], 1)
    assert exchange.fetch_funding_rates([PAIR])[PAIR]["markPrice"] == pytest.approx(TAPE.mark_close[-1])
    assert exchange.fetch_funding_intervals([PAIR])[PAIR]["interval"] == "8h"
    assert exchange.fetch_open_interest(PAIR)["openInterestAmount"] == round(TAPE.open_interest[-1], 3)
    assert exchange.fetch_time() == END


def test_refusals_become_ccxt_s_errors(exchange):
    with pytest.raises(ccxt.BadRequest, match="Invalid interval"):
        exchange.fetch_ohlcv(PAIR, "1M")
    with pytest.raises(ccxt.BadRequest, match="parameter 'startTime' is invalid"):
        exchange.fetch_open_interest_history(PAIR, "5m", since=TAPE.start, limit=500)
    with pytest.raises(ccxt.BadSymbol, match="Invalid symbol"):
        exchange.fapiPublicGetKlines({"symbol": "XYZUSDT", "interval": "5m"})
    with pytest.raises(ccxt.ExchangeError, match=r"Path /api/v3/exchangeInfo, Method GET is invalid"):
        exchange.publicGetExchangeInfo()
