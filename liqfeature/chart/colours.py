"""Colours whose lightness alone tells the amount, the same for both sides, and two themes.

Scales are made in OKLCH (Björn Ottosson, 2020), where equal steps of lightness look equal. Longs are blue and
shorts orange, which readers with any common kind of colour blindness tell apart.
"""

import math
from dataclasses import dataclass

BLUE, ORANGE = 235.0, 60.0
"""Hues in degrees."""

_STEPS = 24

ColourScale = list[tuple[float, str]]
"""Plotly's form: position between 0 and 1, and colour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """Colours of everything but the map.

    Parameters
    ----------
    paper, plot : str
        Behind the figure and behind each pane.
    text, faint, line : str
        Letters, secondary letters, and lines of the grid.
    rise, fall : str
        Candles that closed above and below their open.
    long, short, neither : str
        Lines of either side, and of neither.
    edge : str
        Clusters' edges, over the map.
    button, pressed : str
        Behind and on buttons; plotly paints the pressed one almost white, whatever the theme.
    least, most : float
        Lightness of the least and of the greatest amount, 0 to 1; the least is close to `plot`.
    """

    paper: str
    plot: str
    text: str
    faint: str
    line: str
    rise: str
    fall: str
    long: str
    short: str
    neither: str
    edge: str
    button: str
    pressed: str
    least: float
    most: float


THEMES = {
    "dark": Theme(
        paper="#0d1117",
        plot="#10151d",
        text="#e6edf3",
        faint="#9aa7b4",
        line="#252d38",
        rise="#ffffff",
        fall="#8b96a5",
        long="#4ba3e3",
        short="#e8963c",
        neither="#5fbf8f",
        edge="#d7f75b",
        button="#8592a3",
        pressed="#0d1117",
        least=0.19,
        most=0.95,
    ),
    "light": Theme(
        paper="#ffffff",
        plot="#fbfbfc",
        text="#1b2430",
        faint="#56616e",
        line="#e2e6ea",
        rise="#8a94a0",
        fall="#11161d",
        long="#0a6fb5",
        short="#b45309",
        neither="#1f7a4d",
        edge="#a800a8",
        button="#ccd3da",
        pressed="#1b2430",
        least=0.985,
        most=0.30,
    ),
}


def side_scale(theme: Theme, hue: float) -> ColourScale:
    """One hue from the background to the brightest; lightness grows in proportion to the amount."""
    return _scale(theme, [hue] * (_STEPS + 1), 0.16)


def common_scale(theme: Theme) -> ColourScale:
    """Violet over teal to yellow, for both sides together: the same lightness for the same amount."""
    first, last = (300.0, 105.0) if theme.least < theme.most else (105.0, 300.0)
    return _scale(theme, [first + (last - first) * i / _STEPS for i in range(_STEPS + 1)], 0.15)


def _scale(theme: Theme, hues: list[float], chroma: float) -> ColourScale:
    stops = []
    for i, hue in enumerate(hues):
        share = i / _STEPS
        lightness = theme.least + (theme.most - theme.least) * share
        # most colour at middling lightness, where a screen can show it
        stops.append((share, oklch(lightness, chroma * math.sin(math.pi * (0.08 + 0.84 * share)), hue)))
    return stops


def oklch(lightness: float, chroma: float, hue: float) -> str:
    """Colour as #rrggbb; chroma is lowered until a screen can show it.

    Parameters
    ----------
    lightness : float
        0 (black) to 1 (white).
    chroma : float
        0 (grey) to about 0.3.
    hue : float
        Degrees.
    """
    channels = _linear(lightness, chroma, hue)
    while chroma > 0 and not all(-1e-6 <= c <= 1 + 1e-6 for c in channels):
        chroma = max(chroma - 0.002, 0.0)
        channels = _linear(lightness, chroma, hue)
    return "#" + "".join(f"{round(255 * _gamma(min(max(c, 0.0), 1.0))):02x}" for c in channels)


def _linear(lightness: float, chroma: float, hue: float) -> tuple[float, float, float]:
    """Red, green and blue as light, from Ottosson's published matrices."""
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _gamma(light: float) -> float:
    return 12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055
