"""What goes over HTTP: a call, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from oumi.backends.remote.http.uploads import Body
from oumi.core.reply_size import MAX_REPLY_BYTES


class Call(NamedTuple):
    """A request, ready to be sent. Headers and URL may hold a key, so they are not shown."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: Body
    timeout_s: float
    max_reply_bytes: int = MAX_REPLY_BYTES
    """How much a reply may hold, once it is decompressed; an error is cut off there."""

    def __repr__(self) -> str:
        return f"Call({self.method}, {self.timeout_s:g} s)"


class Reply(NamedTuple):
    """What came back, whatever the status, without the keys of the call. Names of headers are in
    lower case.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class Head(Reply):
    """How a streamed reply begins. With status 200 the body follows in chunks, which are cut
    anywhere and not masked; with any other it is whole in `body`, and nothing follows.
    """
