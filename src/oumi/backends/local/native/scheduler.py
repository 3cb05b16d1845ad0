"""Which waiting sequences are prefilled next: those of similar length, and nobody waits forever."""

from __future__ import annotations

from oumi.backends.local.native.sequence import Sequence

# Prompts are prefilled once this share of all slots is free, not one by one: each prefill makes the
# running sequences wait for about one decode step.
_FREE_SLOTS_SHARE = 1 / 4

# The most prompt tokens in one prefill, padding included: it bounds the memory of a prefill's
# activations. A longer prompt is prefilled alone.
_MAX_PREFILL_TOKENS = 16_384


class Scheduler:
    """A queue of sequences that is emptied in rounds.

    A round consists of everything that waits when it begins, sorted by prompt length: sequences
    prefilled together are then of similar length and need little padding. What arrives later waits
    for the next round, so that short prompts cannot keep a long one waiting forever.

    `max_sequences` may run at once where `generation.batch_size` sets no other number.
    """

    def __init__(self, max_sequences: int, *, continuous_batching: bool):
        self._max_sequences = max_sequences
        self._continuous_batching = continuous_batching
        self._arrived: list[Sequence] = []
        self._round: list[Sequence] = []

    @property
    def has_waiting(self) -> bool:
        """Whether any sequence waits."""
        return bool(self._arrived or self._round)

    def add(self, sequence: Sequence) -> None:
        """Queue a sequence for the next round."""
        self._arrived.append(sequence)

    def schedule(self, running: int) -> list[Sequence]:
        """Take the sequences to prefill now off the queue; none while too few slots are free.

        `running` is the number of sequences in the batch that still generate.
        """
        self._begin_round_if_done()
        chosen = self._choose(running) if self._round else []
        chosen_ids = set(map(id, chosen))
        self._round = [sequence for sequence in self._round if id(sequence) not in chosen_ids]
        return chosen

    def can_join_batch(self, sequence: Sequence) -> bool:
        """Whether it can join a running batch; one with beams cannot, it is generated apart."""
        has_beams = sequence.prompt.request.config.generation.num_beams > 1
        return self._continuous_batching and not has_beams

    def _begin_round_if_done(self) -> None:
        if not self._round:
            self._round = sorted(self._arrived, key=lambda sequence: len(sequence.prompt.ids))
            self._arrived = []
        self._round = [sequence for sequence in self._round if not sequence.future.cancelled()]

    def _choose(self, running: int) -> list[Sequence]:
        first = self._round[0]
        slots = self._slots(first)
        if not self.can_join_batch(first):
            # A static batch ends before anything else runs, so all slots are its own. `generate`
            # takes one set of settings for all.
            same = [sequence for sequence in self._round if sequence.sampler is first.sampler]
            return _one_prefill(same, slots)
        free = slots - running
        enough = min(max(int(slots * _FREE_SLOTS_SHARE), 1), len(self._round))
        if free < enough:
            return []
        return _one_prefill(list(filter(self.can_join_batch, self._round)), free)

    def _slots(self, sequence: Sequence) -> int:
        return sequence.prompt.request.config.generation.batch_size or self._max_sequences


def _one_prefill(sequences: list[Sequence], most: int) -> list[Sequence]:
    """The first sequences that fit into one prefill. They come sorted by prompt length."""
    if sequences[0].prompt.images:
        return sequences[:1]  # images differ in size, so their tensors do not stack
    texts = [sequence for sequence in sequences if not sequence.prompt.images][:most]
    # All are padded to the longest, which is the last: `n` prompts cost `n` times its length.
    padded_tokens = [n * len(text.prompt.ids) for n, text in enumerate(texts, start=1)]
    fitting = sum(tokens <= _MAX_PREFILL_TOKENS for tokens in padded_tokens)
    return texts[: max(fitting, 1)]
