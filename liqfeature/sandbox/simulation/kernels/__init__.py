"""Compiled parts of the simulated market: prices, traders, positions, margin; plain arrays only."""
