"""Logarithm of prices, by the same function wherever a price becomes a bin."""

import math

from liqfeature.compiled import lean
from liqfeature.types import FloatArray


@lean
def log_prices(price: FloatArray, out: FloatArray) -> None:
    """Write `ln(price)`; NumPy's vectorised logarithm differs in the last bit here and there."""
    for i in range(price.shape[0]):
        out[i] = math.log(price[i])


@lean
def exp_prices(log_price: FloatArray, out: FloatArray) -> None:
    """Write `exp(log_price)`, element by element."""
    for i in range(log_price.shape[0]):
        out[i] = math.exp(log_price[i])
