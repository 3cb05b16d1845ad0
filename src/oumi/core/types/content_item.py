"""The items of a message's content: texts, images, audio and PDF documents."""

from __future__ import annotations

import base64
import binascii
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    field_serializer,
    field_validator,
    model_validator,
)

from oumi.core.printable import printable_line
from oumi.core.types.content_parts import to_item_fields

_SHOWN_CHARACTERS = 200


class Type(StrEnum):
    """The kind of a content item, and how it is given."""

    TEXT = "text"
    IMAGE_PATH = "image_path"
    IMAGE_URL = "image_url"
    IMAGE_BINARY = "image_binary"
    AUDIO_PATH = "audio_path"
    AUDIO_URL = "audio_url"
    AUDIO_BINARY = "audio_binary"
    PDF_PATH = "pdf_path"
    PDF_URL = "pdf_url"
    PDF_BINARY = "pdf_binary"

    @property
    def kind(self) -> str:
        """`text`, `image`, `audio` or `pdf`."""
        return self.value.partition("_")[0]

    @property
    def form(self) -> str:
        """`path`, `url` or `binary`; empty for a text."""
        return self.value.partition("_")[2]


class ContentItemCounts(NamedTuple):
    """Number of content items in a message, by kind. Audio and PDFs count in the total only."""

    total_items: int
    text_items: int
    image_items: int


class ContentItem(BaseModel):
    """One item of a message's content: a text, or an image, audio or a PDF by path, URL or bytes.

    `content` is the text, path or URL; `binary` the bytes (base64 in JSON), which an item with a
    path or URL may have besides, and which are then sent without looking there. Parts in the
    format of the OpenAI API (`{"type": "image_url", "image_url": {"url": …}}`, `input_audio`,
    `file`) and of Anthropic's (`image`, `document`) are accepted as well. Unknown fields are kept
    and written out again, but not sent to a model.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    if TYPE_CHECKING:
        # A type may be named by text.
        def __init__(
            self,
            *,
            type: Type | str,  # noqa: A002
            content: str | None = None,
            binary: bytes | str | None = None,
            **fields: Any,
        ) -> None: ...

    type: Type
    content: str | None = None
    binary: bytes | None = None
    detail: str | None = None
    """How closely an image is looked at: `low`, `high` or `auto`. Sent where an API has it.
    https://platform.openai.com/docs/guides/images-vision"""
    format: str | None = None
    """The format of audio, such as `wav`. None: found out from its first bytes."""
    filename: str | None = None
    """The name of a PDF, which some APIs show to the model."""
    cache_control: dict[str, Any] | None = None
    """`{"type": "ephemeral"}`: the prompt may be cached up to this item, by APIs that leave it to
    the caller."""

    @model_validator(mode="before")
    @classmethod
    def _from_part(cls, value: Any) -> Any:
        return to_item_fields(value) if isinstance(value, dict) else value

    @field_validator("binary", mode="before")
    @classmethod
    def _decode_binary(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        unpadded = value.rstrip("=\r\n")
        try:
            return base64.b64decode(unpadded + "=" * (-len(unpadded) % 4), validate=True)
        except binascii.Error as error:
            raise ValueError(f"not base64: {error}") from error

    @field_serializer("binary")
    def _encode_binary(self, value: bytes | None) -> str | None:
        return None if value is None else base64.b64encode(value).decode()

    @model_validator(mode="after")
    def _check_payload(self) -> Self:
        if self.type == Type.TEXT:
            if self.content is None:
                raise ValueError("an item of type text needs `content`")
            if self.binary:
                raise ValueError("an item of type text has no `binary`")
        elif self.type.form == "binary":
            if not self.binary:
                raise ValueError(f"an {self.type} item needs bytes in `binary`")
        elif self.content is None:
            raise ValueError(f"an item of type {self.type} needs `content`: its {self.type.form}")
        return self

    def is_image(self) -> bool:
        """Whether this is an image, given by path, URL or bytes."""
        return self.type.kind == "image"

    def is_text(self) -> bool:
        """Whether this is text."""
        return self.type == Type.TEXT

    def __repr__(self) -> str:
        return shorten(self.content or "") if self.is_text() else f"<{self.type.upper()}>"


def shorten(text: str) -> str:
    """The beginning of a text, in one line that is safe on a terminal."""
    end = "…" if len(text) > _SHOWN_CHARACTERS else ""
    return printable_line(text[:_SHOWN_CHARACTERS]) + end
