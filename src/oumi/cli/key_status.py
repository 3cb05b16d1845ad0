"""Whether the key of an API is set. The key itself is never looked at more than that."""

from __future__ import annotations

import os
from collections.abc import Iterator

from oumi.backends.provider import Provider


def key_variables(provider: Provider) -> Iterator[str]:
    """The environment variables that may hold its key, the first that is set counts."""
    return filter(None, (provider.bearer_env, *provider.key_env))


def key_set_in(provider: Provider) -> str | None:
    """The variable that holds the key; None where none is set."""
    return next((name for name in key_variables(provider) if os.environ.get(name)), None)


def lacks_key(provider: Provider) -> bool:
    """Whether a request would be refused for want of a key. Credentials of a cloud may be there
    without one.
    """
    return provider.needs_key and provider.auth_method is None and key_set_in(provider) is None


def describe_key(provider: Provider) -> str:
    """Whether a key is set, and in which variable."""
    if name := key_set_in(provider):
        return f"set: {name}"
    names = " or ".join(key_variables(provider))
    if lacks_key(provider):
        return f"not set: {names}"
    if provider.auth_method is not None:
        return f"{provider.auth_method} credentials" + (f", or {names}" if names else "")
    return f"not needed; {names} not set" if names else "not needed"
