"""The version of what the columns mean: every change of their list or meaning raises it."""

import pytest

from liqfeature import COLUMNS, ConfigError
from liqfeature.columns import SCHEMA, require_schema

PRESENT = (
    *("distance", "near", "peak", "far", "notional", "density", "total", "hit", "fuel"),
    *("amplification", "cascade", "vacuum", "cleared", "pierced"),
)
"""Of either side, in schema 2; later ones may only be added."""


def test_columns_of_the_schema_are_all_there():
    sided = {f"liq_{name}_{side}" for name in PRESENT for side in ("above", "below")}
    assert SCHEMA == 2
    assert sided | {"liq_swept_long", "liq_swept_short", "liq_imbalance", "liq_quality"} <= set(COLUMNS)


def test_a_strategy_may_demand_the_schema_that_it_was_written_for():
    require_schema(SCHEMA)
    for other in (SCHEMA - 1, SCHEMA + 1):
        with pytest.raises(ConfigError, match=f"schema {SCHEMA}, as installed .*, received {other}"):
            require_schema(other)
