"""A simulated market of traders with known positions, and a local exchange that serves it like Binance."""
