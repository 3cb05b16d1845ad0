"""Lists of models, as APIs give them: which are there, and which of them chat."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from oumi.backends.remote.dialects.reply import shorten
from oumi.backends.remote.errors import BadReplyError

# Words between which a name has nothing but marks and numbers, of models that do something else.
# https://platform.openai.com/docs/models, https://console.groq.com/docs/models
_OTHER_NAMES = re.compile(
    r"(?:^|[^a-z])(?:embed(?:ding)?s?|rerank(?:er)?|moderation|whisper|transcribe|tts|dall-e"
    r"|gpt-image|sora|babbage|davinci|realtime)(?:$|[^a-z])",
    re.I,
)
# What Together says of a model: https://docs.together.ai/reference/models-1
_OTHER_TYPES = frozenset(
    {"language", "code", "image", "video", "audio", "transcribe", "embedding", "moderation"}
    | {"rerank"}
)


def decode_models(body: bytes, *, chat_only: bool = False) -> list[str]:
    """The names in a list of models; with `chat_only` those of models that may chat.

    What the list says of a model counts, and its name where that says nothing. Raises
    BadReplyError for a body that is no list.
    """
    try:
        data = orjson.loads(body)
        models = data if isinstance(data, list) else data["data"]  # bare at Together
        names = {str(model["id"]): model for model in models}
    except (LookupError, TypeError, ValueError) as error:
        raise BadReplyError(f"not a list of models: {shorten(body)}") from error
    return [name for name, model in names.items() if not chat_only or _chats(name, model)]


def _chats(name: str, model: Mapping[str, Any]) -> bool:
    said = _said_to_chat(model)
    return said if said is not None else not _OTHER_NAMES.search(name)


def _said_to_chat(model: Mapping[str, Any]) -> bool | None:
    """What the list says of it; None where it says nothing."""
    match model:
        # https://docs.fireworks.ai/api-reference/list-models
        case {"supports_chat": bool(chats)}:
            return chats
        # https://docs.mistral.ai/api/endpoint/models
        case {"capabilities": {"completion_chat": bool(chats)}}:
            return chats
        # https://openrouter.ai/docs/api-reference/models/get-models
        case {"architecture": {"output_modalities": list(modalities)}}:
            return "text" in modalities
        case {"type": "chat"}:
            return True
        case {"type": str(kind)} if kind in _OTHER_TYPES:
            return False
    return None
