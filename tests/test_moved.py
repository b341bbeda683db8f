"""Import paths of version 0.1 work for one release, and the warning says where the thing is now."""

import importlib
import sys
import warnings
from collections.abc import Iterator

import pytest

import liqfeature
from liqfeature.moved import MOVED

STATEMENTS = (
    "from liqfeature.mixin import around_clusters",
    "from liqfeature.mixin import ClusterTrades",
    "from liqfeature.plan import Plan, PlanRule",
    "from liqfeature.health import HealthRule",
    "from liqfeature.plot import plot_config",
    "from liqfeature.annotations import cluster_areas, plan_lines",
    "from liqfeature.freqai import freqai_features, later_move",
    "from liqfeature.judgement import search_loss",
    "from liqfeature import HeatmapConfig, context, signals",
    "from liqfeature.signals import ahead, behind",
    "import liqfeature.context",
    "from liqfeature.risk import leverage_for_stop, risk_stake",
    "from liqfeature.sizing import stop_ratio",
    "from liqfeature.funding import last_funding",
    "from liqfeature.tiers import tiers_for",
    "from liqfeature.margin import maintenance_margin",
    "from liqfeature.join import join_funding, join_mark, join_open_interest",
    "import liqfeature.source",
)
"""What README, docs, strategies and scripts of version 0.1 imported from where it no longer is."""

STILL_THERE = (
    "from liqfeature import HeatmapConfig, liquidation_features",
    "from liqfeature.data.recordings import load_recording, load_totals",
    "from liqfeature.data.store import load_beside, load_candles",
    "from liqfeature.walkforward.controls import of_earlier, permuted, usual_edges",
    "from liqfeature.strategy import HealthRule, PlanRule, around_clusters, indicators, signals",
    "from liqfeature.strategy import ClusterTrades, Plan, cluster_areas, plan_lines, plot_config",
)


@pytest.fixture(autouse=True)
def not_imported_yet() -> Iterator[None]:
    yield
    for name in MOVED:
        sys.modules.pop(f"liqfeature.{name}", None)
        vars(liqfeature).pop(name, None)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_an_old_path_works_and_warns_at_the_line_that_imports_it(statement: str) -> None:
    code = compile(f"\n\n{statement}\n", "my_strategy.py", "exec")
    with pytest.warns(DeprecationWarning, match=" is now ") as found:
        exec(code, {"__name__": "my_strategy"})
    for warning in found:
        assert (warning.filename, warning.lineno) == ("my_strategy.py", 3)
        old, new = str(warning.message).partition(";")[0].split(" is now ")
        assert old.removeprefix("liqfeature.") in MOVED
        for place in new.split(" and "):
            importlib.import_module(place)


def test_every_old_path_is_tried() -> None:
    for name in MOVED:
        assert any(name in statement.replace(",", " ").replace(".", " ").split() for statement in STATEMENTS)


@pytest.mark.parametrize("statement", STILL_THERE)
def test_a_path_that_docs_teach_works_without_a_warning(statement: str) -> None:
    names: dict[str, object] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exec(compile(statement, "my_strategy.py", "exec"), names)
    asked = {name.strip() for name in statement.partition(" import ")[2].split(",")}
    assert asked <= set(names)


def test_an_old_module_offers_what_the_new_one_does() -> None:
    with pytest.warns(DeprecationWarning, match=r"liqfeature\.plan is now liqfeature\.strategy\.plan;"):
        from liqfeature.plan import Plan
    assert Plan is liqfeature.strategy.plan.Plan


def test_an_unknown_name_is_still_an_error() -> None:
    with pytest.raises(ModuleNotFoundError, match="nothing"):
        importlib.import_module("liqfeature.nothing")
    with pytest.raises(ImportError, match="nothing"):
        exec("from liqfeature.strategy import nothing")
