"""The KV cache of a batch, in buffers allocated ahead of the tokens to come.

Tensors have the shape (sequences, heads, tokens, head size). Sequences are padded on the left, so
that the newest token of each is at the same index, the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers.cache_utils import Cache, DynamicLayer

# Tokens that a buffer is allocated ahead: the cache is copied once in so many steps. More would
# save few copies, and cost memory in each sequence for tokens that may never come.
_SPARE_TOKENS = 64


class PreallocatedLayer(DynamicLayer):  # type: ignore[misc]
    """A cache layer whose keys and values are views of larger buffers.

    Transformers' `DynamicLayer` concatenates, and so copies everything, for each new token.
    """

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append the keys and values of new tokens; all keys and values so far."""
        new = (key_states, value_states)
        start = self.get_seq_length()
        end = start + key_states.shape[2]
        if not self.is_initialized:
            self.lazy_initialization(*new)
            self._buffers = [_allocate_like(part, len(part), end + _SPARE_TOKENS) for part in new]
        elif end > self._buffers[0].shape[2]:
            capacity = end + _SPARE_TOKENS
            self._buffers = [_copy([part], start, capacity) for part in (self.keys, self.values)]
        for buffer, part in zip(self._buffers, new, strict=True):
            buffer[:, :, start:end] = part
        self._expose(end)
        return self.keys, self.values

    def fill(self, keys: Sequence[torch.Tensor], values: Sequence[torch.Tensor]) -> None:
        """Hold copies of these, one below the other, each padded on the left to the longest."""
        self.lazy_initialization(keys[0], values[0])
        end = max(part.shape[2] for part in keys)
        self._buffers = [_copy(parts, end, end + _SPARE_TOKENS) for parts in (keys, values)]
        self._expose(end)

    def _expose(self, end: int) -> None:
        self.keys, self.values = (buffer[:, :, :end] for buffer in self._buffers)


@dataclass(frozen=True)
class CacheSlice:
    """Some sequences of a cache, by index, with only their newest `length` tokens."""

    cache: Cache
    indices: list[int]
    length: int


def make_cache() -> Cache:
    """An empty cache of preallocated layers."""
    return Cache(layer_class_to_replicate=PreallocatedLayer)


def merge_slices(slices: Sequence[CacheSlice]) -> Cache:
    """A new cache that holds the sequences of all slices, in order."""
    layers = [PreallocatedLayer() for _ in slices[0].cache.layers]
    for number, layer in enumerate(layers):
        sources = [(part.cache.layers[number], part) for part in slices]
        layer.fill(
            [source.keys[part.indices, :, -part.length :] for source, part in sources],
            [source.values[part.indices, :, -part.length :] for source, part in sources],
        )
    return Cache(layers=layers)


def _copy(parts: Sequence[torch.Tensor], end: int, capacity: int) -> torch.Tensor:
    """A buffer for `capacity` tokens with the parts one below the other, each ending at `end`."""
    buffer = _allocate_like(parts[0], sum(map(len, parts)), capacity)
    row = 0
    for part in parts:
        start = end - part.shape[2]
        rows = buffer[row : row + len(part)]
        # Attention multiplies masked positions by 0, and uninitialised memory may hold NaN, which
        # times 0 is NaN.
        rows[:, :, :start] = 0
        rows[:, :, start:end] = part
        row += len(part)
    return buffer


def _allocate_like(part: torch.Tensor, rows: int, capacity: int) -> torch.Tensor:
    return part.new_empty(rows, part.shape[1], capacity, part.shape[3])
