"""Loads what a row names before its request is encoded, under the settings of a run."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from oumi.backends.media.audio import make_audio
from oumi.backends.media.files import FILES, READ_TIMEOUT_S, too_large
from oumi.backends.media.images import make_image
from oumi.backends.media.item_bytes import KIND_NAMES, decode_data_url, media_name
from oumi.backends.media.pdf import make_pdf
from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.types.conversation import ContentItem, Message, Type
from oumi.errors import InputError, UnavailableError
from oumi.runner.request import Request

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
# What may stand before the base64 text of a data URL: a media type and its parameters.
_LONGEST_HEAD = 100


@dataclass(frozen=True, slots=True)
class MediaLoader:
    """Puts bytes in the place of the files that rows name. The same for a whole run.

    `check` raises UnsupportedError where media of a kind (`image`, `audio`, `pdf`) are not taken.
    `loads_urls` is set for engines on this machine. An API is given addresses of images on the web
    as they are, and loads them by itself; audio and PDFs it is given as bytes.
    """

    check: Callable[[str], None]
    folder: Path
    allowed_hosts: tuple[str, ...]
    max_bytes: int
    loads_urls: bool

    @classmethod
    def from_config(
        cls, config: InferenceConfig, check: Callable[[str], None], *, loads_urls: bool
    ) -> Self:
        """The loader that the settings describe."""
        hosts = tuple(config.allowed_media_hosts)
        return cls(check, config.media_folder, hosts, config.max_media_bytes, loads_urls)

    def is_needed(self, request: Request) -> bool:
        """Whether there is anything but text in it."""
        for message in request.conversation.messages:
            if not isinstance(message.content, str) and message.contains_media():  # few have any
                return True
        return False

    async def load(self, request: Request) -> Request:
        """The request with media that need nothing from outside any more.

        Raises InputError for what may not or cannot be loaded, UnavailableError for what may come
        later. Never blocks.
        """
        self._check_kinds(request)
        messages: list[Message] = []
        left_bytes = self.max_bytes
        for message in request.conversation.messages:
            if message.contains_media():
                message, left_bytes = await self._load_message(message, left_bytes)
            messages.append(message)
        conversation = request.conversation.model_copy(update={"messages": messages})
        return request._replace(conversation=conversation)

    def _check_kinds(self, request: Request) -> None:
        messages = request.conversation.messages
        kinds = {item.type.kind for message in messages for item in message.content_items}
        for kind in sorted(kinds - {"text"}):
            self.check(kind)

    async def _load_message(self, message: Message, left_bytes: int) -> tuple[Message, int]:
        """The message, and how many bytes the row may still have."""
        items = []
        for item in message.content_items:
            if not item.is_text():
                item, size = await self._load_item(item, left_bytes)
                left_bytes -= size
            items.append(item)
        return message.model_copy(update={"content": items}), left_bytes

    async def _load_item(self, item: ContentItem, left_bytes: int) -> tuple[ContentItem, int]:
        """The item, and its size in bytes: 0 for an address that an API loads."""
        if item.binary:
            size = _checked_size(item, len(item.binary), left_bytes)
            return item if item.type.form == "binary" else _with_bytes(item, item.binary)[0], size
        if item.type.form == "path":
            return _with_bytes(item, await self._read(item.content or "", left_bytes))
        return await self._load_url(item, left_bytes)

    async def _load_url(self, item: ContentItem, left_bytes: int) -> tuple[ContentItem, int]:
        url = (item.content or "").strip()
        found = _SCHEME.match(url)
        scheme = found[1].lower() if found else ""
        if scheme == "data":
            return item, _data_url_size(item, url, left_bytes)
        if scheme == "file":
            return _with_bytes(item, await self._read(_path_of(url), left_bytes))
        if not self.loads_urls and (item.is_image() or scheme == "s3"):  # which is of Bedrock
            return item, 0
        if scheme not in ("http", "https"):
            kind = item.type.kind
            raise InputError(
                f"{url[:300]!r} is no URL of {KIND_NAMES[kind]}; {kind}_path names a file"
            )
        from oumi.backends.media import web  # seldom needed

        return _with_bytes(item, await web.load(url, self.allowed_hosts, left_bytes))

    async def _read(self, path: str, left_bytes: int) -> bytes:
        reading = asyncio.wrap_future(FILES.start(path, self.folder, left_bytes))
        try:
            return await asyncio.wait_for(reading, READ_TIMEOUT_S)
        except TimeoutError as error:
            raise UnavailableError(
                f"{path[:300]}: not read within {READ_TIMEOUT_S:g} s; its file system hangs"
            ) from error


def _with_bytes(item: ContentItem, data: bytes) -> tuple[ContentItem, int]:
    """The item with bytes in the place of its path or URL; an error names what they are of."""
    kind = item.type.kind
    changes: dict[str, Any] = {}
    if kind == "image":
        make_image(data, media_name(item))
    elif kind == "audio":
        changes["format"] = make_audio(data, item).kind
    else:
        make_pdf(data, item)
        changes["filename"] = item.filename or _file_name(item)
    changes |= {"type": Type(f"{kind}_binary"), "content": None, "binary": data}
    return item.model_copy(update=changes), len(data)


def _file_name(item: ContentItem) -> str | None:
    """The name of a file that a path or a URL ends with."""
    try:
        path = urlsplit(item.content or "").path if item.type.form == "url" else item.content or ""
    except ValueError:
        return None
    return path.replace("\\", "/").rpartition("/")[2] or None


def _checked_size(item: ContentItem, size: int, left_bytes: int) -> int:
    if size > left_bytes:
        raise too_large(media_name(item)[:60], left_bytes)
    return size


def _data_url_size(item: ContentItem, url: str, left_bytes: int) -> int:
    """The size of the bytes in a data URL. One that is far too large is not decoded."""
    _checked_size(item, len(url) * 3 // 4 - _LONGEST_HEAD, left_bytes)
    return _checked_size(item, len(decode_data_url(url)), left_bytes)


def _path_of(url: str) -> str:
    """The path in a file URL: https://www.rfc-editor.org/rfc/rfc8089"""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise InputError(f"{url[:300]}: no URL of a file: {error}") from error
    if parts.netloc not in ("", "localhost"):
        raise InputError(f"{url[:300]}: a file of another machine")
    return unquote(parts.path)
