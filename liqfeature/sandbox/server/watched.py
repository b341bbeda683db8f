"""A file that is read at each use while the server runs, and may be damaged or gone for a while."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from liqfeature.errors import ConfigError

logger = logging.getLogger(__name__)

Value = TypeVar("Value")


class Watched(Generic[Value]):
    """The last good value of a file.

    Parameters
    ----------
    path : Path
        Read at each use.
    parse : callable
        From the text to the value; raises ValueError where the text is bad.
    content : str
        What the file must hold, for messages.
    """

    def __init__(self, path: Path, parse: Callable[[str], Value], content: str) -> None:
        self.path = path
        self.parse = parse
        self.content = content
        self._good: tuple[str, Value] | None = None
        self._complaint = ""

    def value(self) -> Value:
        """Return the value; that of the last good text where the file is bad now, which is logged once.

        Raises
        ------
        ConfigError
            If the file is bad, and was never good.
        """
        try:
            text = self.path.read_text(encoding="utf-8")
            if self._good is None or self._good[0] != text:
                self._good = (text, self.parse(text))
            self._complaint = ""
        except (OSError, ValueError, RecursionError) as error:
            message = f"{self.path} must hold {self.content}: {error}"
            if self._good is None:
                raise ConfigError(message) from error
            if message != self._complaint:
                logger.warning("%s; the last good one stays in force", message)
            self._complaint = message
        return self._good[1]
