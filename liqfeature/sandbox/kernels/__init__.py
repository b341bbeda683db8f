"""Compiled parts of the simulated market: prices, traders, positions, margin; no pandas, no input or output."""
