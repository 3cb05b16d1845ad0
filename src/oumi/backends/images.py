"""Images in messages: read from a file, from bytes or from a data URL."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from pathlib import Path

from oumi.core.types.conversation import ContentItem, Type
from oumi.errors import InputError

# The first bytes of a file: https://en.wikipedia.org/wiki/List_of_file_signatures
_SIGNATURES = {
    b"\x89PNG": "png",
    b"\xff\xd8": "jpeg",
    b"GIF8": "gif",
    b"RIFF": "webp",  # WebP is the only image format in a RIFF container
}


@dataclass(frozen=True, slots=True)
class Image:
    """An image file; `kind` is `png`, `jpeg`, `gif` or `webp`."""

    kind: str
    data: bytes

    @property
    def media_type(self) -> str:
        """The MIME type, such as `image/png`."""
        return f"image/{self.kind}"

    @property
    def base64(self) -> str:
        """The bytes in base64."""
        return base64.b64encode(self.data).decode()

    @property
    def url(self) -> str:
        """A data URL, which holds the image itself: https://www.rfc-editor.org/rfc/rfc2397"""
        return f"data:{self.media_type};base64,{self.base64}"


def image_url(item: ContentItem) -> str | None:
    """The URL of an image on the web; None for one whose bytes are at hand."""
    if item.type != Type.IMAGE_URL or (item.content or "").startswith("data:"):
        return None
    return item.content or ""


def read_image(item: ContentItem) -> Image:
    """The image of a path, of bytes or of a data URL.

    Raises InputError for one that cannot be read or is not of a known kind.
    """
    data = _read(item)
    kind = next((kind for start, kind in _SIGNATURES.items() if data.startswith(start)), None)
    if kind is None:
        raise InputError(f"{_name(item)}: not a PNG, JPEG, GIF or WebP image")
    return Image(kind, data)


def _read(item: ContentItem) -> bytes:
    if item.type == Type.IMAGE_URL:
        return _from_data_url(item)
    if item.type != Type.IMAGE_PATH:
        return item.binary or b""
    try:
        return Path(item.content or "").expanduser().read_bytes()
    except OSError as error:
        raise InputError(f"{item.content}: the image cannot be read: {error.strerror}") from error


def _from_data_url(item: ContentItem) -> bytes:
    head, _, text = (item.content or "").partition(",")
    try:
        return base64.b64decode(text, validate=True) if head.endswith(";base64") else b""
    except binascii.Error as error:
        raise InputError(f"{_name(item)}: not base64: {error}") from error


def _name(item: ContentItem) -> str:
    return (item.content or "an image")[:60]
