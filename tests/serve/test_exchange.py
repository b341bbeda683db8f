"""An exchange through the real ccxt: the sandbox, whose clock the test sets."""

from datetime import UTC, datetime

import numpy as np
import pytest

from liqfeature.durations import MINUTE
from liqfeature.errors import ConfigError, DataError
from liqfeature.sandbox.freqtrade_config import exchange_config
from liqfeature.sandbox.server.serve import running
from liqfeature.sandbox.server.venue import Venue
from liqfeature.sandbox.simulation.scenario import scenario
from liqfeature.sandbox.simulation.simulate import simulate
from liqfeature.serve.exchange import ExchangeSource

PAIR = "BTC/USDT:USDT"
START = datetime(2026, 1, 1, tzinfo=UTC)
NOON = round(datetime(2026, 1, 3, 12, tzinfo=UTC).timestamp() * 1000)


class SetClock:
    def __init__(self, moment):
        self.moment = moment

    def now(self):
        return self.moment


@pytest.fixture(scope="module")
def tape():
    return simulate(scenario("liquid"), PAIR, start=START, days=3, seed=3)


@pytest.fixture
def market(tape):
    clock = SetClock(NOON + 2 * MINUTE)
    with running(Venue.of([tape], clock=clock)) as url:
        config = exchange_config(url)
        config["exchange"]["pair_whitelist"] = [PAIR, "NEW/USDT:USDT"]
        yield ExchangeSource(config), clock


def test_closed_candles_and_what_lies_beside_them_arrive_without_the_forming_one(market, tape):
    source, _ = market
    data = source.load(PAIR)
    assert data.simulated
    assert data.candles["date"].iloc[0] == START
    assert data.candles["date"].iloc[-1].timestamp() * 1000 == NOON - 5 * MINUTE
    assert data.candles["date"].diff().dropna().nunique() == 1
    minutes = slice(0, len(data.candles) * 5)
    np.testing.assert_allclose(data.candles["high"], tape.high[minutes].reshape(-1, 5).max(1), atol=0.06)
    assert len(data.inputs["open_interest"]) == len(data.candles)
    assert len(data.inputs["funding_rate"]) == 8


def test_asking_again_as_time_goes_on_gives_what_asking_once_gives(market, tape):
    source, clock = market
    source.load(PAIR)
    for _ in range(4):
        clock.moment += 7 * MINUTE
        piecewise = source.load(PAIR)
    with running(Venue.of([tape], clock=clock)) as url:
        config = exchange_config(url)
        config["exchange"]["pair_whitelist"] = [PAIR]
        whole = ExchangeSource(config).load(PAIR)
    assert piecewise.candles.equals(whole.candles)
    for name in ("open_interest", "funding_rate"):
        assert piecewise.inputs[name].equals(whole.inputs[name]), name


def test_a_look_shows_the_forming_candle_and_another_version_after_its_close(market):
    source, clock = market
    before = source.look(PAIR)
    clock.moment += 2 * MINUTE
    later = source.look(PAIR)
    clock.moment += 2 * MINUTE
    after = source.look(PAIR)
    assert before.forming.opened == later.forming.opened == NOON
    assert before.version == later.version != after.version
    assert later.forming.high >= before.forming.high
    assert later.forming.low <= before.forming.low
    assert after.forming.opened == NOON + 5 * MINUTE


def test_a_pair_that_the_exchange_does_not_have_is_an_error_that_names_it(market):
    source, _ = market
    for ask in (source.load, source.look):
        with pytest.raises(DataError, match=r"binance must answer about NEW/USDT:USDT, received BadSymbol"):
            ask("NEW/USDT:USDT")


@pytest.mark.parametrize("bot", [{}, {"exchange": {"name": "mtgox", "pair_whitelist": [PAIR]}}])
def test_a_configuration_without_a_known_exchange_is_refused(bot):
    with pytest.raises((ConfigError, DataError), match="exchange"):
        ExchangeSource(bot)


def test_a_configuration_without_pairs_is_refused():
    with pytest.raises(DataError, match="pair_whitelist"):
        ExchangeSource({"exchange": {"name": "binance"}})
