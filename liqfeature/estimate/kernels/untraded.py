"""When a price was last traded, and the nearest one that was not for a while; above price, below by sign."""

from liqfeature.compiled import inlined, lean
from liqfeature.types import FloatArray, IntArray


@lean
def last_traded(
    high: FloatArray,
    edge: FloatArray,
    close: FloatArray,
    lookback: int,
    widening: FloatArray,
    first: int,
    stack: IntArray,
    rows: FloatArray,
) -> None:
    """Write for each row from `first` on what lies above price and was not traded for a while.

    Prices of what lies below are turned round by their sign.

    Parameters
    ----------
    high : ndarray of shape (n,)
        Of each candle.
    edge : ndarray of shape (n,)
        A price above the close; NaN where there is none.
    close : ndarray of shape (n,)
    lookback : int
        Candles, the row's own included, over which the highest high is taken.
    widening : ndarray of shape (2, max_age + 1)
        What is said of a touched edge, by candles since it was traded.
    first : int
        Row of the first answer.
    stack : ndarray of shape (n,)
        Room to work in: candles that none since has surpassed, their highs falling.
    rows : ndarray of shape (4, n)
        Distance from the close to the highest of the lookback, a fraction; candles since a price above it was
        traded, at most `max_age`; both numbers of the edge, NaN where there is none.
    """
    size, inside = 0, 0  # of the stack, and where in it the lookback begins
    max_age = widening.shape[1] - 1
    for t in range(high.shape[0]):
        while size > 0 and high[stack[size - 1]] <= high[t]:
            size -= 1
        stack[size] = t
        size += 1
        inside = min(inside, size - 1)
        while stack[inside] <= t - lookback:
            inside += 1
        if t >= first:
            rows[0, t] = abs(high[stack[inside]] / close[t] - 1.0)
            rows[1, t] = min(t - stack[inside - 1], max_age) if inside > 0 else max_age
            if edge[t] == edge[t]:
                above = _reaching(edge[t], high, stack, size)
                age = min(t - stack[above - 1], max_age) if above > 0 else max_age
                rows[2, t] = widening[0, age]
                rows[3, t] = widening[1, age]


@inlined
def _reaching(edge: float, high: FloatArray, stack: IntArray, size: int) -> int:
    """Count the candles on the stack whose high is an edge or beyond; they come first."""
    least, most = 0, size
    while least < most:
        middle = (least + most) // 2
        if high[stack[middle]] >= edge:
            least = middle + 1
        else:
            most = middle
    return least
