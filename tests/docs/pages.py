"""The pages of the documentation and the code in them.

A block after a `<!-- not run: reason -->` line is only compiled. A `text` block right after a block
of code is the output of that block, unless a `<!-- for example -->` line stands before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]

_BLOCK = re.compile(
    r"^(?:<!-- (?P<mark>not run: [^\n]+|for example) -->\n)?"
    r"```(?P<language>\w+)\n(?P<code>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """A fenced block. `line` is that of its first line, `gap` the text between it and the last."""

    language: str
    code: str
    line: int
    gap: str
    mark: str | None

    @property
    def runs(self) -> bool:
        return self.mark is None


def blocks(page: Path) -> list[Block]:
    """The blocks of a page in order."""
    text = page.read_text(encoding="utf-8")
    found, end = [], 0
    for match in _BLOCK.finditer(text):
        line = text.count("\n", 0, match.start("code")) + 1
        gap = text[end : match.start()].strip()
        found.append(Block(match["language"], match["code"], line, gap, match["mark"]))
        end = match.end()
    return found


def script(page: Path, language: str) -> str:
    """The blocks of a language that run, at the lines where they stand in the page."""
    lines: list[str] = []
    for block in blocks(page):
        if block.language == language and block.runs:
            lines += [""] * (block.line - 1 - len(lines))
            lines += block.code.splitlines()
    return "\n".join(lines) + "\n" if lines else ""


def outputs(page: Path) -> Iterator[str]:
    """What the page says that its Python prints."""
    for code, shown in pairwise(blocks(page)):
        is_output = shown.language == "text" and not shown.gap
        if is_output and shown.runs and code.language == "python" and code.runs:
            yield shown.code


def prose(page: Path) -> str:
    """The page without its blocks."""
    return _BLOCK.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """The headings of a page as the ends of links."""
    heads = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
