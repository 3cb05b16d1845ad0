"""Audio in messages: which format it has, and how it stands in a request."""

from __future__ import annotations

import re
from dataclasses import dataclass

from oumi.backends.media.item_bytes import item_bytes, media_name, to_base64
from oumi.core.types.content_item import ContentItem
from oumi.errors import InputError

# The first bytes of a file: https://mimesniff.spec.whatwg.org/#matching-an-audio-or-video-type-pattern
# and, for frames without a container, ISO 11172-3 (MPEG audio) and ISO 13818-7 (AAC in ADTS).
_SIGNATURES = {
    "wav": re.compile(rb"RIFF....WAVE", re.DOTALL),
    "mp3": re.compile(rb"ID3|\xff[\xf2\xf3\xfa\xfb]"),
    "flac": re.compile(rb"fLaC"),
    "ogg": re.compile(rb"OggS"),
    "m4a": re.compile(rb"....ftyp", re.DOTALL),
    "webm": re.compile(rb"\x1a\x45\xdf\xa3"),
    "aac": re.compile(rb"\xff[\xf0\xf1\xf8\xf9]"),
}


@dataclass(frozen=True, slots=True)
class Audio:
    """An audio file; `kind` is its format, such as `wav`."""

    kind: str
    data: bytes

    @property
    def base64(self) -> str:
        """The bytes in base64."""
        return to_base64(self.data)


def read_audio(item: ContentItem) -> Audio:
    """The audio of bytes or of a data URL.

    Raises InputError where the format is neither given nor known by its first bytes.
    """
    return make_audio(item_bytes(item), item)


def make_audio(data: bytes, item: ContentItem) -> Audio:
    """The audio in the bytes of an item. Raises InputError for an unknown format."""
    if item.format:
        return Audio(item.format, data)
    for kind, signature in _SIGNATURES.items():
        if signature.match(data):
            return Audio(kind, data)
    raise InputError(
        f"{media_name(item)}: none of the audio formats {', '.join(_SIGNATURES)}; another one is "
        "given by `format`"
    )
