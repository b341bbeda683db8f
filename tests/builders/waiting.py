"""Wait for a condition, never for seconds; the limit is for what hangs."""

import asyncio
import time

PATIENCE = 200
"""Seconds after which what is waited for counts as hung."""

_LOOK = 0.005


async def until(condition):
    """Wait, while other tasks run."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(_LOOK)


def wait_until(condition):
    """Wait for another thread or process."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"not within {PATIENCE} s"
        time.sleep(_LOOK)
