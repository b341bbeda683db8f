"""A still of a page, taken by whatever headless browser there is."""

import base64
import os
import re
import shutil
import subprocess
import tempfile
import zlib
from pathlib import Path

from liqfeature.errors import MissingExtraError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
"""Programs that are looked for, in this order."""

_SECONDS = 120

_SIGN = b"Software\0liqfeature"


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
        message = (
            f"pictures need Chromium or Chrome, and none was found on PATH; {page} is written: "
            "open it in a browser, and save a picture from there"
        )
        raise MissingExtraError(message)
    shown, written = Path(page).resolve(), Path(picture).resolve()
    with tempfile.TemporaryDirectory() as scratch:
        taken = Path(scratch) / "picture.png"
        said = _browse(found, shown, f"--screenshot={taken}", f"--window-size={width},{height}")
        if not taken.exists():
            message = f"{found} took no picture of {page}, which is written: {said.stderr.strip()[-300:]}"
            raise MissingExtraError(message)
        png = taken.read_bytes()
        webp = written.suffix == ".webp"
        written.write_bytes(_signed(_as_webp(found, png, Path(scratch) / "page.html") if webp else png))


def _signed(picture: bytes) -> bytes:
    """Add a chunk to PNG or WebP that says who made it, so that a later picture may replace it."""
    if picture[:4] == b"RIFF":
        body = picture[8:] + b"tEXt" + len(_SIGN).to_bytes(4, "little") + _SIGN + b"\0" * (len(_SIGN) % 2)
        return b"RIFF" + len(body).to_bytes(4, "little") + body
    chunk, head = b"tEXt" + _SIGN, 33  # bytes of the signature and the first chunk, which must be IHDR
    check = zlib.crc32(chunk).to_bytes(4, "big")
    return picture[:head] + len(_SIGN).to_bytes(4, "big") + chunk + check + picture[head:]


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
        command = [program, *options, f"{page.as_uri()}#still"]  # without what one would click
        try:
            return subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(command, 1, "", f"no answer within {_SECONDS} s")


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
