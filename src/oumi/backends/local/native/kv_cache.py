"""Keys and values of the rows in flight, in buffers that leave room for what is to come.

Rows count along the first axis of a tensor and tokens along the third. The newest token of each
row stands at the end, so shorter rows are padded at their front.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers.cache_utils import Cache, DynamicLayer

_AHEAD = 64


class RoomyLayer(DynamicLayer):  # type: ignore[misc]
    """A layer that shows the filled part of larger buffers.

    Transformers' own layer copies all it holds for each new token; this one does so for every 64th.
    """

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Add tokens at the end; all keys and values so far."""
        fresh = (key_states, value_states)
        start = self.get_seq_length()
        end = start + key_states.shape[2]
        if not self.is_initialized:
            self.lazy_initialization(*fresh)
            self._buffers = [_room_like(part, len(part), end) for part in fresh]
        elif end > self._buffers[0].shape[2]:
            self._buffers = [_copy([part], end) for part in (self.keys, self.values)]
        for buffer, part in zip(self._buffers, fresh, strict=True):
            buffer[:, :, start:end] = part
        self._show(end)
        return self.keys, self.values

    def fill(self, keys: Sequence[torch.Tensor], values: Sequence[torch.Tensor]) -> None:
        """Hold these rows, each part padded at its front to the longest."""
        self.lazy_initialization(keys[0], values[0])
        end = max(part.shape[2] for part in keys)
        self._buffers = [_copy(parts, end, at_end=True) for parts in (keys, values)]
        self._show(end)

    def _show(self, end: int) -> None:
        self.keys, self.values = (buffer[:, :, :end] for buffer in self._buffers)


@dataclass(frozen=True)
class Part:
    """Rows of a cache, and how many of their newest tokens count."""

    cache: Cache
    rows: list[int]
    length: int


def new_cache() -> Cache:
    """An empty one."""
    return Cache(layer_class_to_replicate=RoomyLayer)


def gather(parts: Sequence[Part]) -> Cache:
    """A cache of the rows of all parts, in this order."""
    layers = [RoomyLayer() for _ in parts[0].cache.layers]
    for number, layer in enumerate(layers):
        held = [(part.cache.layers[number], part) for part in parts]
        layer.fill(
            [old.keys[part.rows, :, -part.length :] for old, part in held],
            [old.values[part.rows, :, -part.length :] for old, part in held],
        )
    return Cache(layers=layers)


def _copy(parts: Sequence[torch.Tensor], end: int, *, at_end: bool = False) -> torch.Tensor:
    """A buffer that holds the parts one below the other, from its front or up to `end`."""
    buffer = _room_like(parts[0], sum(map(len, parts)), end)
    row = 0
    for part in parts:
        start = end - part.shape[2] if at_end else 0
        rows = buffer[row : row + len(part)]
        # What is masked is still multiplied, and what stood in memory before may be NaN.
        rows[:, :, :start] = 0
        rows[:, :, start : start + part.shape[2]] = part
        row += len(part)
    return buffer


def _room_like(part: torch.Tensor, rows: int, end: int) -> torch.Tensor:
    return part.new_empty(rows, part.shape[1], end + _AHEAD, part.shape[3])
