"""A still of a page, taken by whatever headless browser there is."""

import base64
import os
import re
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
        FILE.png or FILE.webp; an older one is replaced.
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
    shown, written = Path(page).resolve(), Path(picture).resolve()
    written.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        taken = Path(scratch) / "picture.png" if written.suffix == ".webp" else written
        said = _browse(found, shown, f"--screenshot={taken}", f"--window-size={width},{height}")
        if not taken.exists():
            msg = f"{found} took no picture: {said.stderr.strip()[-300:]}"
            raise MissingExtraError(msg)
        if taken != written:
            written.write_bytes(_as_webp(found, taken.read_bytes(), Path(scratch) / "page.html"))


def _browse(program: str, page: Path, *wanted: str) -> "subprocess.CompletedProcess[str]":
    """Open a page, do what is wanted, and close the browser."""
    with tempfile.TemporaryDirectory() as profile:
        options = [
            "--headless",
            "--disable-gpu",
            "--hide-scrollbars",
            "--virtual-time-budget=10000",
            f"--user-data-dir={profile}",
            *wanted,
        ]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            options.append("--no-sandbox")  # Chromium refuses to run as root with it
        command = [program, *options, page.as_uri()]
        return subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)


def _as_webp(program: str, png: bytes, page: Path) -> bytes:
    """Encode a picture anew: of itself Chromium writes webp twice as large as it need be."""
    held = base64.b64encode(png).decode()
    page.write_text(_ENCODER % (_QUALITY, held), encoding="utf-8")
    said = _browse(program, page, "--dump-dom")
    found = re.search(r"data:image/webp;base64,([A-Za-z0-9+/=]+)", said.stdout)
    if found is None:
        msg = f"{program} cannot write webp; choose FILE.png: {said.stderr.strip()[-300:]}"
        raise MissingExtraError(msg)
    return base64.b64decode(found.group(1))


_QUALITY = 0.45
"""Of webp, 0 to 1: small text stays sharp, and a panel takes about 11 kB."""

_ENCODER = """\
<body><script>
const picture = new Image();
picture.onload = () => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [picture.width, picture.height];
    canvas.getContext("2d").drawImage(picture, 0, 0);
    document.body.textContent = canvas.toDataURL("image/webp", %g);
};
picture.src = "data:image/png;base64,%s";
</script></body>
"""
