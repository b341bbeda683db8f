"""The naive twin of volatility and reach: lists, sums and a sorted median, candle by candle."""

import math
import statistics
from datetime import UTC, datetime
from functools import cache

from liqfeature.durations import HOUR
from liqfeature.estimate.config import HeatmapConfig
from liqfeature.market.market import Market
from liqfeature.sides import LONG


class NaiveOutlook:
    """What the past says of the future; prices in bins."""

    def __init__(self, market: Market, config: HeatmapConfig, bars: tuple[list[float], ...]) -> None:
        self.market, self.config = market, config
        self.high, self.low, self.close = bars
        self.sigma, self.range = cache(self.sigma), cache(self.range)  # type: ignore[method-assign]

    def range(self, t: int) -> float:
        """High less low, at most a multiple of the median of those before that are above 0."""
        ranges = [self.high[u] - self.low[u] for u in range(max(0, t - self.config.lookback), t)]
        moved = [r for r in ranges if r > 0]
        own = self.high[t] - self.low[t]
        return min(own, self.config.reach.wildest * statistics.median(moved)) if moved else own

    def variance(self, t: int, window: int) -> float:
        squares = [self.range(u) ** 2 for u in range(max(0, t + 1 - window), t + 1)]
        return math.fsum(squares) / window / (4 * math.log(2))

    def activity(self, begin: int, candles: int) -> float:
        """Mean over a span of hours and parts of them, from candle number `begin`."""
        rule, interval = self.config.reach, self.market.interval
        start, stop = begin * interval, (begin + candles) * interval
        parts = []
        for hour in range(start // HOUR, -(-stop // HOUR)):
            inside = min(stop, (hour + 1) * HOUR) - max(start, hour * HOUR)
            at = datetime.fromtimestamp(hour * HOUR // 1000, tz=UTC)
            parts.append(inside * rule.hours[at.hour] * (rule.weekend if at.weekday() >= 5 else 1))
        return math.fsum(parts) / (stop - start)

    def sigma(self, t: int, horizon: int) -> float:
        rule, tick = self.config.reach, self.market.tick
        longest = max(self.config.max_age, self.config.lookback)
        windows = [min(k, longest) for k in rule.windows]
        weights = [w * k / (k + horizon) for w, k in zip(rule.weights, windows, strict=True)]
        volatilities = []
        for k in windows:
            calm = [
                self.range(u) ** 2 / self.activity(int(tick[u]), 1) for u in range(max(0, t + 1 - k), t + 1)
            ]
            volatilities.append(math.sqrt(math.fsum(calm) / k / (4 * math.log(2))))
        usual = math.fsum(w * v for w, v in zip(weights, volatilities, strict=True)) / math.fsum(weights)
        ahead = self.activity(int(tick[t]) + 1, horizon)
        return usual * math.sqrt(ahead * horizon) * rule.scale

    def node_shares(self, t: int, side: int, horizon: int) -> list[float]:
        """Probability of each node, by how many tenths of a sigma price came away from the side."""
        rule, span = self.config.reach, min(self.config.reach.skew_span, self.config.lookback)
        risen = self.close[t] - self.close[t - span] if t >= span else 0.0
        usual = self.sigma(t, horizon) * math.sqrt(span / horizon)
        away = round(10 * min(max(risen / usual if usual else 0.0, -2.5), 2.5)) / 10
        away = away if side == LONG else -away
        weights = list(rule.node_weights)
        weights[0] *= math.exp(rule.skew[0] * away)
        weights[-1] /= math.exp(rule.skew[1] * max(away, 0))
        return [w / math.fsum(weights) for w in weights]

    def reach(self, distance: float, t: int, side: int, horizon: int) -> float:
        """Probability of reach, read off straight lines between hundredths of a sigma, up to sixteen."""
        sigma, shares = self.sigma(t, horizon), self.node_shares(t, side, horizon)
        if sigma <= 0 or distance >= 16 * sigma:
            return 0.0
        k = math.floor(distance / sigma * 100)
        one, other = (
            math.fsum(
                w * math.erfc(u / (n * math.sqrt(2)))
                for n, w in zip(self.config.reach.nodes, shares, strict=True)
            )
            for u in (k / 100, (k + 1) / 100)
        )
        return one + (other - one) * (distance / sigma * 100 - k)
