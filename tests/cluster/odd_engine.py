"""An engine whose rows say what it does with them: die, fail for good, say where it is, or wait."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

from oumi.backends.engine_row import EngineRow
from oumi.backends.local.llama_cpp.backend import LlamaCppBackend
from oumi.backends.local.llama_cpp.row import ENGINE
from oumi.core.types.completion import Completion
from oumi.core.types.conversation import Message, Role
from oumi.errors import EngineError
from oumi.runner.request import Request


class OddBackend(LlamaCppBackend):
    """`oumi-tiny`, but for rows whose last line is `poison`, `break FILE`, `where`, or `meet N
    FOLDER`: wait for as many rows that say so.
    """

    async def complete(self, request: Request) -> Completion:
        word, *given = str(request.conversation.messages[-1].content).splitlines()[-1].split()
        if word == "poison":
            await asyncio.sleep(0.3)  # so that others are in flight with it
            os.kill(os.getpid(), signal.SIGKILL)
        if word == "break":
            self._break(Path(given[0]))
        if word == "meet":
            note = Path(given[1]) / f"{os.getpid()}-{id(request)}"
            await asyncio.to_thread(_meet, int(given[0]), note)
        if word in ("where", "meet"):
            await asyncio.sleep(0.02)
            return Completion(Message(role=Role.ASSISTANT, content=str(os.getpid())))
        return await super().complete(request)

    def _break(self, done: Path) -> None:
        """Fail for good, once."""
        if not done.exists():
            done.touch()
            self._dead = True
        if getattr(self, "_dead", False):
            raise EngineError("CUDA error: device-side assert triggered")


def _meet(count: int, note: Path) -> None:
    note.touch()
    while len(list(note.parent.iterdir())) < count:
        time.sleep(0.01)


ROW = EngineRow(
    name="ODD",
    class_name="OddInferenceEngine",
    summary="an engine that does as its rows say",
    backend="tests.cluster.odd_engine:OddBackend",
    runtime="xllamacpp",
    install="",
    supports=ENGINE.supports,
)
