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
        self._headers: dict[str, str] = {}

    def begin(self, call: Call) -> None:
        """Read the reply to this call from now on."""
        self.call = call
        self._bytes_read = 0
        self._headers = {}
        self._status = 0  # until the head is read
        self._decoder: zlib._Decompress | None = None
        self._has_body = False
        self._parts: list[bytes] = []  # of it, that nobody took yet
        self._bytes_left = 0
        self._is_whole = False
        self.held_bytes = 0
        """Of the body, as far as nobody took it yet."""
        self.is_last = False
        """Whether the connection is of no use after this reply."""

    def feed(self, data: bytes) -> Reply | None:
        """The reply, once it is whole. Raises TransportError for what is none, and RequestError
        for one that is too large.
        """
        self._bytes_read += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self._is_whole:  # what follows a whole reply takes nothing from it
                reason = error.__context__
                raise reason if isinstance(reason, OumiError) else cut_off(self.call) from None
            self.is_last = True
        if not self._status and self._bytes_read > _MAX_HEAD_BYTES:
            raise cut_off(self.call)
        return self._reply() if self._is_whole else None

    def end(self, error: Exception | None) -> Reply:
        """The reply that ends where the connection does. Raises TransportError for any other."""
        if not self._bytes_read:
            raise unanswered(self.call) if error is None else lost(self.call)
        has_end = self._headers.keys() & {"content-length", "transfer-encoding"}
        if error is not None or has_end or not self._status:
            raise cut_off(self.call)
        return self._reply()

    @property
    def head(self) -> Head | None:
        """That of a reply with status 200, once it is read; any other is read whole."""
        return Head(200, self._headers, b"") if self._status == 200 else None

    def take(self) -> bytes:
        """What came of the body since the last time. It is not in the whole reply then."""
        parts, self._parts, self.held_bytes = self._parts, [], 0
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def on_message_begin(self) -> None:
        """A head begins, which is not always the first."""
        if self._is_whole:
            raise cut_off(self.call)
        self._headers.clear()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; the first of several counts."""
        self._headers.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))

    def on_headers_complete(self) -> None:
        """A head is read. One below 200 (RFC 9110, 15.2) comes before another one."""
        status = self._parser.get_status_code()
        if status < 200:
            return
        self._status = status
        self._bytes_left = most_bytes(self.call, status)
        if self._headers.get("content-encoding", "").lower() in ("gzip", "x-gzip", "deflate"):
            self._decoder = zlib.decompressobj(_ANY_HEADER)

    def on_body(self, piece: bytes) -> None:
        """A piece of the body."""
        self._has_body = True
        if self._decoder is not None:
            piece = self._decoder.decompress(piece, self._bytes_left + 1)
        if len(piece) > self._bytes_left:
            if self._status == 200:
                raise too_large(self.call)
            self._is_whole = self.is_last = True  # an error is cut off there
            piece = piece[: self._bytes_left]
        self._parts.append(piece)
        self._bytes_left -= len(piece)
        self.held_bytes += len(piece)

    def on_message_complete(self) -> None:
        """The body is whole."""
        if self._status:
            self._is_whole = True
            self.is_last = self.is_last or not self._parser.should_keep_alive()

    def _reply(self) -> Reply:
        is_open = self._decoder is not None and not self._decoder.eof
        if is_open and self._has_body and self._bytes_left:
            raise cut_off(self.call)
        return Reply(self._status, self._headers, self.take())
