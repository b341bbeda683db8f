"""Maps to be scored: the estimate, and baselines written from what others do."""
