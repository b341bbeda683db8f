"""Slow twins: the model as a list of positions and plain sums, written from the definitions."""

import math
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from builders.naive_outlook import NaiveOutlook
from liqfeature.estimate.config import HeatmapConfig
from liqfeature.estimate.kernels.exposure import HELD, SCALPS
from liqfeature.estimate.scan import Scan
from liqfeature.heatmap.snapshot import live_moments, live_notional
from liqfeature.market.market import Market
from liqfeature.sides import LONG, SHORT

Levels = dict[tuple[int, int], float]
"""Live amount by side and bin."""


@dataclass(frozen=True)
class Level:
    """What opens at one leverage."""

    offset: tuple[float, float]  # bins from entry to liquidation, of longs and of shorts
    weight: tuple[float, float]  # share of what opens, held and scalps


@dataclass
class Position:
    """What rests at one liquidation price."""

    side: int
    bin: int
    amount: float
    opened: int  # tick of the candle in which it was opened
    generation: int  # in which it was entered
    scalp: bool  # held for minutes, not for days


def levels_in(scan: Scan, holding: int) -> Levels:
    """What one holding of the book holds, by absolute bin. The one place in the tests that looks into it."""
    exposure = scan.exposure
    current = exposure.amount[holding, exposure.current[0] % exposure.amount.shape[1]]
    live = (exposure.older[holding] + current) * exposure.scale[holding]
    live[LONG] = live[LONG, ::-1]  # longs' bins are counted downward
    origin = scan.origin
    return {(int(s), int(b) + origin): float(live[s, b]) for s, b in zip(*np.nonzero(live), strict=True)}


def levels_of(scan: Scan) -> Levels:
    """What both holdings hold together, by absolute bin."""
    total: Levels = {}
    for holding in (HELD, SCALPS):
        for key, amount in levels_in(scan, holding).items():
            total[key] = total.get(key, 0.0) + amount
    return total


def ages_of(scan: Scan, t: int) -> Levels:
    """Mean age, in candles, of what rests in each bin after candle t, by absolute bin."""
    now = float(scan.candles.tick[t] - scan.exposure.current[0] * scan.reading.generation)
    amount, moment = live_notional(scan), live_moments(scan)
    occupied = zip(*np.nonzero(amount), strict=True)
    return {(int(s), int(b) + scan.origin): now - moment[s, b] / amount[s, b] for s, b in occupied}


def trailing_sums(values: np.ndarray, window: int) -> list[float]:
    """One sum per entry."""
    return [math.fsum(values[max(0, t + 1 - window) : t + 1]) for t in range(len(values))]


class NaiveScan:
    """The five events and the readings, candle by candle, on a list of positions."""

    def __init__(self, candles: Market, config: HeatmapConfig) -> None:
        self.candles, self.config = candles, config
        self.mixture = _mixture(config)
        self.high, self.low, self.close = (
            [_bins(p, config.grid.width) for p in prices]
            for prices in (candles.high, candles.low, candles.close)
        )
        self.touched_high, self.touched_low = (
            [_bins(p, config.grid.width) for p in prices]
            for prices in (candles.touched_high, candles.touched_low)
        )
        self.positions: list[Position] = []
        self.funding: dict[int, float] = {}
        self.shares: list[
            np.ndarray
        ] = []  # smoothed shares of open interest by distance, (2, n_window) a candle
        self.forced: list[tuple[float, float]] = []  # within the horizon
        self.swept: list[tuple[float, float, float, float]] = []  # amounts, notionals
        self.rows: list[dict[tuple[str, int], float]] = []
        self.outlook = NaiveOutlook(candles, config, (self.high, self.low, self.close))
        self.nearest: dict[int, tuple[list[int], float, float]] = {}  # bins, amount and near edge, by side
        self.touches: list[dict[int, tuple[float, float]]] = []  # by side: share swept of it, its near edge
        self._flow()

    def run(self) -> "NaiveScan":
        for t in range(len(self.close)):
            self.step(t)
        return self

    def step(self, t: int) -> None:
        self._turn(t)
        self._pay_funding(t)
        self._late_open_interest(t)
        self._consume(t)
        levered = self.config.flow.levered_share * self.level[t]
        for scalp in (False, True):
            closed = self.closed[scalp][t]
            self._keep(1 - closed, scalp)
            self._open(t, t, levered * closed, t, scalp)
        self._read(t)

    def levels(self, *, scalp: bool | None = None) -> Levels:
        """What is live of the positions held, of the scalps, or of both."""
        live: Levels = {}
        for p in self.positions:
            if scalp is None or p.scalp is scalp:
                live[p.side, p.bin] = live.get((p.side, p.bin), 0.0) + p.amount
        return {key: amount for key, amount in live.items() if amount}

    def ages(self, t: int) -> Levels:
        """Mean age of what is live at each bin after candle t."""
        now, live = int(self.candles.tick[t]), self.levels()
        weighted = dict.fromkeys(live, 0.0)
        for p in self.positions:
            if (p.side, p.bin) in live:
                weighted[p.side, p.bin] += p.amount * (now - p.opened)
        return {key: weighted[key] / amount for key, amount in live.items()}

    def _flow(self) -> None:
        rule, c = self.config.flow, self.candles
        lookback = self.config.lookback
        self.level, self.real = [], []
        self.closed: dict[bool, list[float]] = {False: [], True: []}
        for volume, usual, reported in zip(
            c.volume, trailing_sums(c.volume, lookback), c.open_interest, strict=True
        ):
            daily = usual / lookback * c.candles_per_day
            one_side = reported / rule.open_interest_sides
            self.real.append(not math.isnan(one_side) and 0.02 * one_side <= daily <= 200 * one_side)
            level = one_side if self.real[-1] else rule.open_interest_days * daily
            self.level.append(level)
            for scalp, churn in ((False, rule.churn), (True, rule.scalp_churn)):
                share = min(churn * volume / level, rule.most_closed) if level > 0 else 0.0
                self.closed[scalp].append(share)

    def _turn(self, t: int) -> None:
        length = self.config.max_age // 8
        generation = int(self.candles.tick[t]) // length
        if generation in self.funding:
            return
        self.funding[generation] = 0.0
        self.funding = {g: f for g, f in self.funding.items() if g > generation - 8}
        self.positions = [p for p in self.positions if p.generation in self.funding]

    def _pay_funding(self, t: int) -> None:
        price = math.floor(self.close[max(t - 1, 0)])
        for generation in self.funding:
            paid = self.funding[generation] + self.candles.funding[t] / self.config.grid.width
            shift = math.floor(paid + 0.5)
            self.funding[generation] = paid - shift
            for p in self.positions:
                if p.generation == generation and shift:  # what would pass price waits beside it
                    p.bin += shift
                    p.bin = min(p.bin, price - 1) if p.side == LONG else max(p.bin, price + 1)

    def _keep(self, share: float, scalp: bool) -> None:
        for p in self.positions:
            if p.scalp is scalp:
                p.amount *= share
        self.positions = [p for p in self.positions if p.amount > 0]

    def _late_open_interest(self, t: int) -> None:
        if t == 0:
            return
        c, level, before = self.candles, self.level[t], self.level[t - 1]
        ratio = level / before if before > 0 else 0.0
        if not (self.real[t] and self.real[t - 1] and 1 < ratio <= 2):
            self._keep(ratio, scalp=False)
            self._keep(ratio, scalp=True)
            return
        span = range(c.late_first[t], c.late_stop[t])
        traded = math.fsum(c.volume[u] for u in span)
        for u in span:
            if traded > 0:
                risen = self.config.flow.levered_share * (level - before)
                for scalp in (False, True):
                    self._open(u, t, risen * c.volume[u] / traded, t - 1, scalp)

    def _open(self, u: int, t: int, amount: float, until: int, scalp: bool) -> None:
        """Open at the prices of candle u what is still untouched after candle `until`.

        `amount` is what would be opened if everybody held for so long.
        """
        high, low, close = self.high[u], self.low[u], self.close[u]
        typical = (high + low) / 4 + close / 2
        entries = (((low + typical) / 2, 0.25), (typical, 0.5), ((high + typical) / 2, 0.25))
        floor = min([close, *self.touched_low[u + 1 : until + 1]])
        ceiling = max([close, *self.touched_high[u + 1 : until + 1]])
        tick = int(self.candles.tick[u])
        generation = int(self.candles.tick[t]) // (self.config.max_age // 8)
        for side in (LONG, SHORT):
            for offset, weight in ((level.offset[side], level.weight[scalp]) for level in self.mixture):
                for entry, share in entries:
                    b = math.floor(entry + offset)
                    lies_beyond = b < math.floor(floor) if side == LONG else b > math.floor(ceiling)
                    part = amount * weight * share
                    if lies_beyond and part > 0:
                        self.positions.append(Position(side, b, part, tick, generation, scalp))

    def _consume(self, t: int) -> None:
        lowest, highest = math.floor(self.touched_low[t]), math.floor(self.touched_high[t])
        self._touch(lowest, highest)
        gone = [p for p in self.positions if (p.bin >= lowest if p.side == LONG else p.bin <= highest)]
        self.positions = [
            p for p in self.positions if not (p.bin >= lowest if p.side == LONG else p.bin <= highest)
        ]
        amounts = [math.fsum(p.amount for p in gone if p.side == side) for side in (LONG, SHORT)]
        notionals = [
            math.fsum(p.amount * self._centre(p.bin) for p in gone if p.side == side)
            for side in (LONG, SHORT)
        ]
        self.swept.append((*amounts, *notionals))

    def _touch(self, lowest: int, highest: int) -> None:
        live = self.levels()
        self.touches.append({})
        for side, (bins, amount, near) in self.nearest.items():
            met = [b for b in bins if (b >= lowest if side == LONG else b <= highest)]
            swept = math.fsum(live.get((side, b), 0.0) for b in met)
            if swept:
                self.touches[-1][side] = (min(swept / amount, 1.0), near)

    def _centre(self, b: int) -> float:
        return math.exp((b + 0.5) * self.config.grid.width)

    def _read(self, t: int) -> None:
        config = self.config
        half = config.grid.smoothing
        n_window = math.ceil(-math.log(1 - config.band) / config.grid.width)
        price = math.floor(self.close[t])
        held = self.levels()
        row: dict[tuple[str, int], float] = {}
        smooth = np.zeros((2, n_window))
        for side in (LONG, SHORT):
            away = -1 if side == LONG else 1
            for i in range(n_window):
                weights = {j: half + 1 - abs(j) for j in range(-half, half + 1)}
                weighed = sum(
                    w * held.get((side, price + away * (1 + i + j)), 0.0) for j, w in weights.items()
                )
                smooth[side, i] = weighed / sum(weights.values())
        usual = self._usual(t)
        self.nearest = {}
        for side in (LONG, SHORT):
            self._read_clusters(t, side, smooth[side], self.level[t] * usual, row)
            self._read_clearing(side, row)
        self.shares.append(smooth / self.level[t] if self.level[t] > 0 else np.zeros_like(smooth))
        self.forced.append(
            tuple(math.fsum(s[2 + side] for s in self.swept[-config.horizon :]) for side in (0, 1))
        )
        for side in (LONG, SHORT):
            self._read_cascade(t, side, n_window, row)
        self.rows.append(row)

    def _usual(self, t: int) -> np.ndarray:
        """Mean share at each distance over the twelve blocks before the present one, both sides pooled."""
        block = self.config.lookback // 12
        number = int(self.candles.tick[t]) // block
        within = [u for u in range(t) if number - 12 <= int(self.candles.tick[u]) // block < number]
        past = [self.shares[u] for u in within if self.level[u] > 0]
        n_window = math.ceil(-math.log(1 - self.config.band) / self.config.grid.width)
        return np.mean([p.mean(axis=0) for p in past], axis=0) if past else np.zeros(n_window)

    def _read_clusters(
        self, t: int, side: int, smooth: np.ndarray, usual: np.ndarray, row: dict[tuple[str, int], float]
    ) -> None:
        bar = self.config.clusters.ratio * usual
        away = -1 if side == LONG else 1
        price, close, width = math.floor(self.close[t]), self.close[t], self.config.grid.width
        live = self.levels()
        clusters = []
        for exceeds, run in groupby(range(len(smooth)), key=lambda i: bool(smooth[i] > bar[i])):
            if not exceeds:
                continue
            members = list(run)
            peak = members[0]
            for i in members:  # the nearest of those that are equal but for rounding
                peak = i if smooth[i] > smooth[peak] * (1 + 1e-9) else peak
            half = smooth[peak] * (0.5 - 1e-9)  # exactly half counts, whatever rounding says
            thin = [i for i in members if smooth[i] < half]
            near = max([members[0], *(i + 1 for i in thin if i < peak)])
            far = min([members[-1], *(i - 1 for i in thin if i > peak)])
            bins = [price + away * (1 + i) for i in range(near, far + 1)]
            amount = math.fsum(live.get((side, b), 0.0) for b in bins)
            if amount >= self.config.clusters.least_share * self.level[t] and amount > 0:
                clusters.append((amount, bins, price + away * (1 + peak)))
        if not clusters:
            return
        amount, bins, peak_bin = clusters[0]
        edges = sorted([min(bins), max(bins) + 1], key=lambda edge: abs(edge - close))
        near_price, far_price = (math.exp(edge * width) for edge in edges)
        at = math.exp(close * width)
        inside = [p for p in self.positions if p.side == side and p.bin in bins]
        row["distance", side] = max(abs(near_price - at) / at, 1e-9)
        row["near", side], row["far", side] = near_price, far_price
        row["peak", side] = self._centre(peak_bin)
        row["notional", side] = math.fsum(p.amount * self._centre(p.bin) for p in inside)
        row["density", side] = amount / self.level[t] / (abs(far_price - near_price) / at * 100)
        row["hit", side] = self._reach(abs(edges[0] - close), t, side)
        self.nearest[side] = (bins, amount, near_price)
        steps = range(abs(bins[0] - price) - 1)  # bins between price's and the cluster's
        if sum(usual[i] for i in steps) > 0:
            held = math.fsum(live.get((side, price + away * (1 + i)), 0.0) for i in steps)
            row["vacuum", side] = held / math.fsum(usual[i] for i in steps)

    def _read_clearing(self, side: int, row: dict[tuple[str, int], float]) -> None:
        touches = [touch[side] for touch in self.touches[-self.config.horizon :] if side in touch]
        row["cleared", side] = 1 - math.prod(1 - share for share, _ in touches)
        if touches:
            row["pierced", side] = (max if side == LONG else min)(edge for _, edge in touches)

    def _read_cascade(self, t: int, side: int, n_window: int, row: dict[tuple[str, int], float]) -> None:
        config = self.config
        price, close, rule = math.floor(self.close[t]), self.close[t], config.cascade
        met = sorted(  # (distance of the bin's centre, its notional)
            (abs(b + 0.5 - close), amount * self._centre(b), abs(b - price))
            for (s, b), amount in self.levels().items()
            if s == side
        )
        near = [(distance, notional) for distance, notional, steps in met if steps <= n_window]
        row["total", side] = math.fsum(notional for _, notional in near)
        row["fuel", side] = math.fsum(
            notional * self._reach(distance, t, side) for distance, notional in near
        )
        sigma = self._sigma(t)
        impact = self._impact(t)
        if sigma > 0 and math.isfinite(impact):
            ends = [sigma]  # end of the move once the first k bins have been forced
            for _, notional in near:
                ends.append(math.sqrt(ends[-1] ** 2 + impact * notional))
            stops = [*(distance for distance, _ in near), math.inf]
            row["amplification", side] = (
                next(e for e, stop in zip(ends, stops, strict=True) if stop > e) / sigma
            )
        if t + 1 >= self.config.lookback:
            recent = sorted(f[side] for f in self.forced[-self.config.lookback :])
            level = recent[math.ceil(rule.level * len(recent)) - 1]
            total, distance = 0.0, math.inf
            for d, notional, _ in met:
                total += notional
                if total > level:
                    distance = d
                    break
            reached, fuel = self._reach(distance, t, side), row["fuel", side]
            row["cascade", side] = 0.0
            if reached > 0 and fuel > 0:
                constant, of_reach, of_fuel, of_span = rule.odds
                odds = math.exp(constant) * (config.horizon / config.lookback) ** of_span
                odds *= (reached / (1 - reached)) ** of_reach * (fuel / (fuel + level)) ** of_fuel
                row["cascade", side] = odds / (1 + odds)

    def _impact(self, t: int) -> float:
        rule, lookback, c = self.config.cascade, self.config.lookback, self.candles
        past = range(max(0, t + 1 - lookback), t + 1)
        turnover = math.fsum(c.volume[u] * c.close[u] for u in past) / lookback
        return (
            rule.impact**2
            * self.outlook.variance(t, lookback)
            * rule.forced_share
            / (turnover * rule.depth_share)
            if turnover
            else math.nan
        )

    def _sigma(self, t: int) -> float:
        return self.outlook.sigma(t, self.config.horizon)

    def _reach(self, distance: float, t: int, side: int) -> float:
        return self.outlook.reach(distance, t, side, self.config.horizon)


def _mixture(config: HeatmapConfig) -> list[Level]:
    """Liquidation is where the margin left, from an entry at 1, is the maintenance margin."""
    prior, mixture = config.leverage, []
    rate = prior.maintenance_margin_rate
    for leverage, share in zip(prior.levels(), prior.shares(), strict=True):
        prices = (1 - 1 / leverage) / (1 - rate), (1 + 1 / leverage) / (1 + rate)
        scalped = prior.scalp_share if leverage >= prior.scalp_leverage else 0.0
        offset = tuple(_bins(price, config.grid.width) for price in prices)
        mixture.append(Level(offset, (share * (1 - scalped), share * scalped)))
    return mixture


def _bins(price: float, width: float) -> float:
    """Price in bins, to the 24th binary place."""
    return round(math.log(price) / width * 2**24) / 2**24
