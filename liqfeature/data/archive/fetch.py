"""Fetching files of the archive: many at once, each against its checksum, again where that may help."""

import asyncio
from typing import TYPE_CHECKING

from liqfeature.data.archive.datasets import ArchivedFile
from liqfeature.data.archive.ledger import NO_FILE, Entry
from liqfeature.data.archive.rows import rows_of, unzipped
from liqfeature.errors import DataError

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession

ADDRESS = "https://data.binance.vision"

AT_ONCE = 16
"""Files that are fetched at the same time."""

DELAYS = (1.0, 2.0, 4.0)
"""Seconds to wait after a failure that may pass, before the next attempt."""

SECONDS = 60
"""That an answer may take."""

_CHECKSUM_BYTES = 1000

_OK, _NONE, _BUSY, _BROKEN = 200, 404, 429, 500


async def fetched(session: "ClientSession", url: str, file: ArchivedFile, known: str) -> Entry | None:
    """Fetch a file; `NO_FILE` where there is none, None where it has the checksum that is `known`.

    Raises
    ------
    DataError
        In words, if it cannot be fetched or used.
    """
    published = await _get(session, f"{url}{file.path}.CHECKSUM", _CHECKSUM_BYTES)
    if published is None:
        return NO_FILE
    checksum = published.decode(errors="replace")
    sha256 = checksum.split()[0].lower() if checksum.strip() else ""
    if sha256 and sha256 == known:
        return None
    body = await _get(session, url + file.path, file.dataset.most_bytes)
    if body is None:
        message = "a checksum without a file"
        raise DataError(message)
    table, remarks = unzipped(body, checksum, file)
    return Entry.of(rows_of(table, file), sha256, remarks)


async def _get(session: "ClientSession", address: str, most_bytes: int) -> bytes | None:
    """Return what an address holds, None where there is nothing."""
    from aiohttp import ClientError

    reason = ""
    for delay in (0.0, *DELAYS):
        await asyncio.sleep(delay)
        try:
            async with session.get(address) as answer:
                if answer.status == _NONE:
                    return None
                if answer.status == _OK:
                    return await _body(answer, most_bytes)
                reason = f"status {answer.status}"
                if answer.status != _BUSY and answer.status < _BROKEN:
                    break
        except (ClientError, TimeoutError) as error:
            reason = type(error).__name__
    message = f"no answer ({reason})"
    raise DataError(message)


async def _body(answer: "ClientResponse", most_bytes: int) -> bytes:
    """Read an answer up to a size."""
    body = bytearray()
    async for part in answer.content.iter_chunked(1 << 16):
        body += part
        if len(body) > most_bytes:
            message = f"more than {most_bytes:,} bytes"
            raise DataError(message)
    return bytes(body)
