"""The market that all slow tests share: its pairs and days."""

from datetime import datetime, timedelta

PAIRS = ("BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT")
START = datetime(2026, 1, 1)  # noqa: DTZ001
DAYS = 40
WARMUP_DAYS = 10
"""More than the 2,400 candles that the columns need."""


def timerange(first_day, last_day):
    """Freqtrade's option for days counted from the start of the market."""
    days = (START + timedelta(days=day) for day in (first_day, last_day))
    return "--timerange=" + "-".join(f"{day:%Y%m%d}" for day in days)


EVERYTHING = timerange(0, DAYS)
TRADED = timerange(WARMUP_DAYS, DAYS)
