"""Images in messages: what kind of file they are, and how they stand in a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from oumi.backends.media.item_bytes import is_data_url, item_bytes, media_name, to_base64
from oumi.core.types.content_item import ContentItem, Type
from oumi.errors import InputError

if TYPE_CHECKING:
    from oumi.core.types.conversation import Conversation

# The first bytes of a file: https://mimesniff.spec.whatwg.org/#matching-an-image-type-pattern
_SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "png",
    b"\xff\xd8\xff": "jpeg",
    b"GIF87a": "gif",
    b"GIF89a": "gif",
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
        return to_base64(self.data)

    @property
    def url(self) -> str:
        """A data URL, which holds the image itself: https://www.rfc-editor.org/rfc/rfc2397"""
        return f"data:{self.media_type};base64,{self.base64}"


def has_images(conversation: Conversation) -> bool:
    """Whether any message holds an image."""
    return any(message.contains_images() for message in conversation.messages)


def image_url(item: ContentItem) -> str | None:
    """The URL of an image on the web; None for one whose bytes are at hand."""
    if item.type != Type.IMAGE_URL or item.binary or is_data_url(item.content or ""):
        return None
    return item.content or ""


def read_image(item: ContentItem) -> Image:
    """The image of bytes or of a data URL. Raises InputError for one of no known kind."""
    return make_image(item_bytes(item), media_name(item))


def make_image(data: bytes, name: str) -> Image:
    """The image in a file's bytes. Raises InputError for one that is not of a known kind."""
    kind = next((kind for start, kind in _SIGNATURES.items() if data.startswith(start)), None)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        kind = "webp"
    if kind is None:
        raise InputError(f"{name}: not a PNG, JPEG, GIF or WebP image")
    return Image(kind, data)
