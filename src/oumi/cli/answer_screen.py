"""An answer on a terminal, as it comes: Markdown and code in colours.

What is finished is printed once and stays; only the last block (a paragraph, a list, some code) is
drawn anew with each piece. So an answer longer than the window scrolls as any text does.
"""

from __future__ import annotations

import time
from typing import ClassVar, Self

from markdown_it import MarkdownIt
from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.markdown import CodeBlock, Markdown, MarkdownElement
from rich.segment import Segment
from rich.syntax import Syntax
from rich.text import Text

from oumi.core.printable import printable

_INTERVAL_S = 0.05
"""Twenty times a second looks like typing; more often costs a slow terminal more than it shows."""

_CODE_THEME = "ansi_dark"
"""Colours of the terminal itself, which its user can read on its background."""


class AnswerScreen:
    """Shows one answer; a context manager around its pieces."""

    def __init__(self, console: Console):
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._reasoning = ""
        self._text = ""
        self._drawn_s = 0.0

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()
        self._end_reasoning()
        self._print(self._text)
        self._text = ""

    def add_reasoning(self, text: str) -> None:
        """Show a piece of what the model thinks."""
        if not text:
            return
        self._reasoning += printable(text)
        self._draw(Text(self._reasoning, "dim"))

    def add(self, text: str) -> None:
        """Show a piece of the answer."""
        if not text:
            return
        self._end_reasoning()
        self._text += printable(text)
        finished = _end_of_finished(self._text) if "\n" in text else 0
        if finished:
            self._live.update(Text(), refresh=True)
            self._print(self._text[:finished])
            self._text = self._text[finished:]
        self._draw(_Markdown(self._text))

    def _end_reasoning(self) -> None:
        if self._reasoning:
            self._live.update(Text(), refresh=True)
            self._console.print(Text(self._reasoning.strip("\n") + "\n", "dim"))
            self._reasoning = ""

    def _draw(self, shown: Markdown | Text) -> None:
        now_s = time.monotonic()
        if now_s - self._drawn_s >= _INTERVAL_S:
            self._live.update(_LastLines(shown), refresh=True)
            self._drawn_s = now_s

    def _print(self, text: str) -> None:
        if text.strip():
            self._console.print(_Markdown(text))
            self._console.print()


class _LastLines:
    """As much of the end of something as fits the window, where only that can be redrawn."""

    def __init__(self, shown: Markdown | Text):
        self._shown = shown

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = console.render_lines(self._shown, options.update(height=None), pad=False)
        for line in lines[-(options.max_height - 1) :]:
            yield from line
            yield Segment.line()


class _Code(CodeBlock):
    """Code without the empty lines that rich puts around it, so that it can be copied as it is."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        code = str(self.text).rstrip()
        yield Syntax(code, self.lexer_name, theme=self.theme, word_wrap=True)


class _Markdown(Markdown):
    """Markdown as models write it."""

    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "fence": _Code,
        "code_block": _Code,
    }

    def __init__(self, text: str):
        # A link shows its address: one behind other words could lead anywhere.
        super().__init__(text, code_theme=_CODE_THEME, hyperlinks=False)
        for token in self.parsed:
            for inner in token.children or ():
                if inner.type == "softbreak":  # models end the lines of a poem so
                    inner.type = "hardbreak"


def _end_of_finished(text: str) -> int:
    """Where the last block begins, which more text can still change; 0 where it is the first."""
    starts = [token.map[0] for token in MarkdownIt().parse(text) if token.level == 0 and token.map]
    if len(starts) < 2:
        return 0
    lines = text.splitlines(keepends=True)
    return len("".join(lines[: starts[-1]]))
