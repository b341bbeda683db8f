"""How good a map is: baselines, scores with intervals, and the scorecard."""
