"""Keys that clients of the server have to show, each with a name for logs and metrics."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping
from typing import Self

from oumi.errors import ConfigError
from oumi.server.http.errors import HttpError
from oumi.server.http.exchange import Exchange
from oumi.server.key_settings import NAME, SHORTEST, KeySettings, is_good_key

VARIABLE = "OUMI_API_KEYS"
"""Keys in the environment, divided by commas or white space; `name:key` gives one a name."""

_NAMED = re.compile(rf"(?:({NAME}):)?(\S+)")


class ApiKeys:
    """The keys that are taken. Without any, everybody may ask."""

    def __init__(self, keys: Mapping[str, str]):
        self._keys = {name: key.encode() for name, key in keys.items()}

    @classmethod
    def parse(cls, words: Iterable[str], settings: Mapping[str, KeySettings] | None = None) -> Self:
        """From words such as `key` or `name:key`, and from settings by their names, whose keys may
        stand among the words. Raises ConfigError, which shows no key.
        """
        settings = settings or {}
        keys = {name: one.key.get_secret_value() for name, one in settings.items() if one.key}
        for number, word in enumerate(words, start=1):
            name, key = _parse_word(number, word)
            if name in keys:
                raise ConfigError(f"{VARIABLE}: two keys have the name {name!r}")
            keys[name] = key
        for name in settings:
            if name not in keys:
                raise ConfigError(
                    f"keys.{name}: it has no `key`, and none in {VARIABLE} has this name, as in "
                    f"{name}:key"
                )
        _check_different(keys)
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


def _parse_word(number: int, word: str) -> tuple[str, str]:
    found = _NAMED.fullmatch(word)
    if found is None or not is_good_key(found[2]):
        raise ConfigError(
            f"{VARIABLE}: key number {number}: expected at least {SHORTEST} ASCII characters, "
            "with a name before it as in name:key"
        )
    return found[1] or f"key-{number}", found[2]


def _check_different(keys: Mapping[str, str]) -> None:
    """Raise ConfigError where one key has two names, of which either could be meant."""
    names: dict[str, str] = {}
    for name, key in keys.items():
        if (other := names.setdefault(key, name)) != name:
            raise ConfigError(f"keys {other!r} and {name!r} are the same: make one of them another")


def _shown_key(exchange: Exchange) -> str:
    """The key as clients of OpenAI send it, or as those of Anthropic do."""
    scheme, _, key = (exchange.header(b"authorization") or "").partition(" ")
    if scheme.lower() == "bearer" and key:
        return key.strip()
    return exchange.header(b"x-api-key") or ""
