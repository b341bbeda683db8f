"""The counts of a recording, for people."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from liqfeature.recorder.session import Session

if TYPE_CHECKING:
    from rich.table import Table


def counts_line(session: Session) -> str:
    """Write all counts in one line."""
    parts = []
    for name, tally in session.inbox.tallies.items():
        notional = f"{tally.long:,.0f} long, {tally.short:,.0f} short"
        odd = f"{tally.repeated} repeated, {tally.malformed} malformed, {tally.lost} lost"
        parts.append(f"{name}: {tally.prints} liquidations ({notional}; {odd})")
    parts += [f"{name}: {poller.count} rows" for name, poller in session.pollers.items()]
    parts.append(f"{session.inbox.unwritten} not on disk")
    return "; ".join(parts)


def counts_table(session: Session) -> "Table":
    """Lay all counts out as a table, one exchange a row."""
    from rich.table import Table

    caption = f"{session.path}: {session.trouble or f'{session.inbox.unwritten} rows not on disk yet'}"
    table = Table(title="recording liquidations (Ctrl-C ends it)", caption=caption)
    table.add_column("exchange")
    for column in ("prints", "longs", "shorts", "last, UTC", "repeated", "malformed", "lost", "connections"):
        table.add_column(column, justify="right")
    for name, tally in session.inbox.tallies.items():
        last = f"{datetime.fromtimestamp(tally.last / 1000, UTC):%m-%d %H:%M:%S}" if tally.last else "-"
        counts = (tally.repeated, tally.malformed, tally.lost, tally.connections)
        cells = (f"{tally.prints:,}", f"{tally.long:,.0f}", f"{tally.short:,.0f}", last)
        table.add_row(name, *cells, *map(str, counts))
    for name, poller in session.pollers.items():
        table.add_row(name if " " in name else f"{name}, open interest", f"{poller.count:,}")
    return table
