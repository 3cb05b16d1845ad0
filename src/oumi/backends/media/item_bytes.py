"""The bytes of a content item: those that it holds itself, or a data URL does."""

from __future__ import annotations

import base64
import binascii

from oumi.core.types.content_item import ContentItem
from oumi.errors import InputError

KIND_NAMES = {"text": "a text", "image": "an image", "audio": "audio", "pdf": "a PDF"}


def item_bytes(item: ContentItem) -> bytes:
    """The bytes of an item; `MediaLoader` puts them in the place of files. Raises InputError."""
    if item.binary:
        return item.binary
    if item.type.form == "url" and is_data_url(item.content or ""):
        return decode_data_url(item.content or "")
    raise InputError(f"{media_name(item)}: the file was not loaded before the request was encoded")


def is_data_url(url: str) -> bool:
    """Whether a URL holds the bytes itself."""
    return url[:5].lower() == "data:"


def decode_data_url(url: str) -> bytes:
    """The bytes in a data URL. Raises InputError for a malformed one."""
    head, _, text = url.partition(",")
    if not head.lower().endswith(";base64"):
        raise InputError(f"{url[:60]}: expected data:…;base64,…")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError(f"{url[:60]}: not base64: {error}") from error


def to_base64(data: bytes) -> str:
    """The bytes as base64 text."""
    return base64.b64encode(data).decode()


def media_name(item: ContentItem) -> str:
    """What errors call an item: its path, the beginning of its URL, or what it is."""
    return item.content[:300] if item.content else KIND_NAMES[item.type.kind]
