"""How much to risk on a trade, and how to tell Freqtrade where its stop is."""

from liqfeature.risk import sign_of

NARROWEST = 1e-9
"""Share of margin: Freqtrade would take a stop at 0 for no answer."""


def cautious(stake: float, cascade: float) -> float:
    """Return a smaller stake, the likelier a cascade against the position is.

    Parameters
    ----------
    stake : float
        Margin to put up where none is to be feared.
    cascade : float
        Probability of a cascade behind the position: `liq_cascade_below` for a long.

    Returns
    -------
    float
        `stake * (1 - cascade)`; NaN, which means no trade, where either is not known.
    """
    return stake * (1 - cascade)


def stop_ratio(stop: float, price: float, *, is_short: bool, leverage: float) -> float:
    """Return the distance to a stop in the form in which Freqtrade's `custom_stoploss` wants it.

    Parameters
    ----------
    stop, price : float
        Of the stop and of the market, quote per base, above 0.
    is_short : bool
        Side of the position.
    leverage : float
        Of the position.

    Returns
    -------
    float
        Share of margin lost from `price` to the stop; `NARROWEST` once price has passed it.
    """
    return max(sign_of(is_short) * (1 - stop / price) * leverage, NARROWEST)
