"""Binance's public archive: years of open interest, positioning, funding and depth, as files."""
