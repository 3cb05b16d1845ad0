"""One event loop in a thread of its own, so that the same engine serves scripts, running event
loops and notebooks. A child made by a fork has one of its own."""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import os
import signal
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Generator
from typing import Any, Protocol, TypeVar

from oumi.core.forks import keep_forever, watch_forks
from oumi.errors import EngineError

ResultT = TypeVar("ResultT")

SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM})
"""What a user or a system ends a program with."""

_LONGEST_WAIT_S = 0.2

_LONGEST_HOLD_S = 2.0
"""A turn of the loop takes milliseconds, or as long as the import of a library."""


class Stoppable(Protocol):
    """Work that can end early, and keeps what it has done."""

    @property
    def kept(self) -> str:
        """What that is, in words."""
        ...

    def stop(self) -> object:
        """End soon. Called on the loop."""
        ...


def call(work: Coroutine[Any, Any, ResultT], stoppable: Stoppable | None = None) -> ResultT:
    """Do `work` on the background loop and wait for it.

    The first Ctrl-C stops what is `stoppable` and waits on; without it, or at the second Ctrl-C,
    the work is cancelled. Either way KeyboardInterrupt is raised in the end, which says what is
    kept.

    Raises EngineError once Python is ending.
    """
    future = submit(work)
    try:
        _wait(future)
    except KeyboardInterrupt as interrupt:
        if stoppable is None:
            _cancel(future)
            raise
        _BACKGROUND.get().call_soon_threadsafe(stoppable.stop)
        _wait_or_cancel(future)
        interrupt.args = (stoppable.kept,)
        raise interrupt.with_traceback(None)  # noqa: B904  the same one, without the frames below
    try:
        return future.result()
    except RuntimeError as error:
        if not is_ending():
            raise
        raise _ended() from error  # it was begun just before


def submit(work: Coroutine[Any, Any, ResultT]) -> concurrent.futures.Future[ResultT]:
    """Start `work` on the background loop. Raises EngineError once Python is ending."""
    if is_ending():
        work.close()
        raise _ended()
    return asyncio.run_coroutine_threadsafe(work, _BACKGROUND.get())


def is_ending() -> bool:
    """Whether the main thread has ended: no thread can be started any more, and no pool used."""
    return not threading.main_thread().is_alive()


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
        if not is_ending():
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
        if not is_ending():
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


class _Background:
    """The event loop and its thread, made when they are first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._holds: dict[int, threading.Event] = {}  # by the thread that forks
        watch_forks(self)
        atexit.register(self._stop)

    def get(self) -> asyncio.AbstractEventLoop:
        """The loop, which runs."""
        if self._loop is None:
            with self._lock:
                self._loop = self._loop or self._start()
        return self._loop

    def hold(self) -> None:
        """Have the loop wait between two turns while this thread forks: what it is in the middle
        of, such as an import, would never be finished in the child, and hold its locks for good.
        """
        thread, held, resumed = self._thread, threading.Event(), threading.Event()
        if self._loop is None or thread is None or thread is threading.current_thread():
            return
        if not thread.is_alive():
            return

        def wait() -> None:
            held.set()
            resumed.wait(_LONGEST_HOLD_S)

        self._holds[threading.get_ident()] = resumed
        self._loop.call_soon_threadsafe(wait)
        held.wait(_LONGEST_HOLD_S)

    def resume(self) -> None:
        """Have the loop go on in the process that forked."""
        if (resumed := self._holds.pop(threading.get_ident(), None)) is not None:
            resumed.set()

    def after_fork(self) -> None:
        """The parent's loop goes on in the parent alone, where its file of events is open too."""
        if self._loop is not None:
            keep_forever(self._loop)
        self._lock = threading.Lock()
        self._loop = self._thread = None
        self._holds = {}

    def _start(self) -> asyncio.AbstractEventLoop:
        loop = _new_loop()

        def run() -> None:
            leave_signals_to_main()
            loop.run_forever()

        self._thread = threading.Thread(target=run, name="oumi-loop", daemon=True)
        self._thread.start()
        return loop

    def _stop(self) -> None:
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout=5)


_BACKGROUND = _Background()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_BACKGROUND.hold, after_in_parent=_BACKGROUND.resume)


def _ended() -> EngineError:
    return EngineError(
        "Python is ending, so that nothing can be asked any more: ask before the main thread ends, "
        "not in an atexit handler, a __del__ or a thread that outlives it"
    )


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
