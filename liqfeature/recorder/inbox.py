"""What was received and is not on disk yet, and the count of it all."""

from collections import OrderedDict
from dataclasses import dataclass

from liqfeature.checks import require
from liqfeature.data.prints import Print
from liqfeature.recorder.normalise import Received

REMEMBERED = 100_000
"""Latest prints that are remembered, so that those sent again after a reconnect count once."""

MOST_WAITING = 200_000
"""Prints kept in memory while they cannot be written: about 100 MB."""


@dataclass(slots=True)
class Tally:
    """Counts of one exchange since the recorder started.

    Parameters
    ----------
    prints : int
        Received, each once.
    long, short : float
        Notional of them by side of the position, quote currency.
    repeated, malformed, ignored : int
        Rows received again, not understood, and of other contracts or without a fill.
    lost : int
        Prints given up because nothing could be written for too long.
    connections : int
        Times the stream was set up; the first included.
    last : int or None
        Time of the latest print, milliseconds.
    """

    prints: int = 0
    long: float = 0.0
    short: float = 0.0
    repeated: int = 0
    malformed: int = 0
    ignored: int = 0
    lost: int = 0
    connections: int = 0
    last: int | None = None

    def count(self, one: Print) -> None:
        """Add a print."""
        self.prints += 1
        self.last = max(one.time, self.last or 0)
        if one.side == "long":
            self.long += one.notional
        else:
            self.short += one.notional


class Inbox:
    """Prints on their way to the disk; `tallies` counts them by exchange.

    Parameters
    ----------
    most : int
        Prints kept at most; above it the newest are given up and counted as lost.
    """

    def __init__(self, most: int = MOST_WAITING) -> None:
        require("most", most >= 1, "at least 1", most)
        self.most = most
        self.tallies: dict[str, Tally] = {}
        self._waiting: list[Print] = []
        self._in_hand = 0
        self._seen: OrderedDict[Print, None] = OrderedDict()

    @property
    def unwritten(self) -> int:
        """Prints that are not on disk yet."""
        return len(self._waiting) + self._in_hand

    def tally(self, exchange: str) -> Tally:
        """Return the counts of one exchange."""
        return self.tallies.setdefault(exchange, Tally())

    def take(self, exchange: str, found: Received) -> None:
        """Accept what one message held."""
        tally = self.tally(exchange)
        tally.malformed += len(found.malformed)
        tally.ignored += found.ignored
        for one in found.prints:
            if one in self._seen:
                tally.repeated += 1
            elif self.unwritten >= self.most:
                tally.lost += 1
            else:
                tally.count(one)
                self._waiting.append(one)
                self._remember(one)

    def hand_out(self) -> list[Print]:
        """Give what waits to be written; then call `written` or `put_back`."""
        batch, self._waiting = self._waiting, []
        self._in_hand = len(batch)
        return batch

    def written(self) -> None:
        """Forget what was handed out."""
        self._in_hand = 0

    def put_back(self, batch: list[Print]) -> None:
        """Let what could not be written wait again, before what came meanwhile."""
        self._waiting = batch + self._waiting
        self._in_hand = 0

    def _remember(self, one: Print) -> None:
        self._seen[one] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
