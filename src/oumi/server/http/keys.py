"""Keys that clients of the server have to show, each with a name for logs and metrics."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping
from typing import Self

from oumi.errors import ConfigError
from oumi.server.http.errors import HttpError
from oumi.server.http.exchange import Exchange

VARIABLE = "OUMI_API_KEYS"
"""Keys in the environment, divided by commas or white space; `name:key` gives one a name."""

_NAMED = re.compile(r"(?:([A-Za-z0-9_.-]{1,64}):)?(\S+)")
_SHORTEST = 8


class ApiKeys:
    """The keys that are taken. Without any, everybody may ask."""

    def __init__(self, keys: Mapping[str, str]):
        self._keys = {name: key.encode() for name, key in keys.items()}

    @classmethod
    def parse(cls, words: Iterable[str]) -> Self:
        """From words such as `key` or `name:key`. Raises ConfigError, which shows no key."""
        keys: dict[str, str] = {}
        for number, word in enumerate(words, start=1):
            found = _NAMED.fullmatch(word)
            name = (found[1] if found else None) or f"key-{number}"
            if found is None or len(found[2]) < _SHORTEST or not found[2].isascii():
                raise ConfigError(
                    f"{VARIABLE}: key number {number}: expected at least {_SHORTEST} ASCII "
                    "characters, with a name before it as in name:key"
                )
            if name in keys:
                raise ConfigError(f"{VARIABLE}: two keys have the name {name!r}")
            keys[name] = found[2]
        return cls(keys)

    def __bool__(self) -> bool:
        return bool(self._keys)

    def __repr__(self) -> str:
        return f"ApiKeys({', '.join(self._keys)})"

    def check(self, exchange: Exchange) -> str:
        """The name of the key of a request. Raises HttpError for a wrong one and for none."""
        if not self._keys:
            return ""
        given = _shown_key(exchange).encode()
        # Each is compared, and in full, so that the time tells nothing of any of them.
        names = [name for name, key in self._keys.items() if hmac.compare_digest(given, key)]
        if names:
            return names[0]
        said = "wrong API key" if given else "no API key"
        hint = "send one of the server's keys as `Authorization: Bearer KEY`"
        raise HttpError(401, f"{said}: {hint}", code="invalid_api_key")


def _shown_key(exchange: Exchange) -> str:
    """The key as clients of OpenAI send it, or as those of Anthropic do."""
    scheme, _, key = (exchange.header(b"authorization") or "").partition(" ")
    if scheme.lower() == "bearer" and key:
        return key.strip()
    return exchange.header(b"x-api-key") or ""
