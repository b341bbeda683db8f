"""A simulated market and a local exchange: Binance USD-M's interface over traders with known positions."""
