"""The scorecard as parts of a page."""

from typing import Any

from liqfeature.chart.page import Part
from liqfeature.scoring.scorecard import Scorecard, meanings, text_tables

HEADING = "Scorecard"

_HOW = (
    "None was given. Make one with: liqfeature validate --datadir DIR --pair PAIR --liquidations FILE "
    "--out scores.json (or --sandbox liquid in place of the data), and name it here: --scores scores.json."
)

_UNTOLD = ("config", "orders")
"""What a scorecard says of itself at too great a length for a line."""


def score_parts(card: Scorecard | None) -> list[Part]:
    """Make the parts of a page on a scorecard, or say how to make one.

    Parameters
    ----------
    card : Scorecard or None
    """
    if card is None:
        return [Part(heading=HEADING, note=_HOW, facts={})]
    tables = [Part(heading=title, facts={}, table=rows) for title, rows in text_tables(card, " ")]
    said = " ".join(f"{name}: {meaning}." for name, meaning in meanings(card).items())
    head = Part(heading=HEADING, note=f"{_about(card.about)} 95 % intervals in brackets. {said}", facts={})
    return [head, *tables]


def _about(about: dict[str, Any]) -> str:
    told = ", ".join(f"{name} {value}" for name, value in about.items() if name not in _UNTOLD)
    return f"How well each map tells when and where liquidations happen: {told}."
