"""Which headers and parameters may hold a key, by their names."""

from __future__ import annotations

import re

_SECRET = re.compile("auth|key|token|secret|cookie|passw|credential|signature", re.I)
_SECRET_PARAMETER = frozenset({"code", "sig"})
"""Azure's function keys and shared access signatures."""


def may_hold_key(name: str) -> bool:
    """Whether a header of this name may hold what nobody else should see."""
    return _SECRET.search(name) is not None


def parameter_may_hold_key(name: str) -> bool:
    """The same of a parameter in the query of an address."""
    return name.lower() in _SECRET_PARAMETER or may_hold_key(name)
