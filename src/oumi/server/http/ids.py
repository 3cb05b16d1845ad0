"""Ids of what a server sends."""

from __future__ import annotations

import random


def new_id(prefix: str) -> str:
    """An id that no other request or reply has. It is no secret: whoever knows one can do nothing
    with it, so that it may come from a generator which takes no call of the system.
    """
    return f"{prefix}{random.getrandbits(128):032x}"
