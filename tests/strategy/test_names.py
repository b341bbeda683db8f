"""What a strategy inherits beside the names of Freqtrade: settings and hooks, nothing else."""

import inspect
import re

import pytest

pytest.importorskip("freqtrade")

from freqtrade.strategy import IStrategy

from builders.driving import enter
from liqfeature.strategy import around_clusters
from liqfeature.strategy.settings import ClusterSettings

SETTINGS = {
    "dearest_funding",
    "first_share",
    "funding_hours",
    "funding_lead",
    "health_rule",
    "liquidation_fee_rate",
    "least_event_weight",
    "longest_hours",
    "mark_candles",
    "order_cost",
    "plan_rule",
    "quiet_windows",
    "risk_per_trade",
    "sized_by",
    "stops_tighten",
    "targets_move",
}
HOOKS = {"cluster_columns", "cluster_feed", "heatmap_config", "plan_entry", "plan_of"}
OF_FREQTRADE = set(dir(IStrategy)) | set(IStrategy.__annotations__)


def public(names):
    return {name for name in names if not name.startswith("_")}


def test_a_strategy_inherits_settings_and_hooks_and_no_other_public_name():
    added = public(dir(around_clusters(IStrategy))) - OF_FREQTRADE
    assert added == SETTINGS | HOOKS
    assert len(added) == 21


def populated(base):
    """Return the least that Freqtrade takes for a strategy."""
    methods = ("populate_indicators", "populate_entry_trend", "populate_exit_trend")
    same = dict.fromkeys(methods, lambda self, dataframe, metadata: dataframe)
    return type("Least", (base,), {"timeframe": "5m", **same})


def test_a_strategy_at_work_has_no_further_public_name(bot):
    plain, ours = (populated(base)(bot.config) for base in (IStrategy, around_clusters(IStrategy)))
    ours.dp, ours.wallets = bot.provider, bot.wallets
    enter(ours, "long")
    assert public(vars(ours)) - public(vars(plain)) == {"dp", "wallets", "startup_candle_count"}


def test_a_name_of_ones_own_gets_in_nobody_s_way(bot):
    """Names that the mixin used once are free."""
    taken = dict.fromkeys(("plans", "keep", "sound", "venue", "spoken", "planned", "open_interest"), 1)
    strategy = bot.strategy()
    vars(strategy).update(taken)
    trade = enter(strategy, "long")
    assert strategy.plan_of(trade)
    assert {name: getattr(strategy, name) for name in taken} == taken


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_every_setting_says_what_it_is(name):
    source = inspect.getsource(ClusterSettings)
    assert re.search(rf'^    {name}(: [^=]+)? = .*\n    """\S', source, flags=re.MULTILINE)
