"""What charts may be asked for; light, so that a command line knows it before it loads what draws."""

SHOWN = {"both": "Long + short", "one": "One scale", "long": "Longs", "short": "Shorts"}
"""Sides of a map that are shown, and what their buttons say."""

BY = ("enter_tag", "exit_reason")
"""By what single trades are chosen."""
