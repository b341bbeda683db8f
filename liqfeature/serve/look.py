"""What the served page looks like: the colours of all pictures, as the page takes them."""

from dataclasses import asdict
from typing import Any

from liqfeature.heatmap.colours import FULL, HIDDEN, THEMES, common_scale

_STEPS = 255


def look() -> dict[str, Any]:
    """Return colours and scales by theme, and which shares of the cells are hidden and told apart."""
    themes = {
        name: asdict(theme) | {"scale": [colour for _, colour in common_scale(theme, _STEPS)]}
        for name, theme in THEMES.items()
    }
    return {"themes": themes, "hidden": HIDDEN, "full": FULL}
