"""A still of a page, taken by whatever headless browser there is."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from liqfeature.errors import MissingExtraError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
"""Programs that are looked for, in this order."""

_SECONDS = 120


def take_picture(page: str | Path, picture: str | Path, *, width: int, height: int) -> None:
    """Take a picture of a page.

    Parameters
    ----------
    page : path
        HTML file.
    picture : path
        PNG file; an older one is replaced.
    width, height : int
        Pixels.

    Raises
    ------
    MissingExtraError
        If there is no browser, or it took no picture; the message says what to do instead.
    """
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        msg = (
            "pictures need Chromium or Chrome, and none was found on PATH; install one, "
            "or open the page in a browser and save it from there"
        )
        raise MissingExtraError(msg)
    with tempfile.TemporaryDirectory() as profile:
        options = [
            "--headless",
            "--disable-gpu",
            "--hide-scrollbars",
            "--virtual-time-budget=10000",
            f"--user-data-dir={profile}",
            f"--window-size={width},{height}",
            f"--screenshot={Path(picture).resolve()}",
        ]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            options.append("--no-sandbox")  # Chromium refuses to run as root with it
        command = [found, *options, Path(page).resolve().as_uri()]
        Path(picture).unlink(missing_ok=True)
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    if not Path(picture).exists():
        msg = f"{found} took no picture: {done.stderr.strip()[-300:]}"
        raise MissingExtraError(msg)
