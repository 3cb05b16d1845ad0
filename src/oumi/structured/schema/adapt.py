"""A constraint adapted to a provider: what the provider is sent, and how to restore its answers.

The schema is sent in the strictest mode that the provider's profile and the schema allow:

    strict        rewritten for the profile, and enforced by the provider
    not strict    unchanged, where the provider has a switch for that
    tool          as the parameters of a tool that the model has to call
    prompt        as text in the prompt

Whichever it is, each answer is validated here against the original schema.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import orjson

from oumi.core.configs.guided_decoding_params import GuidedDecodingParams
from oumi.core.json_schema.regex import anchor
from oumi.core.json_schema.regex_forms import without_assertions
from oumi.core.json_text import write_json
from oumi.core.types.conversation import Conversation, Message, Role
from oumi.structured.schema.errors import SchemaNotSupportedError
from oumi.structured.schema.limits import check_limits
from oumi.structured.schema.profiles import OPENAI, SchemaMode, SchemaProfile
from oumi.structured.schema.restore import Restore, make_restore, remove_hints
from oumi.structured.schema.rewrite import rewrite, wrap

_PROMPT_MODES = (SchemaMode.JSON, SchemaMode.PROMPT)


@dataclass(frozen=True)
class AdaptedSchema:
    """A schema as a provider accepts it."""

    mode: SchemaMode
    schema: dict[str, Any] | None
    """The value of the provider's field; None if it is only in the prompt."""
    strict: bool = False
    """Whether the provider is asked to enforce it."""
    instruction: str | None = None
    """Text that the prompt has to contain."""
    restore: Restore | None = field(default=None, compare=False)
    """Turns the JSON value of an answer into a value of the original schema; None if it is one."""
    unenforced: tuple[str, ...] = ()
    """Keywords that the provider does not enforce; only validation does."""
    reason: str | None = None
    """Why the schema could not be rewritten for the profile."""


def adapt_guided(guided: GuidedDecodingParams, profile: SchemaProfile) -> AdaptedSchema:
    """Adapt a constraint of any form but a grammar, which raises ValueError.

    A choice becomes an `enum` and a regular expression a `pattern`. Answers to them are JSON, of
    which `restore` takes the text.
    """
    if guided.json is not None:
        return adapt(guided.json, profile, strict=guided.strict is not False)
    if guided.choice is not None:
        listed = "\n".join(f"- {text}" for text in guided.choice)
        instruction = f"Answer with exactly one of these texts, and with nothing else:\n{listed}"
        schema: dict[str, Any] = {"type": "string", "enum": guided.choice}
    elif guided.regex is not None:
        expression = guided.regex
        instruction = f"Answer only with a text that matches this regular expression:\n{expression}"
        schema = {"type": "string", "pattern": anchor(without_assertions(expression))}
    else:
        raise ValueError("a grammar cannot be expressed as a schema")
    adapted = adapt(schema, profile, strict=guided.strict is not False)
    if adapted.schema is None:  # nothing is enforced, so the bare text is asked for, not JSON
        return AdaptedSchema(
            SchemaMode.PROMPT, None, instruction=instruction, reason=adapted.reason
        )
    return replace(adapted, restore=adapted.restore or _unchanged)


def adapt(schema: dict[str, Any], profile: SchemaProfile, *, strict: bool = True) -> AdaptedSchema:
    """Adapt a schema of the normal form (`to_json_schema`).

    `strict` asks for strict mode where the provider has a switch for it. Never raises for what a
    provider does not accept: the profile's fallback mode takes any schema.
    """
    return _adapt(write_json(schema), profile, strict)


@lru_cache(maxsize=64)
def _adapt(text: bytes, profile: SchemaProfile, strict: bool) -> AdaptedSchema:
    schema: dict[str, Any] = orjson.loads(text)
    if profile.mode is not SchemaMode.SCHEMA:
        return _send_unchanged(schema, profile, profile.mode)
    if not profile.rewrites:
        return AdaptedSchema(SchemaMode.SCHEMA, schema, strict and is_strict(schema))
    if profile.has_strict and not strict:
        return _send_unchanged(schema, profile, profile.fallback)
    try:
        rewritten, unenforced = rewrite(schema, profile)
        sent = remove_hints(rewritten)
        check_limits(sent, profile)
        restore = make_restore(rewritten)
    except SchemaNotSupportedError as error:
        return _send_unchanged(schema, profile, profile.fallback, str(error))
    instruction = _instruction(sent) if profile.in_prompt else None
    return AdaptedSchema(
        SchemaMode.SCHEMA, sent, profile.has_strict, instruction, restore, unenforced
    )


def add_instruction(conversation: Conversation, adapted: AdaptedSchema | None) -> Conversation:
    """A copy with the instruction, if there is one, at the end of its system message."""
    if adapted is None or adapted.instruction is None:
        return conversation
    first, *others = conversation.messages
    if first.role in (Role.SYSTEM, Role.DEVELOPER) and isinstance(first.content, str):
        system = first.model_copy(update={"content": f"{first.content}\n\n{adapted.instruction}"})
        return conversation.model_copy(update={"messages": [system, *others]})
    system = Message(role=Role.SYSTEM, content=adapted.instruction)
    return conversation.model_copy(update={"messages": [system, *conversation.messages]})


def is_strict(schema: dict[str, Any]) -> bool:
    """Whether a schema meets OpenAI's rules for strict mode without being rewritten."""
    try:
        rewritten, _ = rewrite(schema, OPENAI)
        check_limits(schema, OPENAI)
    except SchemaNotSupportedError:
        return False
    return bool(rewritten == schema)


def _send_unchanged(
    schema: dict[str, Any], profile: SchemaProfile, mode: SchemaMode, reason: str | None = None
) -> AdaptedSchema:
    """The original schema; only an object is put around it, where the root has to be one."""
    if mode in _PROMPT_MODES:
        return AdaptedSchema(mode, None, instruction=_instruction(schema), reason=reason)
    restore = None
    if profile.object_root and schema.get("type") != "object":
        wrapper = wrap(schema)
        schema, restore = remove_hints(wrapper), make_restore(wrapper)
    instruction = _instruction(schema) if profile.in_prompt else None
    return AdaptedSchema(mode, schema, False, instruction, restore, reason=reason)


def _unchanged(value: Any) -> Any:
    """Restores nothing; that it is there says that answers are JSON."""
    return value


def _instruction(schema: dict[str, Any]) -> str:
    text = write_json(schema).decode()
    return f"Answer with JSON only, without any other text, that meets this JSON schema:\n{text}"
