"""Who shares a batch with whom: one thread that owns the model, fed with single prompts.

The thread takes the prompt that has waited longest, and with it those of equal settings that are
nearest to it in length, so that little is padded. Everything that comes in while a batch runs is
there to choose from for the next one.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from oumi.core.types.completion import Completion
from oumi.errors import EngineError
from oumi.inference.local.native.batch import Prompt

Answer = Callable[[Sequence[Prompt]], list[Completion]]


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    prompt: Prompt
    settings: str
    future: Future[Completion] = field(default_factory=Future)


# After the first prompt of many, the others are here within this.
_GATHER_S = 0.005


class Batcher:
    """Turns single prompts into batches of at most `rows`."""

    def __init__(self, answer: Answer, rows: int):
        self.rows = rows
        self._answer = answer
        self._inbox: queue.SimpleQueue[_Job | Callable[[], None] | None] = queue.SimpleQueue()
        self._waiting: list[_Job] = []
        self._thread = threading.Thread(target=self._work, name="oumi-native", daemon=True)
        self._thread.start()
        self._closed = False

    def submit(self, prompt: Prompt) -> Future[Completion]:
        """The completion to come."""
        self._check_open()
        job = _Job(prompt, prompt.request.config.generation.model_dump_json())
        self._inbox.put(job)
        return job.future

    def run(self, work: Callable[[], None]) -> None:
        """Do something else with the model, between two batches."""
        self._check_open()
        self._inbox.put(work)

    def close(self) -> None:
        """End the thread after what was submitted."""
        if not self._closed:
            self._closed = True
            self._inbox.put(None)
            self._thread.join()

    def _check_open(self) -> None:
        if self._closed:
            raise EngineError("the engine is closed")

    def _work(self) -> None:
        is_open = True
        while is_open or self._waiting:
            is_open = self._take_in(idle=is_open and not self._waiting) and is_open
            if self._waiting:
                self._do(self._choose())

    def _take_in(self, *, idle: bool) -> bool:
        """Take in what is there; where idle, wait for it. False: the end came."""
        timeout_s = None if idle else 0.0
        while True:
            try:
                job = self._inbox.get(timeout_s is None or timeout_s > 0, timeout_s)
            except queue.Empty:
                return True
            timeout_s = _GATHER_S if idle else 0.0
            if job is None:
                return False
            if isinstance(job, _Job):
                self._waiting.append(job)
            else:
                job()

    def _choose(self) -> list[_Job]:
        first = self._waiting[0]
        length = len(first.prompt.ids)
        alike = [job for job in self._waiting if job.settings == first.settings]
        alike.sort(key=lambda job: abs(len(job.prompt.ids) - length))
        rows = first.prompt.request.config.generation.batch_size or self.rows
        chosen = alike[:rows]
        taken = set(map(id, chosen))
        self._waiting = [job for job in self._waiting if id(job) not in taken]
        return [job for job in chosen if job.future.set_running_or_notify_cancel()]

    def _do(self, jobs: list[_Job]) -> None:
        if not jobs:
            return
        try:
            completions = self._answer([job.prompt for job in jobs])
        except Exception as error:
            for job in jobs:
                job.future.set_exception(error)
            return
        for job, completion in zip(jobs, completions, strict=True):
            job.future.set_result(completion)
