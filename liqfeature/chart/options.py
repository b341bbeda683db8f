"""What charts may be asked for; light, so that a command line knows it before it loads what draws."""

SHOWN = {"one": "all", "both": "by side", "long": "longs", "short": "shorts"}
"""Sides of a map that are shown, and what their buttons say; the first is the default."""

BY = ("enter_tag", "exit_reason")
"""By what single trades are chosen."""
