"""Pages of HTML, which come where an answer was expected: to log in, or of a firewall."""

from __future__ import annotations

import html
import re

_PAGE = re.compile(
    r"(?:\ufeff|\s|<!--.*?-->|<\?xml[^>]*>)*<(?:!doctype html|html|head|body|title|meta|script)\b",
    re.I | re.S,
)
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.I | re.S)
_UNSEEN = re.compile(r"<!--.*?-->|<(script|style)\b.*?</\1\s*>|<[^>]*>", re.I | re.S)
_SEARCHED = 20_000
"""The title stands in the first lines; a page may have megabytes of script."""
_SHOWN = 120


def is_page(text: str) -> bool:
    """Whether a text is a page of HTML."""
    return _PAGE.match(text[:_SEARCHED]) is not None


def title_of(page: str) -> str:
    """The title of a page, or else the beginning of its text; shortened."""
    page = page[:_SEARCHED]
    found = _TITLE.search(page)
    text = found[1] if found else ""
    words = html.unescape(text).split() or html.unescape(_UNSEEN.sub(" ", page)).split()
    title = " ".join(words)
    return title if len(title) <= _SHOWN else f"{title[:_SHOWN]}…"
