"""Choosing parameters on one part of a recording and scoring them on the rest."""

from dataclasses import dataclass
from typing import Any, Unpack

import numpy as np
import pandas as pd

from liqfeature.calibration.search import STEPS, Trial, best_change, best_weights, trial_of
from liqfeature.checks import require
from liqfeature.data.recorded import in_quote
from liqfeature.errors import DataError
from liqfeature.estimate.config import HeatmapConfig, configuration
from liqfeature.market.market import Inputs, Market
from liqfeature.scoring.hours import Hours, hours_of, recorded_share, scored_rows
from liqfeature.scoring.maps.base import Ground
from liqfeature.scoring.maps.estimate import estimate
from liqfeature.types import BoolArray


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
    config: HeatmapConfig | None = None,
    *,
    unit: str = "quote",
    first: pd.Timestamp | None = None,
    last: pd.Timestamp | None = None,
    share: float = 0.5,
    ranks_only: bool = True,
    **inputs: Unpack[Inputs],
) -> Calibration:
    """Fit turnover, scalps and leverage to recorded liquidations, and score the result on later ones.

    The hours with a recording are cut in two. On the first part each parameter is tried in turn, and a value
    is taken only where it raises the score in both halves of that part, and on 97.5 % of resampled days;
    shares of leverage are fitted on one half and judged on the other. The second part is only scored.

    Parameters
    ----------
    candles, config
        As for `liquidation_features`; candles of a timeframe that divides an hour. `config` is where the
        search begins, without its calibrated shares of leverage.
    unit : {"quote", "base"}
        Of the totals in `liquidations`.
    first, last : Timestamp, optional
        Candles between which recorded hours are used; by default all after warm-up.
    share : float
        Share of those hours, their beginning, on which parameters are chosen.
    ranks_only : bool
        Whether the recording leaves out orders when there are many, as Binance's does, so that only the order
        of the hours can be trusted. Set it False for a complete recording, which then also tells
        `cascade.forced_share`: how much of what is touched is force-closed.
    **inputs
        As for `liquidation_features`. `liquidations` are needed: the map is fitted to them.

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
    start = configuration(config)
    liquidations = in_quote(inputs.pop("liquidations", None), candles, unit)
    if liquidations is None:
        message = "liquidations must be given, totals or single orders, received None"
        raise DataError(message)
    market = Market.of(candles, start.join_rule, **inputs)
    ground = Ground(market=market, grid=start.grid, origins=np.zeros(0, dtype=np.int64), n_window=1)
    hours = hours_of(market, liquidations, *scored_rows(candles, start, first, last))
    trial = trial_of(ground, hours, share)
    found = start.changed({"leverage.weight": ()})
    notes = {}
    for step, changes in STEPS.items():
        found, notes[step] = best_change(found, changes, trial)
    found, notes["weight"] = best_weights(found, trial, ranks_only=ranks_only)
    recorded = recorded_share(hours, hours.total(estimate(ground, found).swept), trial.inside)
    notes["recorded_share"] = f"{recorded:.4g} of what the map sweeps was recorded"
    found = found.changed({"cascade.recorded_share": recorded})
    if not ranks_only:
        found = found.changed({"cascade.forced_share": min(recorded, 1.0)})
    return Calibration(config=found, provenance=_provenance(start, found, notes, trial))


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
