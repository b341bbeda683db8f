"""A strategy of anyone's, with stops and targets from the mixin, after a real backtest."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "user_data" / "strategies" / "SampleWithClusters.py"


@pytest.fixture(scope="module")
def sample(trades_of):
    return trades_of("SampleWithClusters")


def test_it_trades_both_ways_and_sells_into_clusters(sample):
    assert {trade["is_short"] for trade in sample} == {True, False}
    assert {trade["enter_tag"] for trade in sample} == {"rsi"}
    tags = {order["ft_order_tag"] for trade in sample for order in trade["orders"]}
    assert {"peak", "near_edge"} <= tags | {trade["exit_reason"] for trade in sample}


def test_its_size_by_sigma_loses_about_the_risk_of_a_day_at_the_stop(sample):
    """A tenth of a percent of the wallet for a sigma of an hour: about four times that at a stop of a day."""
    stopped = [trade for trade in sample if trade["exit_reason"] == "stop_loss"]  # where it was placed
    assert stopped
    lost = sorted(-trade["profit_abs"] / 10_000 for trade in stopped)
    assert 0.002 < lost[len(lost) // 2] < 0.01
    assert min(trade["profit_abs"] for trade in sample) >= -0.01 * 10_000
    for trade in stopped:
        sign = -1 if trade["is_short"] else 1
        assert sign * (trade["open_rate"] - trade["stop_loss_abs"]) > 0
        assert 1 <= trade["leverage"] <= 5


def test_the_clusters_cost_it_fewer_than_ten_lines():
    text = SOURCE.read_text(encoding="utf-8")
    ast.parse(text)
    assert 1 <= sum("# clusters:" in line for line in text.splitlines()) < 10
    assert {"custom_stoploss", "leverage", "stake", "targets"}.isdisjoint(
        node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)
    )
