"""What a recorder may be asked for; light, so that a command line knows it before it loads what records."""

EXCHANGES = ("binance", "bybit", "okx")
"""Exchanges whose liquidations can be recorded, by Freqtrade's names."""

POLLED = ("hyperliquid",)
"""Exchanges whose open interest is recorded, since they give out only the present one."""

MOST_WAITING = 200_000
"""Prints kept in memory while they cannot be written: about 100 MB."""
