"""Reads whole replies, as far as they may be large, and without the keys of their calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from oumi.backends.remote.http.call import Call, Reply
from oumi.backends.remote.http.headers import Headers
from oumi.backends.remote.http.key_mask import find_mask
from oumi.backends.remote.http.transport_errors import too_large

if TYPE_CHECKING:
    import wreq

ReplyT = TypeVar("ReplyT", bound=Reply)

_MAX_ERROR_BYTES = 1 << 20  # an error takes a few lines; what is longer is cut off


async def read_reply(response: wreq.Response, call: Call, kind: type[ReplyT]) -> ReplyT:
    """The whole reply, unless it is too large. Raises RequestError."""
    status, size = response.status.as_int(), response.content_length
    # None for one that is compressed or comes in chunks: its size is known once it is read.
    if size is not None and size <= call.max_reply_bytes:
        body = bytes(await response.bytes())
    else:
        body = await _read_pieces(response, call)
    return kind(status, Headers(response.headers), find_mask(call.headers, call.url).mask(body))


async def _read_pieces(response: wreq.Response, call: Call) -> bytes:
    status = response.status.as_int()
    limit = most_bytes(call, status)
    parts, size = [], 0
    async for piece in response.stream():
        if isinstance(piece, memoryview):  # else trailers
            parts.append(bytes(piece))
            size += len(piece)
        if size > limit:
            await response.close()
            if status == 200:
                raise too_large(call)
            break
    return b"".join(parts)[:limit]


def most_bytes(call: Call, status: int) -> int:
    """How much of a reply is read."""
    return call.max_reply_bytes if status == 200 else min(call.max_reply_bytes, _MAX_ERROR_BYTES)
