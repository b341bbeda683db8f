"""The simulated market: traders with known positions, prices, liquidations."""
