"""JSON pointers, which name a place in a JSON value: https://www.rfc-editor.org/rfc/rfc6901"""

from __future__ import annotations


def escape(key: str | int) -> str:
    """A key, or the index of a list, as a part of a pointer."""
    return str(key).replace("~", "~0").replace("/", "~1")
