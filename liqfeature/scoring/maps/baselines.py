"""What others do, on our grid and from our inputs: the maps that ours is scored against.

Each is written from its formula as published and given its best reading: log-price bins instead of linear
ones, no cap on the number of levels, and a level is swept when price crosses it from the previous close. A
candle never sweeps what it deposits itself. Where a formula asks for the open, which aligned candles lack,
it gets the previous close, the same price in a market without pauses. Amounts keep the unit in which each
map deposits them; only ratios are compared.
"""

from collections.abc import Callable

import numpy as np

from liqfeature.durations import HOUR
from liqfeature.estimate.flow import LARGEST_STEP
from liqfeature.market.market import Market
from liqfeature.market.rolling import trailing_sum
from liqfeature.scoring.maps.base import Ground, Prediction
from liqfeature.scoring.maps.distance import path_times_volume, previous
from liqfeature.scoring.maps.levels import LevelMap, walk_levels
from liqfeature.types import FloatArray


def volume_ladder(ground: Ground) -> Prediction:
    """Repeat each candle's turnover at 10, 25, 50 and 100 times leverage, for good, as vendors' maps do.

    Liquidation at `entry * (1 -+ 1/leverage)`, entry at (high + low + 2 close) / 4. Levels that price has
    crossed remain, and are swept and shown again whenever they lie on their side of price.
    """
    return walk_levels(ground, _volume_ladder(ground.market, left=1.0, bound=None))


def volume_ladder_consumed(ground: Ground) -> Prediction:
    """Do the same, but remove a level when price crosses it, and place none short of the close."""
    c = ground.market
    return walk_levels(ground, _volume_ladder(c, left=0.0, bound=_both(c.close)))


def turnover_book(ground: Ground) -> Prediction:
    """Seed turnover, let it decay by leverage, and clear whatever a candle's range touches.

    Turnover times 1 to 3 by the growth of open interest, 1 where that is unknown; half to each side; 45 % at
    the close, the rest at high and low; liquidation at `entry * (1 -+ 1/leverage)`, spread 1:2:1 over three
    bins. Half-lives are those for candles of up to an hour or for longer ones, and seeds in proportion to
    the standing share over the half-life.
    """
    c = ground.market
    scalping = c.interval <= HOUR
    leverages = (10.0, 25.0, 50.0, 100.0) if scalping else (3.0, 5.0, 10.0, 25.0)
    half_life = (5.0, 2.0, 1.0, 0.5) if scalping else (60.0, 30.0, 14.0, 5.0)
    seed = [s / h for s, h in zip((0.15, 0.20, 0.30, 0.35), half_life, strict=True)]
    change, before = _open_interest_change(c)
    growth = np.divide(change, before, out=np.zeros_like(change), where=before > 0)
    amount = 0.5 * c.volume * _typical(c) * np.clip(1.0 + 8.0 * growth, 1.0, 3.0)
    level_map = LevelMap(
        amount=_both(amount),
        entry=np.stack([_both(c.close), _both(c.high), _both(c.low)]),
        share=(0.45, 0.275, 0.275),
        ratio=_ratio([1.0 / x for x in leverages]),
        weight=tuple(s / sum(seed) for s in seed),
        half_life=half_life,
        spread=(0.25, 0.5, 0.25),
        whole_range=True,
    )
    return walk_levels(ground, level_map)


def open_interest_book(ground: Ground) -> Prediction:
    """Open what open interest gains at the close, take what it loses from all levels in proportion.

    The gain is long where price does not fall, else short. Price is that of the candles to which the change
    belongs, from before the first to the close of the last; what it has crossed since is not placed.
    Liquidation at `entry * (1 -+ (1/leverage - 0.004/leverage))`: maintenance margin should not be divided by
    leverage, and is here because their formula does. A step to more than twice or less than half of what it
    was is an error of data and changes nothing.

    Returns
    -------
    Prediction
        NaN in rows and at origins up to which open interest is not known at two candles.
    """
    c = ground.market
    change, _ = _open_interest_change(c)
    price, before = c.close[np.maximum(c.late_stop - 1, 0)], c.close[np.maximum(c.late_first - 1, 0)]
    gained, rises = np.maximum(change, 0.0) * price, price >= before
    leverages = (5.0, 10.0, 25.0, 50.0, 100.0)
    level_map = LevelMap(
        amount=np.stack([np.where(rises, gained, 0.0), np.where(rises, 0.0, gained)]),
        entry=_both(price)[None],
        share=(1.0,),
        ratio=_ratio([(1.0 - 0.004) / x for x in leverages]),
        weight=(0.15, 0.30, 0.25, 0.20, 0.10),
        withdrawn=np.maximum(-change, 0.0) * price,
        bound=_both(c.close),
    )
    prediction = walk_levels(ground, level_map)
    silent = np.cumsum(np.isfinite(c.open_interest)) < 2
    prediction.swept[:, silent] = np.nan
    prediction.window[silent[ground.origins]] = np.nan
    return prediction


def relative_volume(ground: Ground, *, length: int = 200) -> Prediction:
    """Add volume over its moving average at 5, 20 and 100 times leverage, beyond the bar's high and low.

    Distance `1/leverage + 0.005 + 0.01/leverage`, of longs from the low and of shorts from the high; a level
    goes when price touches it. A bar counts as it ends, for the bar that follows. Without the taker's side
    both sides get the same.

    Parameters
    ----------
    ground : Ground
    length : int, default 200
        Bars in the average: the longest that the script offers. With its default of 1 every bar that traded
        adds 1, whatever its volume.
    """
    c = ground.market
    usual = trailing_sum(c.volume, length) / np.minimum(np.arange(1, c.volume.size + 1), length)
    strength = np.divide(c.volume, usual, out=np.zeros_like(usual), where=usual > 0)
    level_map = LevelMap(
        amount=_both(strength),
        entry=np.stack([c.low, c.high])[None],
        share=(1.0,),
        ratio=_ratio([1.01 / x + 0.005 for x in (5.0, 20.0, 100.0)]),
        weight=(1.0, 1.0, 1.0),
    )
    return walk_levels(ground, level_map)


def volume_spikes(ground: Ground) -> Prediction:
    """Draw levels at 25, 50 and 100 times leverage from the open of bars with a spike of volume.

    Strength 1, 2 or 3 where volume exceeds its mean over 13 bars 1.7, 2.7 or 3.7 times; 1 where price leaves
    the open by a tenth. The bar has to leave the open by 1/333 to either side, and the level has to lie
    outside the bar; it goes when price crosses it. Nothing before the thirteenth bar but after such a move.
    """
    c = ground.market
    opening = previous(c.close)
    usual = trailing_sum(c.volume, 13) / 13
    usual[:12] = np.inf
    strength = sum((c.volume > usual * (k + 0.7) for k in (1, 2, 3)), np.zeros(usual.size))
    leaps = np.maximum(c.high - opening, opening - c.low) >= opening / 10
    moves = (c.high > opening * (1 + 1 / 333)) | (c.low < opening * (1 - 1 / 333))
    amount = np.where(moves, np.maximum(strength, leaps), 0.0)
    level_map = LevelMap(
        amount=_both(amount),
        entry=_both(opening)[None],
        share=(1.0,),
        ratio=_ratio([1.0 / x for x in (25.0, 50.0, 100.0)]),
        weight=(1.0, 1.0, 1.0),
        bound=np.stack([c.low, c.high]),
    )
    return walk_levels(ground, level_map)


BASELINES: dict[str, Callable[[Ground], Prediction]] = {
    "path x volume": path_times_volume,
    "volume ladder": volume_ladder,
    "volume ladder, consumed": volume_ladder_consumed,
    "turnover book": turnover_book,
    "open-interest book": open_interest_book,
    "relative volume": relative_volume,
    "volume spikes": volume_spikes,
}
"""By name; `distance_only` is not among them, since it needs a profile."""


def _volume_ladder(c: Market, *, left: float, bound: FloatArray | None) -> LevelMap:
    return LevelMap(
        amount=_both(c.volume * _typical(c)),
        entry=_both(_typical(c))[None],
        share=(1.0,),
        ratio=_ratio([1.0 / x for x in (10.0, 25.0, 50.0, 100.0)]),
        weight=(0.25, 0.25, 0.25, 0.25),
        left=left,
        bound=bound,
    )


def _ratio(distances: list[float]) -> FloatArray:
    """Liquidation price over entry for longs and shorts, from shares of the entry price."""
    return 1.0 + np.array([[-d for d in distances], distances])


def _both(values: FloatArray) -> FloatArray:
    return np.stack([values, values])


def _typical(c: Market) -> FloatArray:
    return 0.25 * (c.high + c.low) + 0.5 * c.close


def _open_interest_change(c: Market) -> tuple[FloatArray, FloatArray]:
    """Change from the last known open interest, base currency, and that; 0 and NaN where there is none."""
    known = np.flatnonzero(np.isfinite(c.open_interest))
    amount = c.open_interest[known]
    change, before = np.zeros_like(c.open_interest), np.full_like(c.open_interest, np.nan)
    before[known[1:]] = amount[:-1]
    sound = (amount[1:] <= LARGEST_STEP * amount[:-1]) & (amount[:-1] <= LARGEST_STEP * amount[1:])
    change[known[1:]] = np.where(sound, np.diff(amount), 0.0)
    return change, before
