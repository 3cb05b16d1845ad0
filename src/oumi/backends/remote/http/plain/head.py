"""Where a call goes, and the head of its request: the same for most calls of a run."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple, TypeVar
from urllib.parse import quote, urlsplit

from oumi.backends.remote.http.call import Reply
from oumi.backends.remote.http.key_mask import KeyMask, find_mask
from oumi.backends.remote.http.plain.reply_reader import ACCEPTED_ENCODINGS
from oumi.errors import ConfigError

ReplyT = TypeVar("ReplyT", bound=Reply)

_HEADS_KEPT = 128  # more than a run has replicas
_UNQUOTED = "%/:?#[]@!$&'()*+,;=~"  # RFC 3986: reserved characters, and what is quoted already
_OWN_HEADERS = {"accept": "*/*", "accept-encoding": ACCEPTED_ENCODINGS, "user-agent": "oumi"}


class RequestHead(NamedTuple):
    """All of a request but the size of its body and the body."""

    server: tuple[str, int]
    """Its host and port."""
    lines: bytes
    mask: KeyMask | None
    """Masks the keys in what comes back, where any are sent."""

    def with_size(self, size: int) -> bytes:
        """The head for a body of so many bytes."""
        return b"%bcontent-length: %d\r\n\r\n" % (self.lines, size)

    def masked(self, reply: ReplyT) -> ReplyT:
        """A reply without the keys that were sent."""
        if self.mask is None:
            return reply
        body = self.mask.mask(reply.body)
        return reply if body is reply.body else reply._replace(body=body)


@lru_cache(maxsize=_HEADS_KEPT)
def make_head(method: str, url: str, headers: tuple[tuple[str, str], ...]) -> RequestHead:
    """Raises ConfigError for what cannot be sent."""
    parts = urlsplit(url)
    if not parts.hostname:
        raise ConfigError(f"{parts.netloc}: its URL is none that can be asked")
    path = quote(parts.path or "/", safe=_UNQUOTED)
    query = f"?{quote(parts.query, safe=_UNQUOTED)}" if parts.query else ""
    given = {name.lower(): value for name, value in headers}
    all_headers = {"host": parts.netloc, **_OWN_HEADERS, **given}
    if any(map(_is_unfit, (*all_headers, *all_headers.values()))):
        raise ConfigError(
            f"{parts.netloc}: a header or the key holds characters that cannot be sent"
        )
    lines = [f"{method} {path}{query} HTTP/1.1", *map(": ".join, all_headers.items()), ""]
    text = "\r\n".join(lines).encode("latin-1")
    server = parts.hostname, parts.port or 80
    return RequestHead(server, text, find_mask(dict(headers), url) or None)


def _is_unfit(text: str) -> bool:
    """Whether a header would end before its end, or cannot be written at all (RFC 9110, 5.5)."""
    return any(
        (character < " " and character != "\t") or character == "\x7f" or character > "\xff"
        for character in text
    )
