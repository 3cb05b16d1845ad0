"""What an engine is asked to embed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.types.conversation import Conversation
from oumi.core.types.usage import Usage
from oumi.errors import RequestError

CHARACTERS_PER_TOKEN = 3
"""Fewer than real text has, so that a limit in tokens is kept."""

_SPECIAL_TOKENS = 4
"""What tokenizers put around a text: BERT's puts two."""


class EmbeddingRequest(NamedTuple):
    """Texts to be embedded together, under effective settings."""

    texts: Sequence[str]
    config: InferenceConfig

    @property
    def expected_tokens(self) -> int:
        """About how many tokens the texts have, rather too many, for limits in tokens."""
        return sum(len(text) // CHARACTERS_PER_TOKEN + 1 for text in self.texts)

    @property
    def most_tokens(self) -> int:
        """No texts have more tokens: one for each byte, and those around a text."""
        return sum(len(text.encode(errors="replace")) + _SPECIAL_TOKENS for text in self.texts)


def text_of(conversation: Conversation) -> str:
    """The text of a row that is to be embedded. Raises RequestError for what is no single
    text.
    """
    messages = conversation.messages
    if len(messages) != 1 or messages[0].contains_media() or conversation.tools:
        raise RequestError("an embedding is of one text: no further messages, media or tools")
    text = messages[0].compute_flattened_text_content("")
    if not text:
        raise RequestError("an empty text has no embedding")
    return text


def split_usage(usage: Usage, texts: Sequence[str]) -> list[Usage]:
    """The tokens of a request by its texts, in proportion to their lengths. Nothing is lost or
    counted twice.
    """
    total = sum(map(len, texts)) or 1
    shares, seen, given = [], 0, 0
    for text in texts:
        seen += len(text)
        upto = usage.prompt_tokens * seen // total
        shares.append(Usage(prompt_tokens=upto - given))
        given = upto
    return shares
