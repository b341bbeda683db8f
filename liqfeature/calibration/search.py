"""Trying configurations on one part of a recording: the score, and when a change is taken."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from liqfeature.calibration.weights import fit_shares
from liqfeature.errors import DataError
from liqfeature.estimate.config import HeatmapConfig
from liqfeature.scoring.hours import Hours
from liqfeature.scoring.maps.base import Ground
from liqfeature.scoring.maps.estimate import estimate, estimate_by_level
from liqfeature.scoring.measures.rank_correlation import resampled_rank_correlation
from liqfeature.sides import SIDES
from liqfeature.types import BoolArray, FloatArray

Change = dict[str, float]
"""Values of parameters by name, such as `flow.churn`."""

STEPS: dict[str, tuple[Change, ...]] = {
    "churn": tuple({"flow.churn": v} for v in (0.05, 0.1, 0.2, 0.4)),
    "scalps": tuple(
        {"leverage.scalp_share": s, "flow.scalp_churn": c}
        for s in (0.0, 0.25, 0.5, 0.75)
        for c in (1.0, 2.5, 5.0, 10.0)
        if s > 0 or c == 1.0
    ),
    "median": tuple({"leverage.median": v} for v in (4.0, 6.0, 8.0, 12.0)),
    "flat": tuple({"leverage.flat": v} for v in (0.0, 0.2, 0.5)),
}
"""What is tried, one step after the other; nothing on which a live bot's warm-up depends."""

LEAST_GAIN = 0.001
"""A change that gains less is not worth a parameter that differs from the default."""

LEAST_HOURS = 200
"""Hours with a recording that each part must hold."""

SURE = 0.025
"""Share of resampled days on which a change may fail to gain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A recording, and which of its hours serve to choose, in two halves, and which are only scored."""

    ground: Ground
    hours: Hours
    halves: tuple[BoolArray, BoolArray]
    outside: BoolArray

    @property
    def inside(self) -> BoolArray:
        """Hours on which parameters are chosen."""
        return self.halves[0] | self.halves[1]

    def scores(self, config: HeatmapConfig, rows: BoolArray) -> dict[str, FloatArray]:
        """Rank correlations per side, plain and partial, on the given hours and then on resampled days."""
        swept = self.hours.total(estimate(self.ground, config).swept)[:, rows]
        return dict(self._correlations(swept, rows))

    def score(self, config: HeatmapConfig, rows: BoolArray) -> FloatArray:
        """Mean of `scores`: its value, then its values on resampled days."""
        mean: FloatArray = np.mean(list(self.scores(config, rows).values()), axis=0)
        return mean

    def _correlations(self, swept: FloatArray, rows: BoolArray) -> Iterator[tuple[str, FloatArray]]:
        hours = self.hours
        day = hours.day[rows]
        for side, name in enumerate(SIDES):
            x, y = swept[side], hours.recorded[side, rows]
            controls = (hours.path[side, rows], hours.range[rows], hours.volume[rows])
            yield f"rank {name}", resampled_rank_correlation(x, y, day)
            yield f"partial {name}", resampled_rank_correlation(x, y, day, controls)


def trial_of(ground: Ground, hours: Hours, share: float) -> Trial:
    """Cut the recorded hours in order of time: `share` of them to choose on, the rest to score."""
    scored = np.flatnonzero(hours.known)
    cut = int(share * scored.size)
    masks = []
    for rows in (scored[: cut // 2], scored[cut // 2 : cut], scored[cut:]):
        if rows.size < LEAST_HOURS:
            message = (
                f"each part must hold at least {LEAST_HOURS} hours with a recording, received {rows.size}"
            )
            raise DataError(message)
        mask = np.zeros(hours.volume.size, dtype=np.bool_)
        mask[rows] = True
        masks.append(mask)
    return Trial(ground=ground, hours=hours, halves=(masks[0], masks[1]), outside=masks[2])


def best_change(
    before: HeatmapConfig, changes: tuple[Change, ...], trial: Trial
) -> tuple[HeatmapConfig, str]:
    """Take the change that scores best, if its gain is sure and there in both halves; with a note."""
    now = [trial.score(before, half) for half in trial.halves]
    best, gained = before, LEAST_GAIN
    for config in map(before.changed, changes):
        gains = [trial.score(config, half) - was for half, was in zip(trial.halves, now, strict=True)]
        gain = float(np.mean([g[0] for g in gains]))
        if gain > gained and _sure(gains):
            best, gained = config, gain
    return best, _note(best is before, gained)


def best_weights(before: HeatmapConfig, trial: Trial, *, ranks_only: bool) -> tuple[HeatmapConfig, str]:
    """Fit the leverage shares on each half and score them on the other; if that gains, take those of both."""
    first, second = trial.halves
    levels = np.array([trial.hours.total(level.swept) for level in estimate_by_level(trial.ground, before)])

    def fitted(rows: BoolArray) -> HeatmapConfig:
        swept = levels[:, :, rows].reshape(len(levels), -1)
        recorded = trial.hours.recorded[:, rows].ravel()
        shares = fit_shares(swept, recorded, before.leverage.shares(), ranks_only=ranks_only)
        weight = tuple(float(s) for s in shares)
        return before.changed({"leverage.weight": weight})

    gains = [
        trial.score(fitted(other), half) - trial.score(before, half)
        for half, other in ((first, second), (second, first))
    ]
    gain = float(np.mean([g[0] for g in gains]))
    kept = not (gain > LEAST_GAIN and _sure(gains))
    return (before if kept else fitted(trial.inside)), _note(kept, gain)


def _sure(gains: list[FloatArray]) -> bool:
    """Whether both halves gain, and their mean does on nearly all resampled days."""
    if min(float(g[0]) for g in gains) <= 0:
        return False
    drawn = [g[1:] for g in gains if g.size > 1]
    return bool(drawn) and float(np.quantile(np.mean(drawn, axis=0), SURE)) > 0


def _note(kept: bool, gained: float) -> str:
    return "kept" if kept else f"changed, score {gained:+.4f}"
