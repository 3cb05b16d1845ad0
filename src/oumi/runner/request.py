"""What an engine is asked, and the key under which its answer is recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from oumi.core.configs.generation_params import GenerationParams
from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.digest import new_digest
from oumi.core.json_text import write_json
from oumi.core.types.conversation import Conversation
from oumi.data.content import shaping_text
from oumi.data.source import NO_PREFIX, Prefix, Row
from oumi.structured.room import Room

NO_KEY = "0" * 32
"""The key of a row that cannot be read."""

# These do not shape an answer: with more repairs allowed, a row goes on from its recorded answers.
# The number of a sample is part of its own key, and how many others there are is not.
_LEFT_OUT: dict[str, Any] = {
    "batch_size": True,
    "num_samples": True,
    "guided_decoding": {"max_repairs"},
}

# Settings of later versions. Keys of earlier ones are made without them, so they count where set.
_LATER: dict[str, Any] = {
    "allow_special_tokens": False,
    "apply_chat_template": True,
    "continue_final_message": False,
    "truncate_prompt": None,
    "enable_thinking": None,
    "reasoning_effort": None,
    "max_thinking_tokens": None,
    "repetition_penalty": 1.0,
    "min_tokens": 0,
    "typical_p": None,
    "adapter": None,
    "dry_multiplier": 0.0,
    "dry_base": 1.75,
    "dry_allowed_length": 2,
    "xtc_probability": 0.0,
    "xtc_threshold": 0.1,
    "mirostat": 0,
    "mirostat_tau": 5.0,
    "mirostat_eta": 0.1,
}
_LATER_GUIDED = {"applies_to": "whole", "grammar_format": "auto"}


class Request(NamedTuple):
    """One conversation to be answered under effective settings, which all rows share."""

    conversation: Conversation
    config: InferenceConfig
    key: str = NO_KEY
    shared: Prefix = NO_PREFIX
    """What other conversations begin with as well, so that an API may cache it."""
    room: Room | None = None
    """What a sampler on this machine bounds an answer to; None where nobody has said."""
    begun: str = ""
    """How the answer begins, where an engine on this machine is to go on from there: the prompt
    ends with it."""


class KeyMaker:
    """Makes the key of a row: a hash of all that shapes its answer.

    `identity` is what the engine says of itself: its name, and which model answers from where.
    """

    def __init__(self, config: InferenceConfig, identity: Mapping[str, Any]):
        settings = {"generation": _shaping(config.generation), "engine": dict(identity)}
        generation = config.generation
        self._draws_by_seed = generation.seed is not None and generation.temperature > 0
        self._settings = new_digest()
        self._settings.update(write_json(settings, sort_keys=True))

    @property
    def settings_key(self) -> str:
        """A hash of everything but the conversation."""
        return self._settings.hexdigest()

    def key(self, conversation: Conversation, sample: int = 0, repeat: int = 0) -> str:
        """32 hexadecimal digits. The first sample has the key of a row without samples, and the
        first of equal rows that of a row without equals.
        """
        digest = self._settings.copy()
        digest.update(shaping_text(conversation))
        if sample:
            digest.update(b"sample %d" % sample)
        if repeat:
            digest.update(b"repeat %d" % repeat)
        return digest.hexdigest()

    def key_of(self, row: Row, conversation: Conversation) -> str:
        """The key of a row that is this conversation. Raises ValueError where it has no JSON."""
        repeat = self.repeat_of(row) if row.repeat else 0
        return self.key(conversation, row.sample, repeat)

    def repeat_of(self, row: Row) -> int:
        """How many equal rows before this one are asked with other seeds than it: none where the
        seed is the row's own, or nothing is drawn by it.
        """
        own = row.generation
        has_own_seed = own is not None and "seed" in own.model_fields_set
        return row.repeat if self._draws_by_seed and not has_own_seed else 0

    def row_key(self, row: Row) -> str:
        """The key of a row; NO_KEY where it is no conversation, or cannot be written as JSON."""
        if row.conversation is None:
            return NO_KEY
        try:
            return self.key_of(row, row.conversation)
        except ValueError:
            return NO_KEY


def _shaping(generation: GenerationParams) -> dict[str, Any]:
    values = generation.model_dump(mode="json", exclude=_LEFT_OUT)
    for name, default in _LATER.items():
        if values[name] == default:
            del values[name]
    guided = values["guided_decoding"] or {}
    # Keys of earlier versions are made with true for what is unset now.
    if guided and guided["strict"] is None:
        guided["strict"] = True
    for name, default in _LATER_GUIDED.items():
        if guided.get(name) == default:
            del guided[name]
    return values


def written_out(conversation: Conversation) -> str:
    """The messages of a conversation, each with its role; media by their kind alone."""
    lines = []
    for message in conversation.messages:
        items = [
            item.content or "" if item.is_text() else repr(item) for item in message.content_items
        ]
        calls = [f"{c.function.name}({c.function.arguments})" for c in message.tool_calls or ()]
        lines.append(f"{message.role}: " + "\n".join([*items, *calls]))
    return "\n".join(lines)
