"""Filled into pages by `make docs`: entries of columns, the changelog, links to files, formulas."""

import html
import math
import re
from pathlib import Path
from typing import Any

from liqfeature.columns.features import DESCRIBED
from liqfeature.columns.worth import worth_of

ROOT = Path(__file__).parents[1]


def on_page_markdown(markdown: str, *, page: Any, config: Any, **_: Any) -> str:
    """Complete a page before it is rendered."""
    markdown = markdown.replace("<!-- columns -->", column_entries())
    if page.file.src_uri == "changelog.md":
        markdown = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").replace("](docs/", "](")
    return source_links(markdown, config.repo_url or "")


def on_page_content(content: str, **_: Any) -> str:
    """Set formulas as MathML, which browsers draw by themselves."""
    return re.sub(
        r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', _formula, content, flags=re.DOTALL
    )


def _formula(found: re.Match[str]) -> str:
    from latex2mathml.converter import convert

    display = "inline" if found[2] == "(" else "block"
    return convert(html.unescape(found[3]), display=display)


def column_entries() -> str:
    """Write an entry for each column, one for both sides of price."""
    entries: dict[tuple[str, str], list[str]] = {}
    for name, column in DESCRIBED.items():
        entries.setdefault((column.unit, column.meaning), []).append(name)
    return "\n".join(_entry(names) for names in entries.values())


def source_links(markdown: str, repository: str) -> str:
    """Lead links to files outside of the docs to the repository; without one, keep their text."""
    target = rf"[\1]({repository.rstrip('/')}/blob/main/\2)" if repository else r"\1"
    return re.sub(r"(?<!!)\[([^\]]+)\]\(\.\./([^)]+)\)", target, markdown)


def _entry(names: list[str]) -> str:
    column = DESCRIBED[names[0]]
    anchor = re.sub(r"_(above|below)$", "", names[0])
    ends = ["any" if math.isinf(end) else f"{end:g}" for end in (column.lowest, column.highest)]
    lines = [f"### {', '.join(f'`{name}`' for name in names)} {{ #{anchor} }}", ""]
    lines += [f"{column.meaning[0].upper()}{column.meaning[1:]}.", ""]
    lines += [f"- Unit: {column.unit}", f"- Values: {ends[0]} to {ends[1]}"]
    lines += [f"- Worth: {worth_of(names[0])}"]
    return "\n".join([*lines, ""])
