"""numba loops of the baselines."""
