"""Files: candles of Freqtrade, recordings, results of backtests, a bot's configuration."""
