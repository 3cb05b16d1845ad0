"""llama.cpp's server object: started, asked from threads, and taken down again."""

from __future__ import annotations

import asyncio
import ctypes
import secrets
import signal
import weakref
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import xllamacpp

from oumi.backends.local.llama_cpp.params import make_params
from oumi.core.configs import ModelParams
from oumi.errors import EngineError, ModelNotFoundError
from oumi.runner.loop import SIGNALS


class Runtime:
    """A loaded model with its slots. A call blocks a thread until llama.cpp has answered.

    Raises ModelNotFoundError for a file that llama.cpp cannot load.
    """

    def __init__(self, model: ModelParams):
        # The server also listens on a port of the loopback; the key keeps other users out.
        params = make_params(model, api_key=secrets.token_urlsafe())
        self.slots: int = params.n_parallel
        self.asked = 0
        with _signal_handlers_kept():
            try:
                server = xllamacpp.Server(params)
                # Answered by the server's loop. Taken down before that runs, it would hang.
                server.handle_metrics()
            except RuntimeError as error:
                raise ModelNotFoundError(
                    f"{params.model.path}: llama.cpp cannot load it (damaged, of an architecture "
                    "that it does not know, or too large for the memory)"
                ) from error
        self._server: xllamacpp.Server | None = server
        # One waiting request a slot, so that a slot which falls free has work at once.
        self.threads = 2 * self.slots
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="oumi-llamacpp")
        self._finalizer = weakref.finalize(self, self._pool.shutdown, wait=False)

    async def ask(self, body: bytes) -> bytes:
        """The server's reply to the body of a chat request. Raises RuntimeError."""
        replies: list[bytes] = []
        await self._start(body, replies.append)
        return b"".join(replies)

    async def ask_streaming(self, body: bytes) -> AsyncIterator[bytes]:
        """The chunks of a reply. Closing the iterator stops the generation."""
        loop = asyncio.get_running_loop()
        chunks: asyncio.Queue[bytes | None] = asyncio.Queue()
        closed = False

        def take(chunk: bytes) -> bool:
            loop.call_soon_threadsafe(chunks.put_nowait, chunk)
            return closed

        work = self._start(body, take)
        work.add_done_callback(lambda _: chunks.put_nowait(None))
        try:
            while (chunk := await chunks.get()) is not None:
                yield chunk
            await work
        finally:
            closed = True

    def close(self) -> None:
        """Free the model, its memory and its threads, once what is in flight has ended."""
        self._pool.shutdown(wait=True)
        self._server = None

    def _start(self, body: bytes, take: object) -> asyncio.Future[None]:
        if self._server is None:
            raise EngineError("the engine is closed")
        self.asked += 1
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self._pool, self._server.handle_chat_completions, body, take)


@contextmanager
def _signal_handlers_kept() -> Iterator[None]:
    """Put Python's handlers back in place: llama.cpp installs its own for Ctrl-C and SIGTERM,
    which would take the model down in mid-run. (signal.signal works in the main thread only.)

    Until then both signals wait. llama.cpp's threads inherit that, and never see one.
    """
    get, put = ctypes.pythonapi.PyOS_getsig, ctypes.pythonapi.PyOS_setsig
    get.restype = put.restype = ctypes.c_void_p
    put.argtypes = [ctypes.c_int, ctypes.c_void_p]
    kept = {number: get(number) for number in SIGNALS}
    blocked_before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        for number, handler in kept.items():
            put(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked_before)
