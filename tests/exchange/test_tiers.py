"""What makes a tier, and a schedule of them."""

import math
import re

import pytest

from liqfeature.errors import ConfigError
from liqfeature.exchange.tiers import LeverageTier, check_tiers, fallback_tiers


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ((-1.0, 5.0, 0.01, 10.0), "min_notional must be finite and at least 0, received -1.0"),
        ((math.inf, math.inf, 0.01, 10.0), "min_notional must be finite and at least 0, received inf"),
        ((5.0, 5.0, 0.01, 10.0), "max_notional must exceed min_notional 5.0, received 5.0"),
        ((0.0, math.nan, 0.01, 10.0), "max_notional must exceed min_notional 0.0, received nan"),
        ((0.0, 5.0, 0.01, 0.5), "max_leverage must be finite and at least 1, received 0.5"),
        ((0.0, 5.0, 0.01, math.inf), "max_leverage must be finite and at least 1, received inf"),
        (
            (0.0, 5.0, 0.1, 10.0),
            "maintenance_margin_rate must be at least 0 and below 1 / max_leverage = 0.1, received 0.1",
        ),
        (
            (0.0, 5.0, -0.1, 10.0),
            "maintenance_margin_rate must be at least 0 and below 1 / max_leverage = 0.1, received -0.1",
        ),
        ((0.0, 5.0, 0.01, 10.0, -1.0), "maintenance_amount must be finite and at least 0, received -1.0"),
        ((0.0, 5.0, 0.01, 10.0, math.inf), "maintenance_amount must be finite and at least 0, received inf"),
        ((0.0, 5.0, 0.01, 10.0, math.nan), "maintenance_amount must be finite and at least 0, received nan"),
    ],
)
def test_a_wrong_tier_is_refused(fields, message):
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        LeverageTier(*fields)


FIRST = LeverageTier(0.0, 1000.0, 0.01, 50.0)


@pytest.mark.parametrize(
    ("tiers", "message"),
    [
        (
            (LeverageTier(5.0, 10.0, 0.01, 10.0),),
            "tiers must start with one of min_notional 0 and maintenance_amount 0, received LeverageTier("
            "min_notional=5.0, max_notional=10.0, maintenance_margin_rate=0.01, max_leverage=10.0, "
            "maintenance_amount=0.0)",
        ),
        (
            (LeverageTier(0.0, 10.0, 0.01, 10.0, 1.0),),
            "tiers must start with one of min_notional 0 and maintenance_amount 0, received LeverageTier("
            "min_notional=0.0, max_notional=10.0, maintenance_margin_rate=0.01, max_leverage=10.0, "
            "maintenance_amount=1.0)",
        ),
        (
            (FIRST, LeverageTier(2000.0, 3000.0, 0.02, 25.0, 10.0)),
            "tier 2 must start at 1000.0, where tier 1 ends, received 2000.0",
        ),
        (
            (FIRST, LeverageTier(1000.0, 3000.0, 0.01, 25.0, 0.0)),
            "tier 2 must have a maintenance_margin_rate above 0.01, received 0.01",
        ),
        (
            (FIRST, LeverageTier(1000.0, 3000.0, 0.02, 25.0)),
            "tier 2 must have a maintenance_amount of 10, or maintenance margin would jump, received 0.0",
        ),
    ],
)
def test_tiers_that_make_no_schedule_are_refused(tiers, message):
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        check_tiers(tiers)


def test_a_fallback_below_one_is_refused():
    with pytest.raises(ConfigError, match=r"^max_leverage must be finite and at least 1, received 0.5$"):
        fallback_tiers(0.5)
