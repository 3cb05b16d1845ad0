"""A stream of which no key of the call comes out, however its text is cut into pieces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import orjson

from oumi.backends.remote.dialects import StreamDecoder
from oumi.backends.remote.http.key_mask import KeyMask, find_mask
from oumi.core.types.completion import Completion, Delta, ToolCallDelta
from oumi.errors import OumiError


def mask_stream(decoder: StreamDecoder, headers: Mapping[str, str], url: str) -> StreamDecoder:
    """A decoder that masks the keys of a call in what another one decodes."""
    mask = find_mask(headers, url)
    return MaskedDecoder(decoder, mask) if mask else decoder


class MaskedDecoder:
    """Masks keys in deltas, in the whole answer, and in errors.

    The bytes are not masked: events have lengths and checksums at some APIs, and a model may send
    a key in several events.
    """

    def __init__(self, decoder: StreamDecoder, mask: KeyMask):
        self._decoder = decoder
        self._mask = mask
        self._content = _MaskedText(mask)
        self._reasoning = _MaskedText(mask)
        self._arguments: dict[int, _MaskedText] = {}  # by the index of the call

    def feed(self, chunk: bytes) -> list[Delta]:
        """The deltas that end within `chunk`. What may be the beginning of a key comes later."""
        with _masked_errors(self._mask):
            deltas = [self._masked(delta) for delta in self._decoder.feed(chunk)]
        return [d for d in deltas if d.content or d.reasoning_content or d.tool_calls]

    def last(self) -> Delta:
        """The delta that carries the whole answer, and what was held back."""
        with _masked_errors(self._mask):
            delta = self._masked(self._decoder.last())
        return Delta(
            delta.content + self._content.rest(),
            delta.reasoning_content + self._reasoning.rest(),
            delta.completion and _mask_completion(delta.completion, self._mask),
            delta.tool_calls,  # what was held back of others, the completion has
        )

    def _masked(self, delta: Delta) -> Delta:
        return Delta(
            self._content.feed(delta.content),
            self._reasoning.feed(delta.reasoning_content),
            delta.completion,
            tuple(map(self._masked_part, delta.tool_calls)),
        )

    def _masked_part(self, part: ToolCallDelta) -> ToolCallDelta:
        text = self._arguments.setdefault(part.index, _MaskedText(self._mask))
        name = self._mask.mask_text(part.name)
        return replace(part, name=name, arguments=text.feed(part.arguments))


class _MaskedText:
    """Text in pieces, without the keys that lie in it or across its pieces."""

    def __init__(self, mask: KeyMask):
        self._mask = mask
        self._held = ""

    def feed(self, text: str) -> str:
        """What can be shown by now."""
        text = self._mask.mask_text(self._held + text)
        shown = len(text) - self._mask.held_back(text)
        self._held = text[shown:]
        return text[:shown]

    def rest(self) -> str:
        """What was held back, once no more follows."""
        return self._held


def _mask_completion(completion: Completion, mask: KeyMask) -> Completion:
    text = orjson.dumps(completion.to_dict())
    masked = mask.mask(text)
    return completion if masked is text else Completion.from_dict(orjson.loads(masked))


@contextmanager
def _masked_errors(mask: KeyMask) -> Iterator[None]:
    try:
        yield
    except OumiError as error:
        fields = {name: text for name, text in vars(error).items() if isinstance(text, str)}
        if not any(mask.finds(text) for text in (str(error), *fields.values())):
            raise
        error.args = (mask.mask_text(str(error)),)
        vars(error).update({name: mask.mask_text(text) for name, text in fields.items()})
        raise error from None  # its cause may hold the key as well
