"""Special tokens that stand in the text of messages.

A tokenizer takes `<|im_end|>` for the token of that name, wherever it stands: text of a user could
end its own turn and open one of the system. So each special token in a message is marked before the
chat template writes the prompt, and what is marked is tokenized as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import groupby
from typing import Any

from oumi.backends.local.reasoning import THINK_END, THINK_START
from oumi.errors import RequestError

_MARK = "\ufdd0"
"""A code point that Unicode keeps free of characters: https://www.unicode.org/faq/private_use.html"""

# A model writes these itself where it thinks, so they come back with its own messages.
_THOUGHT = frozenset({THINK_START, THINK_END})


class SpecialTokens:
    """The special tokens of a model, by their text."""

    def __init__(self, texts: Iterable[str]):
        # Of one character, such as a space for padding, are no tokens that anybody forges.
        known = {text for text in texts if len(text) > 1} - _THOUGHT
        longest_first = sorted(known, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if known else None

    def mark(self, value: Any) -> Any:
        """A JSON value with each special token in its texts marked. Images are left as they are."""
        if self._pattern is None:
            return value
        if isinstance(value, str):
            return self._pattern.sub(_marked, value) if self._pattern.search(value) else value
        if isinstance(value, Mapping):
            return {k: v if k == "image_url" else self.mark(v) for k, v in value.items()}
        return [self.mark(item) for item in value] if isinstance(value, list) else value

    def find(self, value: Any) -> str | None:
        """A special token in the texts of a JSON value; None where there is none."""
        marked = self.mark(value)
        if marked == value or self._pattern is None:
            return None
        found = self._pattern.search(_joined(value))
        return found[0] if found else None

    def split(self, prompt: str) -> list[tuple[str, bool]]:
        """The prompt in pieces without marks: each with whether it is tokenized as text alone.

        Without a mark there is one piece.
        """
        if _MARK not in prompt or self._pattern is None:
            return [(prompt.replace(_MARK, ""), False)]
        pieces = _pieces(self._pattern, prompt)
        return [
            ("".join(group).replace(_MARK, ""), is_text)
            for is_text, group in groupby(pieces, key=lambda piece: _MARK in piece)
        ]


def find_special_tokens(tokenizer: Any) -> SpecialTokens:
    """The special tokens of a Transformers tokenizer."""
    known = getattr(tokenizer, "added_tokens_decoder", {}).values()
    return _special_tokens(frozenset(token.content for token in known if token.special))


@lru_cache(maxsize=64)
def _special_tokens(texts: frozenset[str]) -> SpecialTokens:
    return SpecialTokens(texts)


def forged_beside_images(token: str, engine: str) -> RequestError:
    """The error of a special token in the text of a conversation with images."""
    return RequestError(
        f"a message holds {token!r}, a special token of the model. Beside images {engine} would "
        "take it for one; where that is meant, set generation.allow_special_tokens"
    )


def _marked(match: re.Match[str]) -> str:
    return match[0][0] + _MARK + match[0][1:]


def _pieces(pattern: re.Pattern[str], prompt: str) -> list[str]:
    """The special tokens of the template, and the texts before, between and after them."""
    pieces, end = [], 0
    for match in pattern.finditer(prompt):
        pieces += [prompt[end : match.start()], match[0]]
        end = match.end()
    return [piece for piece in (*pieces, prompt[end:]) if piece]


def _joined(value: Any) -> str:
    """All texts of a JSON value, with a line break between them."""
    if isinstance(value, Mapping):
        return "\n".join(_joined(v) for k, v in value.items() if k != "image_url")
    if isinstance(value, list):
        return "\n".join(map(_joined, value))
    return value if isinstance(value, str) else ""
