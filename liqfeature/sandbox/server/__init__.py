"""The simulated exchange: Binance USD-M's REST routes and streams, on loopback."""
