"""What differs between exchanges: margin schedules, leverage, open interest, how much a bot can load."""
