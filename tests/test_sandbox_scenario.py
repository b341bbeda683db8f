"""Parameters of the simulated market: their rules, and the messages for those who break them."""

from dataclasses import replace

import pytest

from liqfeature.errors import ConfigError
from liqfeature.sandbox.market import simulate
from liqfeature.sandbox.pairs import PAIRS
from liqfeature.sandbox.scenario import SCENARIOS, MarketConfig, scenario

BTC, START = "BTC/USDT:USDT", "2024-01-01"


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenarios_have_names(name: str):
    assert scenario(name) is SCENARIOS[name]


def test_an_unknown_scenario_is_told_the_known_ones():
    with pytest.raises(ConfigError, match=r"scenario must be one of liquid, reflexive, .*, got 'calm'"):
        scenario("calm")


def test_an_unknown_pair_is_told_the_known_ones():
    with pytest.raises(ConfigError, match=r"pair must be one of BTC/USDT:USDT, .*, got 'BTC/USDT'"):
        simulate(MarketConfig(), "BTC/USDT", start=START, days=1, seed=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stop_share": 1.5}, r"stop_share must be from 0 to 1, got 1.5"),
        ({"arrivals": 0.0}, r"arrivals must be from 0.1 to 60, got 0.0"),
        ({"volatility": float("nan")}, r"volatility must be from 0 to 10, got nan"),
        (
            {"stop_share": 0.6, "top_up_share": 0.6},
            r"stop_share and top_up_share must sum to at most 1, got 1.2",
        ),
        ({"leverage": ((5.0, 0.5), (3.0, 0.5))}, r"leverage must name ascending levels .*, got \[5.0, 3.0\]"),
        ({"leverage": ((3.0, 0.5), (5.0, 0.4))}, r"shares of leverage must .* sum to 1, got \[0.5, 0.4\]"),
        ({"leverage": ()}, r"leverage must name ascending levels of at least 1, got \[\]"),
    ],
)
def test_parameters_have_rules(change: dict[str, object], message: str):
    with pytest.raises(ConfigError, match=message):
        replace(MarketConfig(), **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start": "yesterday"}, r"start must be a date in ISO 8601, got 'yesterday'"),
        ({"start": "2024-01-01T00:00:30"}, r"start must be on a whole minute"),
        ({"days": 0.0}, r"days must cover at least a minute, got 0.0"),
        ({"days": float("inf")}, r"days must cover at least a minute, got inf"),
        ({"seed": -1}, r"seed must be at least 0, got -1"),
    ],
)
def test_arguments_have_rules(change: dict[str, object], message: str):
    with pytest.raises(ConfigError, match=message):
        simulate(MarketConfig(), BTC, **{"start": START, "days": 1.0, "seed": 0, **change})


@pytest.mark.parametrize("name", ["price", "annual_volatility", "open_interest", "turnover"])
def test_pairs_have_rules(name: str):
    with pytest.raises(ConfigError, match=rf"{name} must be above 0, got 0.0"):
        replace(PAIRS[BTC], **{name: 0.0})


def test_tiers_are_those_published():
    # Binance's maintenance amounts of BTC: 1,500 in the third tier, 132,000 in the fifth.
    tiers = PAIRS[BTC].tiers
    assert [tiers[2].maintenance_amount, tiers[4].maintenance_amount] == pytest.approx([1_500, 132_000])
    assert (tiers[4].min_notional, tiers[4].max_notional, tiers[4].max_leverage) == (12e6, 70e6, 25)
