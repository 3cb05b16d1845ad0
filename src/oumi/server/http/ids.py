"""Ids of what a server sends."""

from __future__ import annotations

import random
import re

_GIVEN = re.compile(r"[\w.:-]{1,128}")


def new_id(prefix: str) -> str:
    """An id that no other request or reply has. It is no secret: whoever knows one can do nothing
    with it, so that it may come from a generator which takes no call of the system.
    """
    return prefix + random.getrandbits(128).to_bytes(16, "big").hex()


def request_id_of(given: str | None) -> str:
    """The id that the client gave its request, or a new one."""
    return given if given and _GIVEN.fullmatch(given) else new_id("req_")
