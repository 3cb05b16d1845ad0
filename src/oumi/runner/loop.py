"""One event loop in a thread of its own, so that the same engine serves scripts, running event
loops and notebooks."""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import signal
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Generator
from functools import cache
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")

SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM})
"""What a user or a system ends a program with."""

_LONGEST_WAIT_S = 0.2


def call(
    work: Coroutine[Any, Any, ResultT], on_interrupt: Callable[[], object] | None = None
) -> ResultT:
    """Do `work` on the background loop and wait for it.

    The first Ctrl-C calls `on_interrupt` on the loop and waits on; without one, or at the
    second Ctrl-C, the work is cancelled. Either way KeyboardInterrupt is raised in the end.
    """
    future = submit(work)
    try:
        _wait(future)
    except KeyboardInterrupt:
        if on_interrupt is not None:
            _loop().call_soon_threadsafe(on_interrupt)
            _wait_or_cancel(future)
        else:
            _cancel(future)
        raise
    return future.result()


def submit(work: Coroutine[Any, Any, ResultT]) -> concurrent.futures.Future[ResultT]:
    """Start `work` on the background loop."""
    return asyncio.run_coroutine_threadsafe(work, _loop())


def iterate(pieces: AsyncIterator[ResultT]) -> Generator[ResultT]:
    """Values made on the background loop, one after the other. Closing stops the making."""

    async def advance() -> ResultT:
        return await anext(pieces)

    try:
        while True:
            try:
                piece = call(advance())
            except StopAsyncIteration:
                return
            yield piece
    finally:
        call(_close(pieces))


async def aiterate(pieces: AsyncIterator[ResultT]) -> AsyncGenerator[ResultT]:
    """The same for a caller with an event loop of its own."""

    async def advance() -> ResultT:
        return await anext(pieces)

    try:
        while True:
            try:
                piece = await asyncio.wrap_future(submit(advance()))
            except StopAsyncIteration:
                return
            yield piece
    finally:
        await asyncio.wrap_future(submit(_close(pieces)))


async def _close(pieces: AsyncIterator[Any]) -> None:
    # A step that was cancelled takes a turn or two of the loop to end, and nothing reports when.
    while getattr(pieces, "ag_running", False):  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    close = getattr(pieces, "aclose", None)
    if close is not None:
        await close()


def _wait(future: concurrent.futures.Future[Any]) -> None:
    # The system may hand a signal to any thread that hears it, one of a library's for example.
    # Python acts on it in the main thread alone, and not before a wait there is over.
    while not future.done():
        concurrent.futures.wait([future], timeout=_LONGEST_WAIT_S)


def _wait_or_cancel(future: concurrent.futures.Future[Any]) -> None:
    try:
        _wait(future)
    except KeyboardInterrupt:
        _cancel(future)


def _cancel(future: concurrent.futures.Future[Any]) -> None:
    future.cancel()
    concurrent.futures.wait([future], timeout=5)


def leave_signals_to_main() -> None:
    """To be called first by a thread of ours: Ctrl-C and SIGTERM are for the main thread."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = _new_loop()

    def run() -> None:
        leave_signals_to_main()
        loop.run_forever()

    thread = threading.Thread(target=run, name="oumi-loop", daemon=True)
    thread.start()

    def stop() -> None:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=5)

    atexit.register(stop)
    return loop


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
