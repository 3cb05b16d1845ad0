"""What a call hands in: bytes, or a file that is read as it goes out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_READ_AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True)
class Form:
    """A file to be sent as a form, read as it goes out, with fields before it."""

    fields: Mapping[str, str]
    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is, read as it goes out."""

    path: Path

    @property
    def size(self) -> int:
        """How many bytes go out."""
        return self.path.stat().st_size

    async def read(self) -> AsyncGenerator[bytes]:
        """The bytes."""
        with self.path.open("rb") as file:
            while part := await asyncio.to_thread(file.read, _READ_AT_ONCE):
                yield part


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a file as a list within JSON, read as it goes out. Each line is one value."""

    head: bytes
    path: Path
    tail: bytes

    @property
    def size(self) -> int:
        """How many bytes go out: the end of the last line does not."""
        return len(self.head) + self.path.stat().st_size - 1 + len(self.tail)

    async def read(self) -> AsyncGenerator[bytes]:
        """The bytes. JSON has no ends of lines in its texts, so each one ends a value."""
        yield self.head
        left = self.path.stat().st_size - 1
        with self.path.open("rb") as file:
            while left:
                part = await asyncio.to_thread(file.read, min(left, _READ_AT_ONCE))
                left -= len(part)
                yield part.replace(b"\n", b",")
        yield self.tail


Body = bytes | Form | File | Lines


def headers_of(body: Body) -> dict[str, str]:
    """Headers that the HTTP library cannot know of by itself."""
    return {"content-length": str(body.size)} if isinstance(body, File | Lines) else {}


def body_argument(body: Body) -> dict[str, Any]:
    """The body as an argument of the HTTP library."""
    if isinstance(body, bytes):
        return {"body": body} if body else {}
    if isinstance(body, File | Lines):
        return {"body": body.read()}
    import wreq

    fields = [wreq.Part(name, value) for name, value in body.fields.items()]
    file = wreq.Part("file", body.path, filename=body.name, mime="application/jsonl")
    return {"multipart": wreq.Multipart(*fields, file)}
