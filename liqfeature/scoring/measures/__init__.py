"""Measures of a map: ranks, places, probabilities, each with an interval."""
