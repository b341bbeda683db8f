"""Maintenance tiers: what they are, and how a schedule of them is made.

A tier says how much margin a position of a given notional must keep. Rates rise with notional, and each
tier's maintenance amount is such that the margin itself never jumps:

    amount_n = amount_{n-1} + min_notional_n * (rate_n - rate_{n-1})

Maintenance margin is therefore convex in notional, and equals the largest over all tiers of
`rate * notional - amount`. Both Binance and Hyperliquid publish this recursion.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from liqfeature.errors import ConfigError

_AMOUNT_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class LeverageTier:
    """One step of an exchange's margin schedule.

    Parameters
    ----------
    min_notional, max_notional : float
        Notional to which the tier applies, in the currency of the margin: quote for linear contracts,
        coin for inverse ones.
    maintenance_margin_rate : float
        Share of notional that must be kept, in [0, 1); below `1 / max_leverage`, or a position opened at
        that leverage would be liquidated at once.
    max_leverage : float
        Highest leverage that the tier allows, at least 1.
    maintenance_amount : float, default 0.0
        Taken off `maintenance_margin_rate * notional`, in the currency of the margin. Binance calls it
        `cum`, others deduction.

    Raises
    ------
    ConfigError
        If a parameter breaks its rule.
    """

    min_notional: float
    max_notional: float
    maintenance_margin_rate: float
    max_leverage: float
    maintenance_amount: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.min_notional < math.inf:
            msg = f"min_notional must be finite and at least 0, received {self.min_notional}"
            raise ConfigError(msg)
        if not self.max_notional > self.min_notional:
            msg = f"max_notional must exceed min_notional {self.min_notional}, received {self.max_notional}"
            raise ConfigError(msg)
        if not 1 <= self.max_leverage < math.inf:
            msg = f"max_leverage must be finite and at least 1, received {self.max_leverage}"
            raise ConfigError(msg)
        if not 0 <= self.maintenance_margin_rate < 1 / self.max_leverage:
            msg = (
                f"maintenance_margin_rate must be at least 0 and below 1 / max_leverage = "
                f"{1 / self.max_leverage:.6g}, received {self.maintenance_margin_rate}"
            )
            raise ConfigError(msg)
        if not 0 <= self.maintenance_amount < math.inf:
            msg = f"maintenance_amount must be finite and at least 0, received {self.maintenance_amount}"
            raise ConfigError(msg)


@cache
def check_tiers(tiers: tuple[LeverageTier, ...]) -> None:
    """Reject tiers that do not make one continuous schedule.

    Parameters
    ----------
    tiers : tuple of LeverageTier
        Ascending; the last one is taken to hold beyond its `max_notional` too.

    Raises
    ------
    ConfigError
        If there is none, the first does not start at 0, one does not start where the one before it ends,
        rates do not rise, or maintenance margin would jump between two tiers.
    """
    if not tiers or tiers[0].min_notional != 0 or tiers[0].maintenance_amount != 0:
        first = tiers[0] if tiers else None
        msg = f"tiers must start with one of min_notional 0 and maintenance_amount 0, received {first}"
        raise ConfigError(msg)
    for number, (lower, upper) in enumerate(pairwise(tiers), start=2):
        if upper.min_notional != lower.max_notional:
            msg = (
                f"tier {number} must start at {lower.max_notional}, where tier {number - 1} ends, "
                f"received {upper.min_notional}"
            )
            raise ConfigError(msg)
        if upper.maintenance_margin_rate <= lower.maintenance_margin_rate:
            msg = (
                f"tier {number} must have a maintenance_margin_rate above {lower.maintenance_margin_rate}, "
                f"received {upper.maintenance_margin_rate}"
            )
            raise ConfigError(msg)
        amount = _continuous_amount(lower, upper.maintenance_margin_rate)
        if not math.isclose(upper.maintenance_amount, amount, rel_tol=_AMOUNT_TOLERANCE):
            msg = (
                f"tier {number} must have a maintenance_amount of {amount:.6g}, or maintenance margin would "
                f"jump, received {upper.maintenance_amount}"
            )
            raise ConfigError(msg)


def fallback_tiers(max_leverage: float) -> tuple[LeverageTier, ...]:
    """Return one tier for all notionals that keeps half of the initial margin at `max_leverage`.

    This is Hyperliquid's rule; in the first tier of Binance's pairs, initial margin is 1.1 to 17 times
    maintenance margin, mostly 1.6 to 2.1 times.

    Parameters
    ----------
    max_leverage : float
        Highest leverage that the exchange offers for the pair, at least 1.

    Returns
    -------
    tuple of LeverageTier
        One tier with `maintenance_margin_rate = 1 / (2 * max_leverage)`.

    Raises
    ------
    ConfigError
        If `max_leverage` is below 1.
    """
    return half_initial_margin(((math.inf, max_leverage),))


def limited_tiers(tiers: tuple[LeverageTier, ...], max_leverage: float) -> tuple[LeverageTier, ...]:
    """Fit the schedule of a similar market to one whose own highest leverage is known.

    Parameters
    ----------
    tiers : tuple of LeverageTier
        Ascending, not empty.
    max_leverage : float
        Highest leverage that the exchange offers for the pair, at least 1.

    Returns
    -------
    tuple of LeverageTier
        `tiers` where it begins with that leverage. Else one tier that keeps half of the initial margin at
        `max_leverage`, up to where the steps with a higher rate begin, and these.
    """
    if tiers[0].max_leverage == max_leverage:
        return tiers
    rate = 0.5 / fallback_tiers(max_leverage)[0].max_leverage
    higher = [
        one for one in tiers[1:] if one.maintenance_margin_rate > rate and one.max_leverage < max_leverage
    ]
    steps = [(one.max_notional, one.maintenance_margin_rate, one.max_leverage) for one in higher]
    return tiers_of_steps([(higher[0].min_notional if higher else math.inf, rate, max_leverage), *steps])


def half_initial_margin(steps: Iterable[tuple[float, float]]) -> tuple[LeverageTier, ...]:
    """Build tiers of `(max_notional, max_leverage)` steps that keep half of the initial margin."""
    return tiers_of_steps([(most, 0.5 / max_leverage, max_leverage) for most, max_leverage in steps])


def tiers_of_steps(steps: Iterable[Sequence[float]]) -> tuple[LeverageTier, ...]:
    """Build a schedule without jumps of steps `(max_notional, maintenance_margin_rate, max_leverage)`."""
    tiers: list[LeverageTier] = []
    for most, rate, max_leverage in steps:
        floor, amount = (tiers[-1].max_notional, _continuous_amount(tiers[-1], rate)) if tiers else (0.0, 0.0)
        amount = float(f"{amount:.12g}")  # as exchanges publish it, without what rounding adds
        tiers.append(LeverageTier(floor, float(most), rate, float(max_leverage), amount))
    return tuple(tiers)


def _continuous_amount(lower: LeverageTier, rate: float) -> float:
    """Return the maintenance amount with which a tier of this rate follows `lower` without a jump."""
    return lower.maintenance_amount + lower.max_notional * (rate - lower.maintenance_margin_rate)
