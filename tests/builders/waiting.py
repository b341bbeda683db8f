"""Wait for a condition, never for seconds; the limit is for what hangs."""

import asyncio
import time

PATIENCE = 200
"""Seconds after which what is waited for counts as hung."""

_LOOK = 0.005


async def until(condition, seconds=PATIENCE):
    """Wait, while other tasks run."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(_LOOK)


def wait_until(condition, seconds=PATIENCE):
    """Wait for another thread or process; return what the condition does."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(_LOOK)
    return found
