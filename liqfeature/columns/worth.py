"""What each column is worth to a trader, as far as it was measured; docs/model.md explains the figures."""

import re

WORTH = {
    "distance": "Where a touch would be; `liq_hit_*` says how likely. Price is not drawn to it.",
    "near": (
        "For execution: a candle that touches it is wide and busy (`liq_touch_*`), at the levels of a"
        " map of the path alone just as much."
    ),
    "peak": ("Price runs on: from near edge to peak it turns .92 times as often as elsewhere (.88 to .95)."),
    "far": (
        "Beyond it price goes 1.06 times as far (.95 to 1.18): unproven. A stop needs a probability "
        "beside it."
    ),
    "notional": (
        "Ranks and shares. Within 1.5 % of price recordings agree; beyond 5 % it is the average profile."
    ),
    "density": "Compares clusters of different pairs. Beyond the path of price no gain was measured.",
    "total": "What shares of amounts are taken of. Rests, and is mostly not force-closed.",
    "hit": (
        "Comes true within .7 to 2.5 points on four coins that it was not fitted to; Brier skill .33 to .41."
    ),
    "fuel": (
        "Over the recorded mean it finds the hours of a surge with an AUC of .77 and .76 (volatility "
        ".61 and .61); a map of the path alone comes within .03."
    ),
    "amplification": "Little: .1 % in the median, and above 1 % in one hour of a hundred.",
    "cascade": (
        "Says whether much is unusual for the day. To scale size by it adds nothing to sigma: .991 "
        "(.979 to 1.006)."
    ),
    "vacuum": (
        "Price does not run through open air: where it is .25 to .5, the edge is touched 1.5 to 1.9 points "
        "less often than `liq_hit_*` states."
    ),
    "cleared": "Marks a sweep. That price turns after one did not hold on data not looked at before.",
    "pierced": "The level of a reclaim; as `liq_cleared_*`.",
    "sigma": (
        "R2 .59 of the coming hour's range, out of sample; size by it has .67 to .79 of the expected "
        "shortfall of one size at equal exposure."
    ),
    "excursion": (
        "Hold as stated within 1 point at 95 % and .3 at 99 % on six series out of sample; not in a crash."
    ),
    "shortfall": (
        "What came was .98 to 1.01 times as far on six series out of sample; 2.3 times on 2025-10-10."
    ),
    "first_touch": (
        "Within .7 points of what is stated in every bin, all series together; 2.2 to 3.5 points too "
        "high on the six out of sample, which fell."
    ),
    "untraded": "What lies behind wide touches: levels long unvisited, clusters or not.",
    "untraded_age": "After a day a touch is 1.9 times as wide as usual, after two and a half 2.2 times.",
    "touch_range": "For slippage: within a fifth of what came on six series out of sample.",
    "touch_volume": (
        "For slippage: within a third on most of six series out of sample; too low in winter 2026."
    ),
    "swept": (
        "Hours ranked by it agree with recorded ones of three exchanges: Spearman .87 (longs) and .85"
        " (shorts); path times volume .75 and .73."
    ),
    "imbalance": "No direction: first touch moves by -.55 points per standard deviation (-2.5 to 1.2).",
    "quality": "A guard and no signal: low where inputs are missing or old.",
    "positioning": (
        "Context. As a tilt of what is opened, neither the accounts' ratio nor that of takers gained in "
        "both halves of a recording."
    ),
    "until": (
        "For filters. The hour before funding is .98 to 1.05 times as wide as `liq_sigma` usually finds it, "
        "before a monthly expiry 1.17 (1.01 to 1.36)."
    ),
    "since": (
        "For filters. The hour after funding is .99 to 1.01 times as wide, after a daily expiry .95 to 1.01."
    ),
    "venues": "Context of several exchanges; not measured by itself.",
    "consensus": "Context of several exchanges; not measured by itself.",
    "local": "Context of several exchanges; not measured by itself.",
    "elsewhere": "Context of several exchanges; not measured by itself.",
    "fresh": "A guard and no signal: low where other exchanges are silent.",
}
"""By what is left of a column's name without `liq_`, numbers and side; of longer names the beginning."""


def worth_of(name: str) -> str:
    """Return what a column of the package is worth, by its name."""
    what = re.sub(r"_(\d\d|above|below|long|short)(?=_|$)", "", name.removeprefix("liq_"))
    return WORTH[what] if what in WORTH else WORTH[what.split("_")[0]]
