"""Choosing parameters on one span and scoring them on the next."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from liqfeature.calibration.weights import fit_shares
from liqfeature.candles import align
from liqfeature.checks import require
from liqfeature.config import HeatmapConfig
from liqfeature.errors import DataError
from liqfeature.scoring.hours import Hours, hours_of
from liqfeature.scoring.maps import Ground
from liqfeature.scoring.ours import estimate, estimate_by_level
from liqfeature.scoring.ranks import rank_correlation
from liqfeature.scoring.recorded import hourly_totals
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
"""A step is taken only where the score rises by as much over both halves: less is noise."""

LEAST_HOURS = 200
"""Hours with liquidations that each half of the calibration span must hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A configuration, and how it was found.

    Parameters
    ----------
    config : HeatmapConfig
        With every change that helped in both halves of the calibration span.
    provenance : dict
        Period, hours, what was tried and adopted, and scores before and after, in sample and out of it.
    """

    config: HeatmapConfig
    provenance: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Plain dict in the form that `load_config` reads, with its provenance."""
        return {"provenance": self.provenance, **self.config.to_dict()}


def calibrate(
    candles: pd.DataFrame,
    liquidations: pd.DataFrame,
    config: HeatmapConfig | None = None,
    *,
    open_interest: pd.DataFrame | None = None,
    funding_rate: pd.DataFrame | None = None,
    share: float = 0.5,
    ranks_only: bool = True,
) -> Calibration:
    """Fit turnover, scalps and leverage to recorded liquidations, and score the result on later ones.

    The span with recordings is cut in two. On the first part each parameter is tried in turn, and a value is
    adopted only where it raises the score in both halves of that part; the second part is never looked at but
    for the scores.

    Parameters
    ----------
    candles : DataFrame
        As for `liquidation_features`, of a timeframe that divides an hour.
    liquidations : DataFrame
        Totals per hour (`date, long, short`) or single orders, as for `validate`.
    config, open_interest, funding_rate
        As for `liquidation_features`; `config` is where the search begins.
    share : float
        Share of the span, its beginning, on which parameters are chosen.
    ranks_only : bool
        Whether the recording leaves out orders when there are many, as Binance's does, so that only the order
        of the hours can be trusted. Set it False for a complete recording.

    Returns
    -------
    Calibration

    Raises
    ------
    ConfigError, MissingColumnError, DataError
        Naming the parameter or column, the rule and the value received.

    Notes
    -----
    The score is the mean over both sides of the rank correlation of hourly sweeps with recorded totals, plain
    and with the hour's path, range and volume held fixed. It sees almost only leverages above 50x.
    """
    require("share", 0 < share < 1, "between 0 and 1", share)
    start = config or HeatmapConfig()
    aligned = align(
        candles,
        open_interest,
        funding_rate,
        lookback=start.lookback,
        in_contracts=start.flow.open_interest_in_contracts,
    )
    ground = Ground(candles=aligned, grid=start.grid, origins=np.zeros(0, dtype=np.int64), n_window=1)
    hours = hours_of(
        aligned, hourly_totals(liquidations), min(start.warmup, len(candles) - 1), len(candles) - 1
    )
    spans = _spans(hours, share)
    config, notes = start, {}
    for step, changes in STEPS.items():
        variants = [changed(config, change) for change in changes]
        config, notes[step] = _adopted(config, variants, ground, hours, spans)
    fitted = _fitted_weights(config, ground, hours, spans, ranks_only)
    config, notes["weight"] = _adopted(config, [fitted], ground, hours, spans)
    return Calibration(config=config, provenance=_provenance(start, config, notes, ground, hours, spans))


@dataclass(frozen=True, slots=True)
class _Spans:
    """Which hours serve to choose, in two halves, and which are only scored."""

    halves: tuple[BoolArray, BoolArray]
    outside: BoolArray

    @property
    def inside(self) -> BoolArray:
        return self.halves[0] | self.halves[1]


def _spans(hours: Hours, share: float) -> _Spans:
    scored = np.flatnonzero(~np.isnan(np.sum(hours.recorded, axis=0)))
    cut = int(share * scored.size)
    masks = []
    for rows in (scored[: cut // 2], scored[cut // 2 : cut], scored[cut:]):
        mask = np.zeros(hours.volume.size, dtype=np.bool_)
        mask[rows] = True
        masks.append(mask)
        if rows.size < LEAST_HOURS:
            message = (
                f"each part must hold at least {LEAST_HOURS} hours with a recording, received {rows.size}"
            )
            raise DataError(message)
    return _Spans((masks[0], masks[1]), masks[2])


def changed(config: HeatmapConfig, change: Change) -> HeatmapConfig:
    """Replace parameters of a configuration by their dotted names."""
    for name, value in change.items():
        part, parameter = name.split(".")
        within = dataclasses.replace(getattr(config, part), **{parameter: value})
        config = dataclasses.replace(config, **{part: within})
    return config


def _fitted_weights(
    config: HeatmapConfig, ground: Ground, hours: Hours, spans: _Spans, ranks_only: bool
) -> HeatmapConfig:
    levels = [hours.total(level.swept)[:, spans.inside] for level in estimate_by_level(ground, config)]
    swept = np.array(levels).reshape(len(levels), -1)
    recorded = hours.recorded[:, spans.inside].ravel()
    shares = fit_shares(swept, recorded, config.leverage.shares(), ranks_only=ranks_only)
    weight = tuple(float(s) for s in shares)
    return dataclasses.replace(config, leverage=dataclasses.replace(config.leverage, weight=weight))


def _adopted(
    before: HeatmapConfig, variants: list[HeatmapConfig], ground: Ground, hours: Hours, spans: _Spans
) -> tuple[HeatmapConfig, str]:
    """Take the variant that scores best, if it beats what was before in both halves of the span."""

    def halves(config: HeatmapConfig) -> FloatArray:
        swept = hours.total(estimate(ground, config).swept)
        return np.array([_score(swept, hours, half) for half in spans.halves])

    now = halves(before)
    best, gained = before, LEAST_GAIN
    for config in variants:
        gain = halves(config) - now
        if np.min(gain) > 0 and np.mean(gain) > gained:
            best, gained = config, float(np.mean(gain))
    return best, "kept" if best is before else f"changed, score {gained:+.4f}"


def _score(swept: FloatArray, hours: Hours, rows: BoolArray) -> float:
    return float(np.mean(list(_scores(swept, hours, rows).values())))


def _scores(swept: FloatArray, hours: Hours, rows: BoolArray) -> dict[str, float]:
    """Rank correlations per side, plain and partial."""
    day, scores = hours.day[rows], {}
    for side, name in enumerate(("long", "short")):
        x, y = swept[side, rows], hours.recorded[side, rows]
        controls = (hours.path[side, rows], hours.range[rows], hours.volume[rows])
        scores[f"rank {name}"] = rank_correlation(x, y, day).value
        scores[f"partial {name}"] = rank_correlation(x, y, day, controls).value
    return scores


def _provenance(
    start: HeatmapConfig,
    found: HeatmapConfig,
    notes: dict[str, str],
    ground: Ground,
    hours: Hours,
    spans: _Spans,
) -> dict[str, Any]:
    def scores(config: HeatmapConfig) -> dict[str, dict[str, float]]:
        swept = hours.total(estimate(ground, config).swept)
        return {
            where: {name: round(value, 4) for name, value in _scores(swept, hours, rows).items()}
            for where, rows in (("in sample", spans.inside), ("out of sample", spans.outside))
        }

    return {
        "in sample": _period(hours, spans.inside),
        "out of sample": _period(hours, spans.outside),
        "steps": notes,
        "scores before": scores(start),
        "scores after": scores(found),
    }


def _period(hours: Hours, rows: BoolArray) -> dict[str, Any]:
    number = hours.first + np.flatnonzero(rows)[[0, -1]]
    first, last = (pd.Timestamp(int(n), unit="h", tz="UTC").isoformat() for n in number)
    return {"from": first, "to": last, "hours": int(np.sum(rows))}
