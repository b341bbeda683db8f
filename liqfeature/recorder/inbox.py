"""What was received and is not on disk yet, and the count of it all."""

from dataclasses import dataclass

from liqfeature.checks import require
from liqfeature.data.prints import Print
from liqfeature.recorder.normalise import Received
from liqfeature.recorder.options import MOST_WAITING


@dataclass(slots=True)
class Tally:
    """Counts of one exchange since the recorder started.

    Parameters
    ----------
    prints : int
        Written, each once.
    long, short : float
        Notional of them by side of the position, quote currency.
    repeated : int
        Received again.
    malformed, ignored : int
        Rows not understood, and of other contracts or without a fill.
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

    def count(self, prints: list[Print], *, repeated: int) -> None:
        """Add what was written, and how many were on disk before."""
        self.repeated += repeated
        self.prints += len(prints)
        self.long += sum(one.notional for one in prints if one.side == "long")
        self.short += sum(one.notional for one in prints if one.side == "short")
        self.last = max([one.time for one in prints] + [self.last or 0]) or None


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
        room = max(0, self.most - self.unwritten)
        self._waiting += found.prints[:room]
        tally.lost += len(found.prints[room:])

    def hand_out(self) -> list[Print]:
        """Give what waits to be written; then call `written` or `put_back`."""
        batch, self._waiting = self._waiting, []
        self._in_hand = len(batch)
        return batch

    def written(self, batch: list[Print], new: list[Print]) -> None:
        """Count what was handed out and is on disk; `new` was not there before."""
        for exchange in {one.exchange for one in batch}:
            mine = [one for one in new if one.exchange == exchange]
            received = sum(one.exchange == exchange for one in batch)
            self.tally(exchange).count(mine, repeated=received - len(mine))
        self._in_hand = 0

    def put_back(self, batch: list[Print]) -> None:
        """Let what could not be written wait again, before what came meanwhile."""
        self._waiting = batch + self._waiting
        self._in_hand = 0
