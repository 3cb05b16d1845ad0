"""llama.cpp's server inside this process: started, called from threads, and freed."""

from __future__ import annotations

import asyncio
import ctypes
import secrets
import signal
import weakref
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from typing import ClassVar
from urllib.parse import urlsplit

import orjson
import xllamacpp

from oumi.backends.local.llama_cpp.params import make_params
from oumi.core.configs import ModelParams
from oumi.core.forks import keep_forever
from oumi.errors import EngineError, ModelNotFoundError
from oumi.runner.loop import SIGNALS

_POST_TIMEOUT_S = 60.0  # it waits behind nothing, and takes milliseconds


class Runtime:
    """A loaded model with its slots. Each request blocks one thread until it is answered. One that
    `embeds` generates no text.

    Raises ModelNotFoundError for a file that llama.cpp cannot load.
    """

    can_be_freed: ClassVar[bool] = True
    """Not in a child that was forked from a process with a model: it has to keep its own until it
    ends."""

    def __init__(self, model: ModelParams, *, embeds: bool = False):
        # The server also listens on a port of the loopback; the key keeps other users out.
        self._api_key = secrets.token_urlsafe()
        params = make_params(model, self._api_key, embeds=embeds)
        self.slots: int = params.n_parallel
        self.context_length: int = params.n_ctx // params.n_parallel
        self.request_count = 0
        with _python_signal_handlers_kept():
            try:
                server = xllamacpp.Server(params)
                # The server's loop answers this, so it is running now. Freed before its loop runs,
                # the server would hang.
                server.handle_metrics()
            except RuntimeError as error:
                raise ModelNotFoundError(
                    f"{params.model.path}: llama.cpp cannot load it (damaged, of an architecture "
                    "that it does not know, with a chat template that it cannot use, or too "
                    "large for the memory)"
                ) from error
        if not self.can_be_freed:
            keep_forever(server)
        self._server: xllamacpp.Server | None = server
        # Each slot has one request waiting, so that it has work as soon as it is free.
        self.threads = 2 * self.slots
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="oumi-llamacpp")
        # Ends the threads of a runtime that was never closed.
        self._finalizer = weakref.finalize(self, self._pool.shutdown, wait=False)
        self._finalizer.atexit = False  # Python ends them itself, and a forked child has none

    @property
    def is_closed(self) -> bool:
        """Whether the model is freed."""
        return self._server is None

    async def complete(self, body: bytes, *, chat: bool) -> bytes:
        """The reply to a request, as JSON. Raises RuntimeError.

        With `chat` the body is one of the chat endpoint, else of the one that completes a prompt.
        """
        replies: list[bytes] = []
        await self._start(body, replies.append, chat=chat)
        return b"".join(replies)

    async def stream(self, body: bytes, *, chat: bool) -> AsyncGenerator[bytes]:
        """The chunks of a streamed reply. Closing the generator stops the generation."""
        loop = asyncio.get_running_loop()
        chunks: asyncio.Queue[bytes | None] = asyncio.Queue()
        closed = False

        def on_chunk(chunk: bytes) -> bool:
            loop.call_soon_threadsafe(chunks.put_nowait, chunk)
            return closed  # True has llama.cpp stop

        work = self._start(body, on_chunk, chat=chat)
        work.add_done_callback(lambda _: chunks.put_nowait(None))
        try:
            while (chunk := await chunks.get()) is not None:
                yield chunk
            await work
        finally:
            closed = True

    async def embed(self, body: bytes) -> bytes:
        """The reply to a request for embeddings, as JSON. Raises RuntimeError."""
        server = self._open_server
        self.request_count += 1
        loop = asyncio.get_running_loop()
        reply: bytes = await loop.run_in_executor(self._pool, server.handle_embeddings, body)
        return reply

    async def render(self, body: bytes) -> bytes:
        """The reply to a request for the prompt of a chat request."""
        loop, address = asyncio.get_running_loop(), self._address
        return await loop.run_in_executor(self._pool, self._post, address, "/apply-template", body)

    def tokenize(self, text: str, *, special: bool, begins: bool = False) -> list[int]:
        """The tokens of a text. Blocks for about a millisecond.

        Without `special`, names of special tokens are text. With `begins`, the tokens that the
        model's tokenizer puts at the start of a prompt are added.
        """
        body = {"content": text, "parse_special": special, "add_special": begins}
        reply = self._post(self._address, "/tokenize", orjson.dumps(body))
        ids: list[int] = orjson.loads(reply)["tokens"]
        return ids

    @property
    def _address(self) -> str:
        return str(urlsplit(self._open_server.listening_address).netloc)

    def _post(self, address: str, path: str, body: bytes) -> bytes:
        """The reply of an endpoint that only the server's port has."""
        headers = {"authorization": f"Bearer {self._api_key}", "content-type": "application/json"}
        with closing(HTTPConnection(address, timeout=_POST_TIMEOUT_S)) as connection:
            connection.request("POST", path, body, headers)
            return connection.getresponse().read()

    def close(self) -> None:
        """Free the model, its memory and its threads, once what is in flight has ended."""
        self._pool.shutdown(wait=True)
        self._server = None

    def _start(self, body: bytes, on_chunk: object, *, chat: bool) -> asyncio.Future[None]:
        server = self._open_server
        self.request_count += 1
        loop = asyncio.get_running_loop()
        handle = server.handle_chat_completions if chat else server.handle_completions
        return loop.run_in_executor(self._pool, handle, body, on_chunk)

    @property
    def _open_server(self) -> xllamacpp.Server:
        if self._server is None:
            raise EngineError("the engine is closed")
        return self._server


@contextmanager
def _python_signal_handlers_kept() -> Iterator[None]:
    """Put Python's signal handlers back after llama.cpp has installed its own.

    Its handlers for SIGINT and SIGTERM would end the model in the middle of a run.
    """
    # signal.signal works in the main thread only, and this may run in any, so the C functions
    # behind it are called.
    get, put = ctypes.pythonapi.PyOS_getsig, ctypes.pythonapi.PyOS_setsig
    get.restype = put.restype = ctypes.c_void_p
    put.argtypes = [ctypes.c_int, ctypes.c_void_p]
    handlers = {number: get(number) for number in SIGNALS}
    # Blocked signals wait until the right handlers are back. llama.cpp's threads inherit the mask
    # and keep it, so that signals always go to Python's threads.
    mask_before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            put(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask_before)
