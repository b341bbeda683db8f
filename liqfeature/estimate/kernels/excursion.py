"""Moves of the logarithm of price as fractions of the close."""

import math

from liqfeature.compiled import lean
from liqfeature.types import FloatArray, IntArray


@lean
def excursions(sigma: FloatArray, tilts: IntArray, sigmas: FloatArray, sign: float, out: FloatArray) -> None:
    """Write how far price goes to one side, as fractions of the close.

    Parameters
    ----------
    sigma, tilts, out : ndarray of shape (n,)
        One-sigma move of the logarithm of price at each candle, and its place in `sigmas`.
    sigmas : ndarray of shape (n_tilts,)
        How far, in sigmas.
    sign : float
        1 for what lies above, -1 for what lies below.
    """
    for t in range(sigma.shape[0]):
        out[t] = abs(math.exp(sign * sigma[t] * sigmas[tilts[t]]) - 1.0)
