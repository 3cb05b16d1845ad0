"""How many tokens a prompt has: counted by the model's own tokenizer, or estimated from its text.

An estimate is for ordinary text, of which tokenizers of today make a token of two to six bytes.
Nothing but random bytes has a token for each, so that no text has more of them than bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from oumi.core.json_text import write_json
from oumi.core.types.conversation import Message

if TYPE_CHECKING:
    from oumi.runner.request import Request

_LONGEST_TOKEN, _SHORTEST_TOKEN = 6, 2
"""Characters of a token, and bytes of one: English has 4 to 5 characters a token, source code 3,
digits 1 to 3; letters of other scripts have 2 to 4 bytes, and 0.3 to 1.5 tokens."""

_ROLE_TOKENS = 8
"""What a template writes around a message: 3 tokens with OpenAI, 5 with Llama and Qwen."""

_FRAME_TOKENS = 32
"""What it writes besides, such as a date, or a system message of its own."""

_TOOLS_TOKENS = 600
"""What an API writes of its own where there are tools: 313 to 530 tokens with Claude
(https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview)."""

_IMAGE_TOKENS = (64, 1_600)
"""85 with OpenAI at low detail to 1,600 with Claude, whose larger images are made smaller
(https://platform.claude.com/docs/en/build-with-claude/vision). Some models count far more."""

_FILE_TOKENS = (100, 10_000)
"""Audio and PDFs: minutes at 32 tokens a second with Gemini, pages at 1,500 to 3,000 with Claude.
Nothing of them is read here."""


class PromptTokens(NamedTuple):
    """How many tokens a prompt has. All three are the same where they were counted."""

    low: int
    high: int
    """From here to there where it is ordinary text."""
    most: int
    """No text has more."""


def exactly(tokens: int) -> PromptTokens:
    """A prompt whose tokens were counted."""
    return PromptTokens(tokens, tokens, tokens)


def estimate_prompt(request: Request) -> PromptTokens:
    """The tokens of a prompt, from its text, with its tools and the schema of its answer."""
    characters, size = _measure(request)
    messages = request.conversation.messages
    fewest, most = _media_tokens(messages)
    fixed = _ROLE_TOKENS * len(messages) + _FRAME_TOKENS + most
    if request.conversation.tools:
        fixed += _TOOLS_TOKENS
    size += _schema_size(request)
    return PromptTokens(
        characters // _LONGEST_TOKEN + fewest, size // _SHORTEST_TOKEN + fixed, size + fixed
    )


def _measure(request: Request) -> tuple[int, int]:
    """Characters and bytes of all texts that are sent."""
    characters = size = 0
    for text in _texts(request):
        characters += len(text)
        size += len(text) if text.isascii() else len(text.encode(errors="replace"))
    return characters, size


def _texts(request: Request) -> Iterator[str]:
    for message in request.conversation.messages:
        if isinstance(message.content, str):
            yield message.content
        else:
            yield from (item.content or "" for item in message.content_items if item.is_text())
        yield message.reasoning_content or ""
        for call in message.tool_calls or ():
            yield call.model_dump_json()
    for tool in request.conversation.tools or ():
        yield tool.model_dump_json()


def _schema_size(request: Request) -> int:
    """Bytes of a schema or the like, which some APIs write into the prompt."""
    guided = request.config.generation.guided_decoding
    return 0 if guided is None else len(write_json(guided.model_dump(mode="json")))


def _media_tokens(messages: list[Message]) -> tuple[int, int]:
    fewest = most = 0
    for message in messages:
        for item in message.content_items if isinstance(message.content, list) else ():
            if not item.is_text():
                tokens = _IMAGE_TOKENS if item.is_image() else _FILE_TOKENS
                fewest, most = fewest + tokens[0], most + tokens[1]
    return fewest, most
