"""How far from clusters a plan places its stop and its targets."""

from dataclasses import dataclass

from liqfeature.checks import require, require_at_least, require_share, require_types


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRule:
    """How a plan places its stop and its targets.

    Parameters
    ----------
    buffer, max_distance
        As in `stop_beyond`.
    stop_probability : float, default 0.35
        With which price touches the stop within the strategy's `longest_hours` if it has no drift: the least
        distance of a stop, so that it means the same in calm and in wild hours. Smaller: farther stops, and
        smaller positions.
    targets : {"clusters", "plain"}, default "clusters"
        Where the targets lie: at the cluster ahead, or at multiples of the distance to the stop.
    inset, min_distance
        As in `targets`.
    multiples : tuple of float, default (1.0, 2.0)
        Of the distance to the stop, at which plain targets lie.

    Raises
    ------
    ConfigError
        If a parameter breaks its rule.
    """

    buffer: float = 0.35
    stop_probability: float = 0.35
    max_distance: float = 0.04
    targets: str = "clusters"
    inset: float = 0.1
    min_distance: float = 0.002
    multiples: tuple[float, ...] = (1.0, 2.0)

    def __post_init__(self) -> None:
        require_types(self)
        require_at_least(0, buffer=self.buffer, inset=self.inset, min_distance=self.min_distance)
        require_share(stop_probability=self.stop_probability, max_distance=self.max_distance)
        require("targets", self.targets in ("clusters", "plain"), "clusters or plain", repr(self.targets))
        first_beyond = len(self.multiples) == 2 and 0 < self.multiples[0] <= self.multiples[1]
        require("multiples", first_beyond, "two numbers above 0, ascending", self.multiples)
