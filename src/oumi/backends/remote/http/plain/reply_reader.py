"""Reads one reply after the other from the bytes of a connection."""

from __future__ import annotations

import zlib

import httptools

from oumi.backends.remote.http.call import Call, Head, Reply
from oumi.backends.remote.http.reading import most_bytes
from oumi.backends.remote.http.transport_errors import cut_off, lost, too_large, unanswered
from oumi.errors import OumiError

ACCEPTED_ENCODINGS = "gzip, deflate"

_MAX_HEAD_BYTES = 1 << 18  # no server or proxy lets a head be longer
_ANY_HEADER = 32 + zlib.MAX_WBITS  # that of gzip or of zlib, which zlib tells apart


class ReplyReader:
    """Told of each call that is written, and fed with what comes, until there is its reply. The
    methods `on_…` are for the parser.
    """

    # One for all calls of a connection: the parser holds eight of its methods, so that one for each
    # call would leave ten objects to the garbage collector, a tenth of the time of a run.

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._parts: list[bytes] = []  # of a body, that nobody took yet
        self.is_last = False
        """Whether the connection is of no use after this reply."""

    def begin(self, call: Call) -> None:
        """Read the reply to this call from now on."""
        self.call = call
        self._headers: dict[str, str] = {}
        self._status = 0  # until the head is read
        self._head_bytes = 0  # of what came while it was not
        self._decoder: zlib._Decompress | None = None  # of a compressed body
        self._is_open = False  # whether more of that has to come
        self._size = self._taken_size = 0  # of the body so far
        self._is_whole = False

    def feed(self, data: bytes) -> Reply | None:
        """The reply, once it is whole. Raises TransportError for what is none, and RequestError
        for one that is too large.
        """
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self._is_whole:  # what follows a whole reply takes nothing from it
                reason = error.__context__
                raise reason if isinstance(reason, OumiError) else cut_off(self.call) from None
            self.is_last = True
        if self._is_whole:
            return self._reply()
        if not self._status:
            self._head_bytes += len(data)
            if self._head_bytes > _MAX_HEAD_BYTES:
                raise cut_off(self.call)
        return None

    def end(self, error: Exception | None) -> Reply:
        """The reply that ends where the connection does. Raises TransportError for any other."""
        if not (self._status or self._head_bytes):
            raise unanswered(self.call) if error is None else lost(self.call)
        has_end = self._headers.keys() & {"content-length", "transfer-encoding"}
        if error is not None or has_end or not self._status:
            raise cut_off(self.call)
        return self._reply()

    @property
    def head(self) -> Head | None:
        """That of a reply with status 200, once it is read; any other is read whole."""
        return Head(200, self._headers, b"") if self._status == 200 else None

    @property
    def held_bytes(self) -> int:
        """Of the body, as far as nobody took it yet."""
        return self._size - self._taken_size

    def take(self) -> bytes:
        """What came of the body since the last time. It is not in the whole reply then."""
        parts, self._parts, self._taken_size = self._parts, [], self._size
        return b"".join(parts)  # which copies nothing where it is one

    def on_message_begin(self) -> None:
        """A head begins, which is not always the first."""
        if self._is_whole:
            raise cut_off(self.call)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; the first of several counts."""
        self._headers.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))

    def on_headers_complete(self) -> None:
        """A head is read. One below 200 (RFC 9110, 15.2) comes before another one."""
        status = self._parser.get_status_code()
        if status < 200:
            self._headers.clear()
            return
        self._status = status
        self._most_bytes = most_bytes(self.call, status)
        if "content-encoding" in self._headers:
            self._decoder = _find_decoder(self._headers["content-encoding"])

    def on_body(self, piece: bytes) -> None:
        """A piece of the body."""
        if self._decoder is not None:
            piece = self._decoder.decompress(piece, self._most_bytes - self._size + 1)
            self._is_open = not self._decoder.eof
        self._size += len(piece)
        if self._size > self._most_bytes:
            piece = self._cut(piece)
        self._parts.append(piece)

    def on_message_complete(self) -> None:
        """The body is whole."""
        if self._status:
            self._is_whole = True
            if not self._parser.should_keep_alive():
                self.is_last = True

    def _cut(self, piece: bytes) -> bytes:
        """As much of a piece as an error may still hold. Any other reply may not be too large."""
        if self._status == 200:
            raise too_large(self.call)
        self._is_whole = self.is_last = True
        excess, self._size = self._size - self._most_bytes, self._most_bytes
        return piece[:-excess]

    def _reply(self) -> Reply:
        if self._is_open and self._size < self._most_bytes:
            raise cut_off(self.call)
        return Reply(self._status, self._headers, self.take())


def _find_decoder(encoding: str) -> zlib._Decompress | None:
    is_known = encoding.lower() in ("gzip", "x-gzip", "deflate")
    return zlib.decompressobj(_ANY_HEADER) if is_known else None
