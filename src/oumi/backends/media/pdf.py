"""PDF documents in messages, and how they stand in a request."""

from __future__ import annotations

from dataclasses import dataclass

from oumi.backends.media.item_bytes import item_bytes, media_name, to_base64
from oumi.core.types.content_item import ContentItem
from oumi.errors import InputError

MEDIA_TYPE = "application/pdf"
_NAME = "document.pdf"
# Readers look for the header in so many bytes: ISO 32000, implementation note 13 of version 1.7
_HEADER_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Pdf:
    """A PDF document with its name, `document.pdf` where it has none."""

    name: str
    data: bytes

    @property
    def base64(self) -> str:
        """The bytes in base64."""
        return to_base64(self.data)

    @property
    def url(self) -> str:
        """A data URL, which holds the document itself."""
        return f"data:{MEDIA_TYPE};base64,{self.base64}"


def read_pdf(item: ContentItem) -> Pdf:
    """The document of bytes or of a data URL. Raises InputError for what is no PDF."""
    return make_pdf(item_bytes(item), item)


def make_pdf(data: bytes, item: ContentItem) -> Pdf:
    """The document in the bytes of an item. Raises InputError for what is no PDF."""
    if b"%PDF-" not in data[:_HEADER_BYTES]:
        raise InputError(f"{media_name(item)[:60]}: not a PDF document")
    return Pdf(item.filename or _NAME, data)
