"""What a streamed reply is, and how it ends: the same for all dialects.

A stream is whole once it says how the answer ended, or that it is done. A server that was asked
for a stream may send something else: its answer in one piece, or a page of HTML.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from oumi.backends.remote.dialects.reply import shorten
from oumi.backends.remote.errors import BadReplyError, UnreadableAnswerError, to_text
from oumi.core.types.completion import Completion, Delta
from oumi.errors import OumiError, UnavailableError

_BOM = b"\xef\xbb\xbf"
_WHOLE = (b"{", b"[", b"<")
"""How JSON and HTML begin, and no stream."""
_HEAD = 200


class Events(Protocol):
    """Takes a stream apart."""

    @property
    def is_done(self) -> bool:
        """Whether the stream says that it has ended."""
        ...

    def feed(self, chunk: bytes) -> Iterable[Any]:
        """The events that end within `chunk`."""
        ...

    def end(self) -> Iterable[Any]:
        """Those that the end of the stream completes."""
        ...


class Assembler(Protocol):
    """Puts an answer together from events."""

    @property
    def is_complete(self) -> bool:
        """Whether it is known how the answer ended."""
        ...

    @property
    def has_answer(self) -> bool:
        """Whether there is any text, reasoning or call so far."""
        ...

    @property
    def text(self) -> str:
        """The text so far."""
        ...

    def add(self, event: Any) -> Delta | None:
        """Add an event; the text and reasoning in it, None if it has neither."""
        ...

    def completion(self) -> Completion:
        """The whole answer."""
        ...


class ReplyStream:
    """Decodes one streamed reply, fed with bytes that may be cut anywhere.

    `decode` reads a reply that was not streamed.
    """

    def __init__(
        self, events: Events, assembler: Assembler, decode: Callable[[bytes], Completion]
    ) -> None:
        self._events = events
        self._assembler = assembler
        self._decode = decode
        self._start: bytes | None = b""  # until it is known what comes
        self._body: list[bytes] | None = None  # of a reply that is not streamed
        self._head = b""
        self._has_events = False
        self._error: OumiError | None = None  # of an event that comes after deltas

    def feed(self, chunk: bytes) -> list[Delta]:
        """The deltas that end within `chunk`.

        Raises BadReplyError for what is no answer, UnreadableAnswerError for a strange event, once
        the deltas before it are handed out.
        """
        self._raise_error()
        if self._start is not None:
            chunk = self._begin(self._start + chunk)
        if self._body is not None:
            self._body.append(chunk)
            return []
        if len(self._head) < _HEAD:
            self._head += chunk[:_HEAD]
        return self._read(self._events.feed(chunk))

    def last(self) -> Delta:
        """The delta that carries the whole answer, and the text that was left.

        Raises BadReplyError for a stream that was cut off, as feed does.
        """
        self._raise_error()
        if self._body is not None:
            completion = self._decode(b"".join(self._body))
            message = completion.message
            text = message.content if isinstance(message.content, str) else ""
            return Delta(text, message.reasoning_content or "", completion)
        deltas = self._read(self._events.feed(self._start or b""))
        deltas += self._read(self._events.end())
        self._raise_error()
        text = "".join(delta.content for delta in deltas)
        thought = "".join(delta.reasoning_content for delta in deltas)
        calls = tuple(part for delta in deltas for part in delta.tool_calls)
        return Delta(text, thought, self._complete(), calls)

    def _begin(self, start: bytes) -> bytes:
        """Find out what the reply is; what of it can be read by now."""
        text = start.removeprefix(_BOM)
        seen = text.lstrip()
        if not seen or _BOM.startswith(start):
            self._start = start
            return b""
        self._start = None
        if seen.startswith(_WHOLE):
            self._body = []
        return text

    def _read(self, events: Iterable[Any]) -> list[Delta]:
        deltas: list[Delta] = []
        try:
            for event in events:
                self._has_events = True
                delta = self._add(event)
                if delta is not None:
                    deltas.append(delta)
        except OumiError as error:
            if isinstance(error, UnavailableError):
                error.reply = self._assembler.text or error.reply
            if not deltas:
                raise
            self._error = error
        return deltas

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    def _add(self, event: Any) -> Delta | None:
        try:
            return self._assembler.add(event)
        except OumiError:
            raise
        except Exception as error:
            raise self._unreadable(error, to_text(event)) from error

    def _complete(self) -> Completion:
        is_done = self._events.is_done
        if not (self._assembler.is_complete or (is_done and self._assembler.has_answer)):
            if self._has_events or is_done or not self._head:
                raise BadReplyError("the stream was cut off", self._assembler.text.encode())
            raise BadReplyError(f"a reply that is no stream: {shorten(self._head)}", self._head)
        try:
            return self._assembler.completion()
        except OumiError:
            raise
        except Exception as error:
            raise self._unreadable(error, b"") from error

    def _unreadable(self, error: Exception, event: bytes) -> UnreadableAnswerError:
        kept = self._assembler.text.encode() + event
        return UnreadableAnswerError(f"an answer in a strange form: {error}", kept)


def is_stream(body: bytes) -> bool:
    """Whether a body is a stream of events, which some servers send unasked."""
    return body.startswith((b"data:", b"event:", b": "))


def decode_stream(stream: ReplyStream, body: bytes) -> Completion:
    """The completion in a whole stream."""
    stream.feed(body)
    completion = stream.last().completion
    assert completion is not None  # noqa: S101  for the type checker
    return completion
