"""What is scored along price: touched bins, joined into coarser ones, and what was force-closed in them."""

from dataclasses import dataclass

import numpy as np

from liqfeature.checks import require, require_at_least
from liqfeature.errors import DataError
from liqfeature.types import FloatArray, IntArray

COARSE = 6
"""Bins that are joined to one: 30 basis points at the default grid."""

LEAST_REACH = 18
"""Bins that price must have touched for a side to be scored: 90 basis points at the default grid."""

UNIFORM = 0.01
"""Share of every map, distance-only included, that is spread evenly over the touched bins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweptBins:
    """The origins and sides that are scored, and what was force-closed in their touched coarse bins.

    Parameters
    ----------
    origin, side : ndarray of shape (n_rows,)
        Where each row stands in a window.
    edges : ndarray of shape (n_rows, n_coarse + 1)
        Ends of the coarse bins in bins from price, none beyond what was touched.
    share : ndarray of shape (n_rows, n_coarse)
        Each bin's share of what was force-closed; rows sum to 1.
    weight : ndarray of shape (n_rows,)
        Square root of what was force-closed in all of them.
    """

    origin: IntArray
    side: IntArray
    edges: IntArray
    share: FloatArray
    weight: FloatArray

    def width(self) -> FloatArray:
        """Bins touched in each coarse bin; shape (n_rows, n_coarse)."""
        return np.diff(self.edges, axis=1).astype(np.float64)

    def sums(self, window: FloatArray) -> FloatArray:
        """Sum over the touched part of each coarse bin; shape (n_rows, n_coarse).

        Raises
        ------
        DataError
            If the window has a NaN, an infinity or a negative sum there.
        """
        return _sums_between(window[self.origin, self.side], self.edges)

    def shape_of(self, window: FloatArray, otherwise: FloatArray | None = None) -> FloatArray:
        """Share of each coarse bin, mixed with even shares; (n_rows, n_coarse).

        Where the window holds nothing, `otherwise`, by default even shares.
        """
        width, sums = self.width(), self.sums(window)
        even = width / np.sum(width, axis=1, keepdims=True)
        total = np.sum(sums, axis=1, keepdims=True)
        shape = np.divide(sums, total, out=np.zeros_like(sums), where=total > 0)
        mixed = (1 - UNIFORM) * shape + UNIFORM * even
        return np.where(total > 0, mixed, even if otherwise is None else otherwise)


def swept_bins(
    forced: FloatArray, reached: IntArray, *, coarse: int = COARSE, least_reach: int = LEAST_REACH
) -> SweptBins:
    """Origins and sides that price reached far enough and where something was force-closed.

    Parameters
    ----------
    forced : ndarray of shape (n_origins, 2, n_window)
        Notional force-closed within the horizon.
    reached : ndarray of shape (n_origins, 2)
        Bins touched within the horizon; more than the window has counts as all of it.
    coarse : int
        Bins that are joined to one.
    least_reach : int
        Bins that must have been touched.

    Raises
    ------
    ConfigError
        If `coarse` or `least_reach` is below 1, or shapes do not fit each other.
    DataError
        If `forced` has a NaN or a negative sum in touched bins.
    """
    require_at_least(1, coarse=coarse, least_reach=least_reach)
    require("reached", reached.shape == forced.shape[:2], f"of shape {forced.shape[:2]}", reached.shape)
    origin, side = np.nonzero(reached >= least_reach)
    edges = _edges(np.minimum(reached[origin, side], forced.shape[2]), forced.shape[2], coarse)
    sums = _sums_between(forced[origin, side], edges)
    total = np.sum(sums, axis=1)
    kept = total > 0
    return SweptBins(
        origin=origin[kept],
        side=side[kept],
        edges=edges[kept],
        share=sums[kept] / total[kept, None],
        weight=np.sqrt(total[kept]),
    )


def _edges(reached: IntArray, n_window: int, coarse: int) -> IntArray:
    """Cut coarse bins at what was touched; their ends have shape (n_rows, n_coarse + 1)."""
    whole = np.arange(0, n_window + coarse, coarse)
    edges: IntArray = np.minimum(whole, reached[:, None])
    return edges


def _sums_between(rows: FloatArray, edges: IntArray) -> FloatArray:
    cumulative = np.zeros((len(rows), rows.shape[1] + 1))
    with np.errstate(invalid="ignore", over="ignore"):  # untouched bins may hold anything
        np.cumsum(rows, axis=1, out=cumulative[:, 1:])
        sums = np.diff(np.take_along_axis(cumulative, edges, axis=1), axis=1)
    if not np.all((sums >= 0) & (sums < np.inf)):
        worst = np.min(sums)
        message = f"a window must be finite and at least 0 in touched bins, received a sum of {worst}"
        raise DataError(message)
    return sums
