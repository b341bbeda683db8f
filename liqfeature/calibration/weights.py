"""Shares of the leverage levels from what was liquidated, with the prior as regulariser."""

import numpy as np

from liqfeature.types import FloatArray

ITERATIONS = 200

STRENGTH = 0.1
"""Weight of the prior, as a share of all that the map swept."""

TOUCHED = 0.001
"""Share of all that was swept below which a level counts as untouched, and keeps its prior."""

WINSOR = 20.0
"""Recorded totals above this multiple of their median count as that: liquidations come in bursts."""


def fit_shares(swept: FloatArray, recorded: FloatArray, prior: FloatArray, *, ranks_only: bool) -> FloatArray:
    """Fit the share of each leverage level to what was liquidated.

    Parameters
    ----------
    swept : ndarray of shape (n_levels, n)
        What the map would sweep in each hour and side, were everything opened at that level.
    recorded : ndarray of shape (n,)
        What was liquidated there, in any unit; no NaN.
    prior : ndarray of shape (n_levels,)
        Shares before, sum 1; a level of share 0 keeps it.
    ranks_only : bool
        Use only the order of the recorded totals, for a feed that leaves orders out when there are many: they
        are replaced by the map's own totals of the same rank.

    Returns
    -------
    ndarray of shape (n_levels,)
        Sum 1. A level that was not touched keeps its share relative to the other untouched ones.

    Notes
    -----
    Gamma-Poisson expectation-maximisation, which is Richardson (1972) and Lucy (1974) with a prior. With m
    the swept amounts times their prior shares and theta the factors on them: N = sum(y theta m
    / sum(theta m)), D = sum(m), theta = (S prior + N) / (S prior + D).
    """
    mass = swept * prior[:, None]
    observed = np.any(mass > 0, axis=0)
    if not np.any(observed) or float(np.sum(recorded[observed])) <= 0.0:
        return prior
    mass, target = mass[:, observed], recorded[observed]
    total = np.sum(mass, axis=0)
    target = _of_same_rank(target, total) if ranks_only else _winsorised(target)
    target = target * (np.sum(total) / np.sum(target))  # amplitude and shares are confounded
    touched = np.sum(mass, axis=1) > TOUCHED * np.sum(mass)
    pull = STRENGTH * float(np.sum(mass)) * prior
    factor = np.ones(prior.size)
    for _ in range(ITERATIONS):
        explained = factor @ mass
        share = np.divide(target, explained, out=np.zeros_like(target), where=explained > 0)
        fitted = (pull + factor * (mass @ share)) / np.maximum(pull + np.sum(mass, axis=1), 1e-300)
        factor = np.where(touched, fitted, 1.0)
    shares: FloatArray = factor * prior / np.sum(factor * prior)
    return shares


def _of_same_rank(values: FloatArray, totals: FloatArray) -> FloatArray:
    """Replace each value by the total of the same rank; equal values share the mean of theirs."""
    matched = np.sort(totals)[np.argsort(np.argsort(values, kind="stable"), kind="stable")]
    _, tied, count = np.unique(values, return_inverse=True, return_counts=True)
    mean: FloatArray = (np.bincount(tied, matched) / count)[tied]
    return mean


def _winsorised(values: FloatArray) -> FloatArray:
    median = float(np.median(values[values > 0]))
    return np.minimum(values, WINSOR * median)
