"""Masks the keys of a call in what the server sends back.

A server that repeats a header, in an error or in an answer, must not bring a key into a journal, a
log or onto a terminal. The keys are read from the call itself, so that tokens which are renewed
while a run lasts are known as well.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from oumi.core.secret_names import may_hold_key, parameter_may_hold_key

MASK = "***"

_SHORTEST_WORD = 8
_SHORTEST_WITH_DIGIT = 6
"""No API has shorter keys, and whoever runs a server without keys often sets a short word, which
answers may hold as well; a word with a digit in it they hardly do.
"""
_PLACEHOLDERS = frozenset({"lm-studio", "not-needed", "sk-no-key-required", "token-abc123"})
"""What the documentation of servers without keys names as a key. Answers may hold these words."""
_CALLS_KEPT = 128
"""Calls of a run share their headers, so that one mask serves them all."""
_PROBE_BYTES = 16
"""To look for the beginning of a key alone takes a third of the time."""
_CODE_OF_ASCII = b"\\u00"


class KeyMask:
    """Writes `***` in place of each key, as it is and as JSON, URLs, HTML and base64 spell it."""

    def __init__(self, keys: frozenset[str]):
        self._keys = keys
        self._forms = {form: _mask_of(key) for key in keys for form in _forms(key)}
        encoded = [(form.encode(), mask.encode()) for form, mask in self._forms.items()]
        self._bytes = [(form[:_PROBE_BYTES], form, mask) for form, mask in encoded]

    def mask(self, body: bytes) -> bytes:
        """The body without keys. It is not copied where it holds none."""
        for probe, form, mask in self._bytes:
            if probe in body:
                body = body.replace(form, mask)
        # Any character of a JSON text may be written as its code.
        if self._keys and _CODE_OF_ASCII in body and self._codes.search(body):
            body = self._escaped.sub(MASK.encode(), body)
        return body

    def finds(self, text: str) -> bool:
        """Whether there is a key in a text."""
        return any(form in text for form in self._forms)

    def mask_text(self, text: str) -> str:
        """The text without keys."""
        for form, mask in self._forms.items():
            if form in text:
                text = text.replace(form, mask)
        return text

    def held_back(self, text: str) -> int:
        """How many characters at the end of a text may be the beginning of a key."""
        return max((_overlap(text, form) for form in self._forms), default=0)

    def __bool__(self) -> bool:
        return bool(self._keys)

    @cached_property
    def _codes(self) -> re.Pattern[bytes]:
        """Matches the codes of characters that are in keys: `\\u003c` of HTML seldom is."""
        codes = {f"{ord(character):02x}" for character in "".join(self._keys)}
        return re.compile(rf"\\u00(?:{'|'.join(sorted(codes))})".encode(), re.I)

    @cached_property
    def _escaped(self) -> re.Pattern[bytes]:
        """Matches the keys with any of their characters written as `\\u002d` or `\\/`."""
        keys = ("".join(map(_escaped_character, key)) for key in self._keys)
        return re.compile("|".join(keys).encode())


def find_mask(headers: Mapping[str, str], url: str) -> KeyMask:
    """The mask for what a call sends. To ask again for the next call costs a look-up."""
    return _make_mask(tuple(headers.items()), url)


@lru_cache(maxsize=_CALLS_KEPT)
def _make_mask(headers: tuple[tuple[str, str], ...], url: str) -> KeyMask:
    found = {*_keys_in_headers(headers), *_keys_in_url(url)}
    return KeyMask(frozenset(filter(_is_secret, found - _PLACEHOLDERS)))


def _is_secret(key: str) -> bool:
    if len(key) >= _SHORTEST_WORD:
        return True
    has_digit = any(map(str.isdigit, key)) and not key.isdigit()
    return has_digit and len(key) >= _SHORTEST_WITH_DIGIT


def _keys_in_headers(headers: tuple[tuple[str, str], ...]) -> Iterator[str]:
    for name, value in headers:
        if may_hold_key(name):
            scheme, _, credentials = value.rpartition(" ")
            yield credentials
            if scheme.lower() == "basic":
                yield _password(credentials)


def _keys_in_url(url: str) -> Iterator[str]:
    parts = urlsplit(url)
    if user := parts.netloc.rpartition("@")[0]:
        yield unquote(user.partition(":")[2] or user)
    for name, value in parse_qsl(parts.query):
        if parameter_may_hold_key(name):
            yield value


def _password(credentials: str) -> str:
    try:
        user, _, password = base64.b64decode(credentials).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return password or user


def _mask_of(key: str) -> str:
    """A key of digits alone may stand where JSON has a number, so its mask is a number too."""
    return "9" * len(key) if key.isdigit() else MASK


def _forms(key: str) -> Iterator[str]:
    yield key
    yield json.dumps(key)[1:-1]
    yield key.replace("/", "\\/")
    yield quote(key, safe="")
    yield html.escape(key)
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for offset in range(3):
            yield _base64_core(key, offset, encode(b"\0" * offset + key.encode()).decode())


def _base64_core(key: str, offset: int, encoded: str) -> str:
    """The part of a text in base64 that a key decides alone, if it begins `offset` bytes after a
    group of three.
    """
    before_bits, all_bits = offset * 8, (offset + len(key.encode())) * 8
    return encoded[-(-before_bits // 6) : all_bits // 6]


def _escaped_character(character: str) -> str:
    code = f"{ord(character):04x}"
    written = "".join(f"[{digit}{digit.upper()}]" for digit in code)
    plain = r"\\?/" if character == "/" else re.escape(character)
    return rf"(?:{plain}|\\u{written})"


def _overlap(text: str, form: str) -> int:
    """The longest end of a text that is a beginning of a form, and not all of it."""
    start = text.find(form[0], max(len(text) - len(form) + 1, 0))
    while start >= 0:
        if form.startswith(text[start:]):
            return len(text) - start
        start = text.find(form[0], start + 1)
    return 0
