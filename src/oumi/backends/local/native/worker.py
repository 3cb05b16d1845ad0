"""The one thread that owns the model: it prefills prompts, runs decode steps, resolves futures."""

from __future__ import annotations

import queue
import threading

import torch

from oumi.backends.local.native import continuous_batch, static_batch
from oumi.backends.local.native.loading import LoadedModel
from oumi.backends.local.native.scheduler import Scheduler
from oumi.backends.local.native.sequence import Sequence
from oumi.errors import EngineError

# An idle worker waits this long after each arrival for the next one: prompts are cheaper to prefill
# together, and the requests of a run arrive one right after the other.
_BURST_GAP_S = 0.005

# Finished sequences are removed from the batch once they are more than this share of it: removing
# them copies the cache of all others, which costs about as much as a decode step.
_REMOVE_DONE_SHARE = 1 / 4


class Worker:
    """Runs submitted sequences in its own thread, at most `max_sequences` at a time.

    Everything but `submit` and `close` happens in that thread, so no lock is needed. A sequence
    leaves it through its future.
    """

    def __init__(self, model: LoadedModel, max_sequences: int):
        self._model = model
        self._scheduler = Scheduler(
            max_sequences,
            continuous_batching=continuous_batch.supports_continuous_batching(model.model),
        )
        self._inbox: queue.SimpleQueue[Sequence | None] = queue.SimpleQueue()
        self._batch: continuous_batch.ContinuousBatch | None = None
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="oumi-native", daemon=True)
        self._thread.start()

    def submit(self, sequence: Sequence) -> None:
        """Have a sequence generated. Raises EngineError once the worker is closed."""
        if self._is_closed:
            raise EngineError("the engine is closed")
        self._inbox.put(sequence)

    def close(self) -> None:
        """Generate what was submitted, then end the thread. Blocks until then."""
        if not self._is_closed:
            self._is_closed = True
            self._inbox.put(None)
            self._thread.join()

    def _run(self) -> None:
        with torch.inference_mode():
            is_open = True
            while is_open or self._is_busy():
                is_open = self._receive(wait=not self._is_busy()) and is_open
                self._prefill_scheduled()
                self._decode_step()

    def _is_busy(self) -> bool:
        return self._scheduler.has_waiting or self._batch is not None

    def _receive(self, *, wait: bool) -> bool:
        """Move what was submitted to the scheduler. False once `close` was called.

        With `wait`, block until the first sequence comes, and a moment longer for others.
        """
        timeout_s = None if wait else 0.0
        while True:
            try:
                sequence = self._inbox.get(timeout_s is None or timeout_s > 0, timeout_s)
            except queue.Empty:
                return True
            if sequence is None:
                return False
            self._scheduler.add(sequence)
            timeout_s = _BURST_GAP_S if wait else 0.0

    def _prefill_scheduled(self) -> None:
        while self._scheduler.has_waiting:
            sequences = self._scheduler.schedule(self._running())
            if not sequences:
                return
            self._start(sequences)

    def _running(self) -> int:
        batch = self._batch
        return sum(not sequence.is_done for sequence in batch.sequences) if batch else 0

    def _start(self, sequences: list[Sequence]) -> None:
        try:
            if not self._scheduler.can_join_batch(sequences[0]):
                static_batch.generate(self._model, sequences)
                _resolve_done(sequences)
                return
            prefilled = continuous_batch.prefill(self._model, sequences)
            _resolve_done(sequences)  # one token may be all that is wanted
            self._batch = continuous_batch.merge([b for b in (self._batch, prefilled) if b])
        except Exception as error:
            _fail(sequences, error)

    def _decode_step(self) -> None:
        batch = self._batch
        if batch is None:
            return
        try:
            continuous_batch.decode_step(self._model, batch)
            done = _resolve_done(batch.sequences)
            total = len(batch.sequences)
            if done == total or done > _REMOVE_DONE_SHARE * total:
                self._batch = continuous_batch.merge([batch])
        except Exception as error:
            self._batch = None
            _fail(batch.sequences, error)


def _resolve_done(sequences: list[Sequence]) -> int:
    """Resolve the futures of finished sequences; how many are finished, cancelled ones included."""
    done = [sequence for sequence in sequences if sequence.is_done]
    for sequence in done:
        if not sequence.future.done():
            try:
                sequence.resolve()
            except Exception as error:  # decoding one answer failed: the others go on
                _fail([sequence], error)
    return len(done)


def _fail(sequences: list[Sequence], error: Exception) -> None:
    if isinstance(error, torch.OutOfMemoryError):
        error = EngineError(
            f"out of memory with {len(sequences)} rows at once: "
            f"lower generation.batch_size ({error})"
        )
    for sequence in sequences:
        if not sequence.future.done():
            sequence.future.set_exception(error)
