"""Loads what a row names before its request is encoded, under the settings of a run."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

from oumi.backends.media.files import FILES, READ_TIMEOUT_S, too_large
from oumi.backends.media.images import decode_data_url, has_images, make_image, media_name
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

    `check` raises UnsupportedError where no images are taken. `loads_urls` is set for engines on
    this machine. An API is given addresses of the web as they are, and loads them by itself.
    """

    check: Callable[[], None]
    folder: Path
    allowed_hosts: tuple[str, ...]
    max_bytes: int
    loads_urls: bool

    @classmethod
    def from_config(
        cls, config: InferenceConfig, check: Callable[[], None], *, loads_urls: bool
    ) -> Self:
        """The loader that the settings describe."""
        hosts = tuple(config.allowed_media_hosts)
        return cls(check, config.media_folder, hosts, config.max_media_bytes, loads_urls)

    def is_needed(self, request: Request) -> bool:
        """Whether there are images in it."""
        return has_images(request.conversation)

    async def load(self, request: Request) -> Request:
        """The request with images that need nothing from outside any more.

        Raises InputError for what may not or cannot be loaded, UnavailableError for what may come
        later. Never blocks.
        """
        self.check()
        messages: list[Message] = []
        left_bytes = self.max_bytes
        for message in request.conversation.messages:
            if message.contains_images():
                message, left_bytes = await self._load_message(message, left_bytes)
            messages.append(message)
        conversation = request.conversation.model_copy(update={"messages": messages})
        return request._replace(conversation=conversation)

    async def _load_message(self, message: Message, left_bytes: int) -> tuple[Message, int]:
        """The message, and how many bytes the row may still have."""
        items = []
        for item in message.content_items:
            if item.is_image():
                item, size = await self._load_item(item, left_bytes)
                left_bytes -= size
            items.append(item)
        return message.model_copy(update={"content": items}), left_bytes

    async def _load_item(self, item: ContentItem, left_bytes: int) -> tuple[ContentItem, int]:
        """The image, and its size in bytes: 0 for an address that an API loads."""
        if item.type == Type.IMAGE_BINARY:
            return item, _checked_size(item, len(item.binary or b""), left_bytes)
        if item.type == Type.IMAGE_PATH:
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
        if not self.loads_urls:
            return item, 0
        if scheme not in ("http", "https"):
            raise InputError(f"{url[:300]!r} is no URL of an image; an image_path names a file")
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
    make_image(data, media_name(item))  # an error that names the file
    return ContentItem(type=Type.IMAGE_BINARY, binary=data), len(data)


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
