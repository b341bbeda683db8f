"""Colours of every picture of the map, whose lightness alone tells the amount, and which cells are hidden.

Pages that are written (`chart`) and the page that is served (`serve`) take them from here.

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


HIDDEN = 0.70
"""Share of the cells, the least of them, that a picture leaves out at first."""

FULL = 0.995
"""Share of the cells that is told apart by colour; those above look alike."""

NOTHING = "rgba(0, 0, 0, 0)"
"""Colour of what is hidden."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """Colours of the map and of all around it, for pages written and served.

    Parameters
    ----------
    paper, plot : str
        Behind the figure and behind each pane.
    text, faint, line : str
        Letters, secondary letters, and lines of the grid.
    rise, fall : str
        Candles that closed above and below their open: a green and an orange red that colour-blind readers
        tell apart.
    outline, forming : str
        Around candles, and the candle that is not closed.
    long, short, neither : str
        Lines of either side, and of neither.
    frame, label, fan : str
        Around clusters, behind words on the map, and of the fan of coming hours.
    button, pressed : str
        Behind a button, and behind a pressed one.
    lightness, hues : tuple of float
        Of the least amount shown and of the greatest: 0 to 1, and degrees.
    """

    paper: str
    plot: str
    text: str
    faint: str
    line: str
    rise: str
    fall: str
    outline: str
    forming: str
    long: str
    short: str
    neither: str
    frame: str
    label: str
    fan: str
    button: str
    pressed: str
    lightness: tuple[float, float]
    hues: tuple[float, float]


THEMES = {
    "dark": Theme(
        paper="#0d1117",
        plot="#0b0f15",
        text="#e6edf3",
        faint="#9aa7b4",
        line="#1c242e",
        rise="#19d3a2",
        fall="#ff7a4d",
        outline="#05070a",
        forming="#c9d1d9",
        long="#6db8f2",
        short="#f2b25c",
        neither="#5fbf8f",
        frame="#ffffff",
        label="rgba(5, 7, 10, 0.82)",
        fan="#8fb4ff",
        button="#1b232e",
        pressed="#35507a",
        lightness=(0.24, 0.93),
        hues=(305.0, 95.0),
    ),
    "light": Theme(
        paper="#ffffff",
        plot="#fdfdfe",
        text="#1b2430",
        faint="#56616e",
        line="#e7ebef",
        rise="#00966c",
        fall="#d2520a",
        outline="#ffffff",
        forming="#3c4652",
        long="#0a5fa0",
        short="#9a4a00",
        neither="#1f7a4d",
        frame="#20262e",
        label="rgba(255, 255, 255, 0.88)",
        fan="#2c5fc4",
        button="#eef1f4",
        pressed="#bcd3f2",
        lightness=(0.93, 0.30),
        hues=(95.0, 305.0),
    ),
}


def side_scale(theme: Theme, hue: float) -> ColourScale:
    """One hue from the least amount to the greatest; lightness grows in proportion to the amount."""
    return _scale(theme, (hue, hue), _STEPS)


def common_scale(theme: Theme, steps: int = _STEPS) -> ColourScale:
    """Violet over teal to yellow, for both sides together: the same lightness for the same amount."""
    return _scale(theme, theme.hues, steps)


def hidden_below(scale: ColourScale, share: float) -> ColourScale:
    """Leave out amounts below a share of the greatest, and spread the scale over the others."""
    rest = [(share + (1 - share) * at, colour) for at, colour in scale]
    return [(0.0, NOTHING), (share, NOTHING), *rest] if share > 0 else rest


def _scale(theme: Theme, hues: tuple[float, float], steps: int) -> ColourScale:
    stops = []
    for i in range(steps + 1):
        share = i / steps
        lightness, hue = (first + (last - first) * share for first, last in (theme.lightness, hues))
        # most colour at middling lightness, where a screen can show it
        stops.append((share, oklch(lightness, 0.16 * math.sin(math.pi * (0.25 + 0.6 * share)), hue)))
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
