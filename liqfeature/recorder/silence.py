"""Whether a stream is dead that is connected and says nothing while price moves.

When Binance closed an old path of its streams in April 2026, subscriptions to it were acknowledged and
connections stood as before; only nothing came any more. A recorder must not take that for hours without a
liquidation.
"""

QUIET = 3_600_000
"""Milliseconds without a message about liquidations after which one looks at prices."""

AGAIN = 300_000
"""Milliseconds until one looks again."""

MOVED = 0.02
"""Share by which a price must have moved meanwhile.

In summer 2024 Bitcoin moved by half of it in 388 hours; in none of them was nobody liquidated.
"""


class Silence:
    """Since when nothing has come from one exchange, and whether that can be believed."""

    def __init__(self) -> None:
        self.suspected = False
        self._since: int | None = None
        self._look_at = 0

    def begin(self, now: int) -> None:
        """Count from now: a connection stands. A suspicion outlasts a new connection."""
        if not self.suspected:
            self._since = now

    def end(self, now: int) -> None:
        """Take note that something has come."""
        self.suspected, self._since = False, now

    def due(self, now: int) -> int | None:
        """Return since when nothing has come, where it is time to look at prices."""
        if self.suspected or self._since is None or now < max(self._since + QUIET, self._look_at):
            return None
        return self._since

    def judge(self, now: int, moved: float) -> bool:
        """Return whether it is suspicious that nothing came while a price moved that far."""
        self._look_at = now + AGAIN
        self.suspected = moved >= MOVED
        return self.suspected
