"""A client that does next to nothing, so that what it asks is what is measured."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

IN_FLIGHT = 32
Body = Callable[[int], dict[str, Any]]
"""The body of the request with a number."""


def ask_all(url: str, count: int, body: Body, key: str = "any") -> float:
    """Ask so many requests, 32 at once. Returns the seconds from the first to the last byte."""
    started_s = time.perf_counter()
    asyncio.run(_ask_all(url, count, body, key))
    return time.perf_counter() - started_s


def first_event_s(url: str, body: Body, key: str = "any") -> float:
    """The seconds until the first text of a stream has come, with nothing else in flight."""
    return asyncio.run(_first_event(url, body, key))


async def leave_streams(url: str, count: int, body: Body, key: str = "any") -> None:
    """Begin so many streams at once, and go away once something of each has come."""

    async def leave(number: int) -> None:
        reader, writer = await _connect(url)
        await _send(reader, writer, body(number), key)
        await reader.readuntil(b"data: ")
        writer.close()

    await asyncio.gather(*map(leave, range(count)))


async def _ask_all(url: str, count: int, body: Body, key: str) -> None:
    numbers = iter(range(count))

    async def ask() -> None:
        reader, writer = await _connect(url)
        for number in numbers:
            await _ask(reader, writer, body(number), key)
        writer.close()

    await asyncio.gather(*(ask() for _ in range(IN_FLIGHT)))


async def _ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: dict[str, Any], key: str
) -> None:
    """Read a reply whole: by its length, or up to the mark that ends a stream."""
    head = await _send(reader, writer, body, key)
    if body.get("stream"):
        await reader.readuntil(b"data: [DONE]\n\n\r\n0\r\n\r\n")
        return
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length))


async def _first_event(url: str, body: Body, key: str) -> float:
    reader, writer = await _connect(url)
    started_s = time.perf_counter()
    await _send(reader, writer, {**body(0), "stream": True}, key)
    text = b""
    while not text or b'"content":""' in text or b'"content":null' in text:  # the role alone
        text = await reader.readuntil(b"data: ") + await reader.readuntil(b"\n\n")
    took_s = time.perf_counter() - started_s
    writer.close()
    return took_s


async def _connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    place = urlsplit(url)
    return await asyncio.open_connection(place.hostname, place.port)


async def _send(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: dict[str, Any], key: str
) -> bytes:
    """Send a request, and return the head of its reply."""
    text = json.dumps(body).encode()
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n"
        f"authorization: Bearer {key}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(text)}\r\n\r\n"
    )
    writer.write(head.encode() + text)
    reply = await reader.readuntil(b"\r\n\r\n")
    if not reply.startswith(b"HTTP/1.1 200"):
        raise ValueError(reply.decode("latin-1"))
    return reply
