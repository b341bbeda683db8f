"""What hyperopt minimises: profit that rests on few trades, one day, one pair or a drawdown counts little."""

from typing import Any

from freqtrade.optimize.hyperopt import IHyperOptLoss
from pandas import DataFrame

from liqfeature.walkforward.loss import search_loss


class ClusterLoss(IHyperOptLoss):
    """The arithmetic stands in `liqfeature.walkforward.loss.search_loss`."""

    trades_per_month = 50

    @staticmethod
    def hyperopt_loss_function(
        *, results: DataFrame, backtest_stats: dict[str, Any], starting_balance: float, **kw: Any
    ) -> float:
        months = (kw["max_date"] - kw["min_date"]).total_seconds() / (30 * 86_400)
        return search_loss(
            results["profit_abs"].to_numpy(dtype=float) / starting_balance,
            results["close_date"].dt.strftime("%Y-%m-%d").to_numpy(),
            results["pair"].to_numpy(),
            drawdown=backtest_stats.get("max_drawdown_account", 0.0),
            wanted_trades=max(1, round(ClusterLoss.trades_per_month * months)),
        )
