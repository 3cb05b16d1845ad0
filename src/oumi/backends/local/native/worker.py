"""The one thread that owns the model: it takes rows in, and hands answers out as they finish."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence

import torch

from oumi.backends.local.native import continuous_batch, static_batch
from oumi.backends.local.native.loading import Loaded
from oumi.backends.local.native.sequence import Row
from oumi.errors import EngineError

# After the first row of many, the others are here within this.
_GATHER_S = 0.005

# Places are filled once this share of them is free: reading prompts costs a step of the model.
_FREE_SHARE = 4

# Most tokens of prompts that are read at once, padding included.
_PROMPT_TOKENS = 16_384


class Worker:
    """Works on as many rows at once as there are places for.

    It goes in rounds over the rows that wait, from the shortest prompt to the longest, so that rows
    side by side are of like length and little is padded. Who comes later waits for the next round,
    so that nobody waits for ever.
    """

    def __init__(self, loaded: Loaded, places: int):
        self._loaded = loaded
        self._places = places
        self._can_live = continuous_batch.can_live(loaded.model)
        self._inbox: queue.SimpleQueue[Row | None] = queue.SimpleQueue()
        self._waiting: list[Row] = []
        self._round: list[Row] = []
        self._block: continuous_batch.Block | None = None
        self._is_closed = False
        self._thread = threading.Thread(target=self._work, name="oumi-native", daemon=True)
        self._thread.start()

    def submit(self, row: Row) -> None:
        """Have a row answered; its future will hold the completion."""
        if self._is_closed:
            raise EngineError("the engine is closed")
        self._inbox.put(row)

    def close(self) -> None:
        """End the thread after what was submitted."""
        if not self._is_closed:
            self._is_closed = True
            self._inbox.put(None)
            self._thread.join()

    def _work(self) -> None:
        with torch.inference_mode():
            is_open = True
            while is_open or self._is_busy():
                is_busy = self._is_busy() or not is_open
                is_open = self._take_in(wait=not is_busy) and is_open
                self._admit()
                self._step()

    def _take_in(self, *, wait: bool) -> bool:
        """Take in what is there; wait for it where there is nothing else to do. False: the end."""
        timeout_s = None if wait else 0.0
        while True:
            try:
                row = self._inbox.get(timeout_s is None or timeout_s > 0, timeout_s)
            except queue.Empty:
                return True
            if row is None:
                return False
            self._waiting.append(row)
            timeout_s = _GATHER_S if wait else 0.0

    def _is_busy(self) -> bool:
        return bool(self._waiting or self._round or self._block)

    def _admit(self) -> None:
        while rows := self._choose():
            taken = set(map(id, rows))
            self._round = [row for row in self._round if id(row) not in taken]
            self._begin(rows)

    def _choose(self) -> list[Row]:
        """The next rows of the round that there are places for."""
        if not self._round:
            self._round = sorted(self._waiting, key=lambda row: len(row.prompt.ids))
            self._waiting = []
        self._round = [row for row in self._round if not row.future.cancelled()]
        if not self._round:
            return []
        first = self._round[0]
        if not self._fits(first):
            rows = [row for row in self._round if row.sampler is first.sampler]
            return _readable(first, rows, self._room(first, 0))
        under_way = self._block.rows if self._block else []
        free = self._room(first, sum(not row.is_done for row in under_way))
        few = max(self._room(first, 0) // _FREE_SHARE, 1)
        if free < min(few, len(self._round)) or free < 1:
            return []
        return _readable(first, [row for row in self._round if self._fits(row)], free)

    def _fits(self, row: Row) -> bool:
        """Whether it can join others that are under way."""
        return self._can_live and row.prompt.request.config.generation.num_beams == 1

    def _room(self, row: Row, taken: int) -> int:
        return (row.prompt.request.config.generation.batch_size or self._places) - taken

    def _begin(self, rows: list[Row]) -> None:
        try:
            if not self._fits(rows[0]):
                static_batch.answer(self._loaded, rows)
                _finish(rows)
                return
            block = continuous_batch.begin(self._loaded, rows)
            _finish(rows)
            self._block = continuous_batch.join([old for old in (self._block, block) if old])
        except Exception as error:
            _fail(rows, error)

    def _step(self) -> None:
        block = self._block
        if block is None:
            return
        try:
            continuous_batch.go_on(self._loaded, block)
            done = _finish(block.rows)
            # Moving what is kept costs about a step, so some rows that are done may lie along.
            if _FREE_SHARE * done > len(block.rows) or done == len(block.rows):
                self._block = continuous_batch.join([block])
        except Exception as error:
            self._block = None
            _fail(block.rows, error)


def _readable(first: Row, rows: Sequence[Row], most: int) -> list[Row]:
    """The first rows that can be read at once. They come by length, and images come alone."""
    if first.prompt.images:
        return [first]
    near = [row for row in rows if not row.prompt.images][:most]
    longest = len(near[-1].prompt.ids)
    return near[: max(_PROMPT_TOKENS // longest, 1)]


def _finish(rows: Sequence[Row]) -> int:
    """Hand out what is done; how many are."""
    done = [row for row in rows if row.is_done]
    for row in done:
        if not row.future.done():
            try:
                row.finish()
            except Exception as error:  # of one row, which must not cost the others
                _fail([row], error)
    return len(done)


def _fail(rows: Sequence[Row], error: Exception) -> None:
    if isinstance(error, torch.OutOfMemoryError):
        error = EngineError(
            f"out of memory with {len(rows)} rows at once: lower generation.batch_size ({error})"
        )
    for row in rows:
        if not row.future.done():
            row.future.set_exception(error)
