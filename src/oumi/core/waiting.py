"""Waiting for several things at once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")


async def all_of(coroutines: Iterable[Coroutine[Any, Any, ResultT]]) -> list[ResultT]:
    """The results of all, in their order. Where one raises, or nobody waits any more, the others
    are cancelled.
    """
    asked = [asyncio.ensure_future(one) for one in coroutines]
    try:
        return await asyncio.gather(*asked)
    finally:
        for one in asked:
            one.cancel()
