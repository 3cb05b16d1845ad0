"""What an engine is asked, and the key under which its answer is recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from oumi.core.configs.generation_params import GenerationParams
from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.digest import new_digest
from oumi.core.json_text import write_json
from oumi.core.types.conversation import Conversation, Message
from oumi.data.source import NO_PREFIX, Prefix, Row
from oumi.structured.room import Room

NO_KEY = "0" * 32
"""The key of a row that cannot be read."""

# These do not shape an answer: with more repairs allowed, a row goes on from its recorded answers.
_LEFT_OUT: dict[str, Any] = {"batch_size": True, "guided_decoding": {"max_repairs"}}

# Settings of later versions. Keys of earlier ones are made without them, so they count where set.
_LATER: dict[str, Any] = {
    "allow_special_tokens": False,
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
        self._settings = new_digest()
        self._settings.update(write_json(settings, sort_keys=True))

    @property
    def settings_key(self) -> str:
        """A hash of everything but the conversation."""
        return self._settings.hexdigest()

    def key(self, conversation: Conversation) -> str:
        """32 hexadecimal digits."""
        digest = self._settings.copy()
        digest.update(write_json([_message_parts(m) for m in conversation.messages]))
        if conversation.tools:
            tools = [tool.model_dump(mode="json") for tool in conversation.tools]
            digest.update(write_json(tools, sort_keys=True))
        return digest.hexdigest()

    def row_key(self, row: Row) -> str:
        """The key of a row; NO_KEY where it is no conversation, or cannot be written as JSON."""
        if row.conversation is None:
            return NO_KEY
        try:
            return self.key(row.conversation)
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


def _message_parts(message: Message) -> Any:
    if isinstance(message.content, str) and not (message.tool_calls or message.content_blocks):
        return (
            message.role,
            message.content,
            message.name,
            message.tool_call_id,
            message.reasoning_content,
        )
    parts = message.model_dump(mode="json", exclude={"id", "cache_control"})
    # Keys of earlier versions are made without the fields that these did not have.
    if message.reasoning_details is None:
        del parts["reasoning_details"]
    if isinstance(message.content, list):
        parts["content"] = [_only(item, _ITEM, _LATER_ITEM) for item in parts["content"]]
    for call in parts["tool_calls"] or ():
        call["function"] = _only(call["function"], _FUNCTION)
    if parts["tool_calls"]:
        parts["tool_calls"] = [_only(call, _CALL) for call in parts["tool_calls"]]
    return parts


_ITEM, _LATER_ITEM = ("type", "content", "binary"), ("detail", "format", "filename")
_CALL, _FUNCTION = ("id", "type", "function", "extra_content"), ("name", "arguments")


def _only(
    value: dict[str, Any], names: tuple[str, ...], later: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The fields that are sent to a model; of those of later versions, what is set."""
    fields = {name: value[name] for name in names}
    return fields | {name: value[name] for name in later if value[name] is not None}
