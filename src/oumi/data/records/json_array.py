"""A JSON file that is one array of objects, read one object after the other."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from oumi.data.records.compression import Content, unpacking
from oumi.data.records.record import Record, Records, to_record
from oumi.errors import InputError

_CHUNK = 1 << 18
_LONGEST = 1 << 28
"""Characters of one object, after which an error is no longer taken for one that is cut off."""
_SPACE = re.compile(r"[ \t\r\n]*")


class JsonArray(Records):
    """The objects of an array, of any number: no more than one of them is in memory."""

    def __init__(self, content: Content):
        self.name = content.name
        self._content = content

    def __iter__(self) -> Iterator[Record]:
        with unpacking(self.name):
            for value in _Elements(self._texts(), self.name):
                yield to_record(None, value)

    def digest(self) -> str:
        """The hash of the content."""
        return self._content.digest()

    def _texts(self) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder("utf-8-sig")()
        file = self._content.open()
        try:
            while block := file.read(_CHUNK):
                yield decoder.decode(block)
            yield decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            raise InputError(f"{self.name}: not UTF-8 ({error.reason})") from None


class _Elements:
    """The elements of the array in a text that comes in parts."""

    def __init__(self, texts: Iterator[str], name: str):
        self._texts = texts
        self._name = name
        self._text = ""
        self._at = 0
        self._line = 1  # of where the buffered text begins
        self._decode = json.JSONDecoder(parse_constant=_refuse).raw_decode

    def __iter__(self) -> Iterator[Any]:
        if self._next_sign() != "[":
            self._fail("expected an array of objects, which begins with [")
        self._at += 1
        sign = self._next_sign()
        while sign != "]":
            yield self._element()
            sign = self._next_sign()
            if sign == ",":
                self._at += 1
                if self._next_sign() == "]":
                    self._fail("no object after the last ,")
            elif sign != "]":
                self._fail("expected , or ] after an object" if sign else "it is cut off")
        self._at += 1
        if self._next_sign():
            self._fail("something follows after the end of the array")

    def _element(self) -> Any:
        needed = 0
        while True:
            try:
                value, end = self._decode(self._text, self._at)
                # A number at the end of what is there may go on.
                if end < len(self._text) or not self._more():
                    self._at = end
                    return value
            except RecursionError:
                self._fail("nested too deeply")
            except ValueError as error:
                needed = max(2 * needed, _CHUNK)  # so that a large object is not tried too often
                if len(self._text) - self._at > _LONGEST or not self._more(needed):
                    self._fail(getattr(error, "msg", str(error)))

    def _next_sign(self) -> str:
        """The next character that is no space; empty at the end."""
        while True:
            self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _more(self, least: int = 1) -> bool:
        """Read on, and forget what is behind. False at the end of the text."""
        self._line += self._text.count("\n", 0, self._at)
        parts, size = [self._text[self._at :]], 0
        while size < least and (part := next(self._texts, "")):
            parts.append(part)
            size += len(part)
        self._text, self._at = "".join(parts), 0
        return size > 0

    def _fail(self, reason: str) -> NoReturn:
        line = self._line + self._text.count("\n", 0, self._at)
        raise InputError(f"{self._name}:{line}: not a JSON array: {reason}")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
