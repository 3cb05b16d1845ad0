"""`--image`: what a chat begins with, besides its first question."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import click

from oumi.core.printable import printable
from oumi.core.types.conversation import ContentItem, Type

_SCHEMES = ("http", "https", "data")


def to_item(given: str) -> ContentItem:
    """The image or the PDF of a file or an address. Raises BadParameter for no such file."""
    is_url = urlsplit(given).scheme.lower() in _SCHEMES
    path = urlsplit(given).path if is_url else given
    is_pdf = path.lower().endswith(".pdf") or given.startswith("data:application/pdf")
    if is_url:
        return ContentItem(type=Type.PDF_URL if is_pdf else Type.IMAGE_URL, content=given)
    if not Path(given).expanduser().is_file():
        raise click.BadParameter(f"no file {printable(given)!r}", param_hint="--image")
    return ContentItem(type=Type.PDF_PATH if is_pdf else Type.IMAGE_PATH, content=given)
