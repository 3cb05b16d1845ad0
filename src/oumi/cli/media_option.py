"""`--image`: what stands before a question, or before the first one of a chat."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

import click

from oumi.backends.engine_choice import engine_for
from oumi.backends.media import web
from oumi.backends.media.files import read_file
from oumi.backends.media.item_bytes import is_data_url, item_bytes
from oumi.backends.media.pdf_pages import render_pages
from oumi.cli.overrides import CommandT
from oumi.core.configs import InferenceConfig
from oumi.core.printable import printable
from oumi.core.types.conversation import ContentItem, Type
from oumi.runner import loop

_SCHEMES = ("http", "https", "data")


def media_option(command: CommandT) -> CommandT:
    """The option, which gives a command the argument `images`."""
    return click.option(
        "--image",
        "images",
        metavar="FILE",
        multiple=True,
        type=click.Path(),
        help="An image or a PDF before the question: a file or an address. May be given again.",
    )(command)


def load_media(given: Iterable[str], config: InferenceConfig) -> list[ContentItem]:
    """The items of files and addresses, as the engine takes them.

    Raises BadParameter for no such file, InputError for what cannot be loaded.
    """
    return [item for one in given for item in as_taken(to_item(one), config)]


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


def as_taken(item: ContentItem, config: InferenceConfig) -> list[ContentItem]:
    """The item as the engine takes it: a PDF by its pages, where it takes images alone.

    Raises InputError for what cannot be loaded.
    """
    provider = engine_for(config).provider
    if item.type.kind != "pdf" or (provider is not None and provider.supports_pdf):
        return [item]
    pages = render_pages(_load(item, config), (item.content or "")[:60])
    return [ContentItem(type=Type.IMAGE_BINARY, binary=page) for page in pages]


def _load(item: ContentItem, config: InferenceConfig) -> bytes:
    content = item.content or ""
    if item.type.form == "path":
        return read_file(content, Path("/"), config.max_media_bytes)
    if is_data_url(content):
        return item_bytes(item)
    return loop.call(web.load(content, config.allowed_media_hosts, config.max_media_bytes))
