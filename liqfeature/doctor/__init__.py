"""Look whether everything is in place for a bot, or a backtest, that uses the columns."""
