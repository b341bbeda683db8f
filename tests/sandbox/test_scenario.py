"""Parameters of the simulated market: their rules, and the messages for those who break them."""

from dataclasses import replace

import pytest

from liqfeature.errors import ConfigError
from liqfeature.sandbox.simulation.pairs import PAIRS
from liqfeature.sandbox.simulation.scenario import SCENARIOS, Scenario, scenario
from liqfeature.sandbox.simulation.simulate import simulate

BTC, START = "BTC/USDT:USDT", "2024-01-01"


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenarios_have_names(name: str):
    assert scenario(name) is SCENARIOS[name]


def test_an_unknown_scenario_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match=r"scenario must be one of liquid, reflexive, .*, received 'calm'"):
        scenario("calm")


def test_an_unknown_pair_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match=r"pair must be one of BTC/USDT:USDT, .*, received 'BTC/USDT'"):
        simulate(Scenario(), "BTC/USDT", start=START, days=1, seed=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stop_share": 1.5}, r"stop_share must be from 0 to 1, received 1.5"),
        ({"arrivals": 0.0}, r"arrivals must be from 0.1 to 60, received 0.0"),
        ({"volatility": float("nan")}, r"volatility must be from 0 to 10, received nan"),
        (
            {"stop_share": 0.6, "top_up_share": 0.6},
            r"stop_share \+ top_up_share must be at most 1, received 1.2",
        ),
        (
            {"leverage": ((5.0, 0.5), (3.0, 0.5))},
            r"levels of leverage must be .* and ascending, received \[5.0, 3.0\]",
        ),
        (
            {"leverage": ((3.0, 0.5), (5.0, 0.4))},
            r"shares of leverage must be .* and sum to 1, received \[0.5, 0.4\]",
        ),
        ({"leverage": ()}, r"levels of leverage must be .* and ascending, received \[\]"),
    ],
)
def test_parameters_have_rules(change: dict[str, object], message: str):
    with pytest.raises(ConfigError, match=message):
        replace(Scenario(), **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start": "yesterday"}, r"start must be a date in ISO 8601, received 'yesterday'"),
        ({"start": "2024-01-01T00:00:30"}, r"start must be on a whole minute"),
        ({"days": 0.0}, r"days must be at least a minute, received 0.0"),
        ({"days": float("inf")}, r"days must be at least a minute, received inf"),
        ({"seed": -1}, r"seed must be at least 0, received -1"),
    ],
)
def test_arguments_have_rules(change: dict[str, object], message: str):
    with pytest.raises(ConfigError, match=message):
        simulate(Scenario(), BTC, **{"start": START, "days": 1.0, "seed": 0, **change})


@pytest.mark.parametrize("name", ["price", "annual_volatility", "open_interest", "turnover"])
def test_pairs_have_rules(name: str):
    with pytest.raises(ConfigError, match=rf"{name} must be above 0, received 0.0"):
        replace(PAIRS[BTC], **{name: 0.0})


def test_tiers_are_those_published():
    # Binance's maintenance amounts of BTC: 1,500 in the third tier, 132,000 in the fifth.
    tiers = PAIRS[BTC].tiers
    assert [tiers[2].maintenance_amount, tiers[4].maintenance_amount] == pytest.approx([1_500, 132_000])
    assert (tiers[4].min_notional, tiers[4].max_notional, tiers[4].max_leverage) == (12e6, 70e6, 25)
