"""What counts as a cluster."""

from dataclasses import dataclass

from liqfeature.checks import require, require_types


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterRule:
    """A run of bins in which more rests than is usual at that distance from price.

    What is usual is the mean over the last `lookback` candles, both sides together. Without it every map
    shows its clusters at the distances of round leverages, whatever the market did.

    Parameters
    ----------
    ratio : float
        Times the usual that smoothed notional exceeds, above 0. Larger: fewer clusters, more exceptional.
    least_share : float
        Share of open interest that a cluster holds at least, 0 to 1. Larger: fewer clusters, heavier.
    """

    ratio: float = 1.5
    least_share: float = 0.003

    def __post_init__(self) -> None:
        require_types(self)
        require("ratio", self.ratio > 0, "above 0", self.ratio)
        require("least_share", 0 <= self.least_share < 1, "at least 0 and below 1", self.least_share)
