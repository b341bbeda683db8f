"""Choosing parameters on one part of a recording and scoring them on the rest."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from liqfeature.calibration.search import STEPS, Trial, best_change, best_weights, changed, trial_of
from liqfeature.checks import require
from liqfeature.config import HeatmapConfig
from liqfeature.errors import DataError
from liqfeature.heatmap import join_candles
from liqfeature.scoring.hours import Hours, hours_of
from liqfeature.scoring.maps import Ground
from liqfeature.scoring.ours import estimate
from liqfeature.scoring.recorded import UNITS, hourly_totals
from liqfeature.scoring.validate import in_quote, require_recorded, scored_rows
from liqfeature.types import BoolArray, FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A configuration, and how it was found.

    Parameters
    ----------
    config : HeatmapConfig
        With every change that was taken.
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
    unit: str = "quote",
    first: pd.Timestamp | None = None,
    last: pd.Timestamp | None = None,
    share: float = 0.5,
    ranks_only: bool = True,
) -> Calibration:
    """Fit turnover, scalps and leverage to recorded liquidations, and score the result on later ones.

    The hours with a recording are cut in two. On the first part each parameter is tried in turn, and a value
    is taken only where it raises the score in both halves of that part, and on 97.5 % of resampled days;
    shares of leverage are fitted on one half and judged on the other. The second part is looked at for the
    scores alone.

    Parameters
    ----------
    candles : DataFrame
        As for `liquidation_features`, of a timeframe that divides an hour.
    liquidations : DataFrame
        Totals per hour (`date, long, short`) or single orders, as for `validate`.
    config, open_interest, funding_rate
        As for `liquidation_features`; `config` is where the search begins, its calibrated shares of leverage
        apart, which are fitted anew.
    unit : {"quote", "base"}
        Of totals; it matters for `cascade.recorded_share` alone.
    first, last : Timestamp, optional
        Candles between which recorded hours are used; by default all after warm-up.
    share : float
        Share of those hours, their beginning, on which parameters are chosen.
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
    require("unit", unit in UNITS, f"one of {', '.join(UNITS)}", repr(unit))
    start = config or HeatmapConfig()
    aligned = join_candles(candles, start, open_interest, funding_rate)
    ground = Ground(candles=aligned, grid=start.grid, origins=np.zeros(0, dtype=np.int64), n_window=1)
    hours = hours_of(aligned, hourly_totals(liquidations), *scored_rows(candles, start, first, last))
    require_recorded(hours, liquidations)
    trial = trial_of(ground, hours, share)
    found = dataclasses.replace(start, leverage=dataclasses.replace(start.leverage, weight=()))
    notes = {}
    for step, changes in STEPS.items():
        found, notes[step] = best_change(found, changes, trial)
    found, notes["weight"] = best_weights(found, trial, ranks_only=ranks_only)
    amounts = in_quote(hours, aligned) if unit == "base" else hours
    share_recorded = recorded_share(amounts, hours.total(estimate(ground, found).swept), trial.inside)
    notes["recorded_share"] = f"{share_recorded:.4g} of what the map forces was recorded"
    found = changed(found, {"cascade.recorded_share": share_recorded})
    return Calibration(config=found, provenance=_provenance(start, found, notes, trial))


def recorded_share(hours: Hours, swept: FloatArray, rows: BoolArray) -> float:
    """Notional recorded over what a map swept, (2, n_hours), in the given hours, both sides together.

    Raises
    ------
    DataError
        If either is nothing.
    """
    recorded, forced = (float(np.nansum(values[:, rows])) for values in (hours.recorded, swept))
    if not (recorded > 0 and forced > 0):
        msg = f"recorded and swept notional must be above 0, received {recorded:g} and {forced:g}"
        raise DataError(msg)
    return recorded / forced


def _provenance(
    start: HeatmapConfig, found: HeatmapConfig, notes: dict[str, str], trial: Trial
) -> dict[str, Any]:
    spans = {"in sample": trial.inside, "out of sample": trial.outside}

    def scores(config: HeatmapConfig) -> dict[str, dict[str, float]]:
        return {
            where: {name: round(float(drawn[0]), 4) for name, drawn in trial.scores(config, rows).items()}
            for where, rows in spans.items()
        }

    return {
        **{where: _period(trial.hours, rows) for where, rows in spans.items()},
        "steps": notes,
        "scores before": scores(start),
        "scores after": scores(found),
    }


def _period(hours: Hours, rows: BoolArray) -> dict[str, Any]:
    number = hours.first + np.flatnonzero(rows)[[0, -1]]
    first, last = (pd.Timestamp(int(n), unit="h", tz="UTC").isoformat() for n in number)
    return {"from": first, "to": last, "hours": int(np.sum(rows))}
