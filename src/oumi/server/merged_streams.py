"""Several streams as one, each part with the number of its stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TypeVar

PartT = TypeVar("PartT")

_AHEAD = 16
"""How many parts may wait for a slow reader; then the streams wait too."""


async def merged(streams: Sequence[AsyncGenerator[PartT]]) -> AsyncGenerator[tuple[int, PartT]]:
    """The parts as they come. An error of one stream ends all."""
    if len(streams) == 1:
        async with aclosing(streams[0]) as parts:
            async for part in parts:
                yield 0, part
        return
    queue: asyncio.Queue[tuple[int, PartT] | Exception | None] = asyncio.Queue(_AHEAD)
    tasks = [asyncio.ensure_future(_pump(n, one, queue)) for n, one in enumerate(streams)]
    try:
        left = len(tasks)
        while left:
            item = await queue.get()
            if isinstance(item, Exception):
                raise item
            if item is None:
                left -= 1
            else:
                yield item
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pump(
    number: int,
    stream: AsyncGenerator[PartT],
    queue: asyncio.Queue[tuple[int, PartT] | Exception | None],
) -> None:
    try:
        async with aclosing(stream) as parts:
            async for part in parts:
                await queue.put((number, part))
        await queue.put(None)
    except Exception as error:
        await queue.put(error)
