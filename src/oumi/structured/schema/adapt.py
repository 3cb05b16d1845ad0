"""What a provider is sent for a form that answers are to have, and how its answers are turned back.

The schema goes in the strictest way that the provider's rules (rules.py) and the schema allow:

    strict       rewritten to meet the rules, and kept to the letter by the provider
    not strict   as it is, where there is a switch for that
    by a tool    as what a tool takes that the model has to call
    in words     in the prompt

Whichever it is, each answer is validated here against the schema as it was given.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import orjson

from oumi.core.configs import GuidedDecodingParams
from oumi.core.json_schema.regex import whole
from oumi.core.types.conversation import Conversation, Message, Role
from oumi.structured.schema.limits import check_limits
from oumi.structured.schema.merge import SchemaNotSupportedError
from oumi.structured.schema.profiles import OPENAI, Form, SchemaProfile
from oumi.structured.schema.restore import make_restore, strip
from oumi.structured.schema.rewrite import rewrite, wrap
from oumi.structured.validate import Restore

_IN_WORDS = (Form.JSON, Form.PROMPT)


@dataclass(frozen=True)
class Adapted:
    """A schema in the form in which a provider takes it."""

    form: Form
    schema: dict[str, Any] | None
    """What goes into the provider's field; None where it has none."""
    strict: bool = False
    """Whether the provider is asked to keep it to the letter."""
    instruction: str | None = None
    """What has to stand in the prompt."""
    restore: Restore | None = field(default=None, compare=False)
    """The way back for the value of an answer in JSON; None where answers come as they are
    wanted."""
    unkept: tuple[str, ...] = ()
    """Keywords that the provider does not keep; they are checked here."""
    reason: str | None = None
    """Why the schema does not meet the provider's rules."""


def adapt_guided(guided: GuidedDecodingParams, rules: SchemaProfile) -> Adapted:
    """What a provider is sent. A choice becomes an `enum` and an expression a `pattern`, which
    `restore` turns into bare text again. A grammar has no such form: ValueError.
    """
    if guided.json is not None:
        return adapt(guided.json, rules, strict=guided.strict)
    if guided.choice is not None:
        listed = "\n".join(f"- {text}" for text in guided.choice)
        words = f"Answer with exactly one of these texts, and with nothing else:\n{listed}"
        schema: dict[str, Any] = {"type": "string", "enum": guided.choice}
    elif guided.regex is not None:
        words = f"Answer only with a text that matches this regular expression:\n{guided.regex}"
        schema = {"type": "string", "pattern": whole(guided.regex)}
    else:
        raise ValueError("a grammar cannot be told as a schema")
    adapted = adapt(schema, rules, strict=guided.strict)
    if adapted.schema is None:
        return Adapted(Form.PROMPT, None, instruction=words, reason=adapted.reason)
    return replace(adapted, restore=adapted.restore or _unchanged)


def adapt(schema: dict[str, Any], rules: SchemaProfile, *, strict: bool = True) -> Adapted:
    """A schema of the normal form (`to_json_schema`) as a provider takes it; `strict` asks for
    strict mode where there is a choice. Never raises for what a provider does not take.
    """
    return _adapt(orjson.dumps(schema), rules, strict)


@lru_cache(maxsize=64)
def _adapt(text: bytes, rules: SchemaProfile, strict: bool) -> Adapted:
    schema: dict[str, Any] = orjson.loads(text)
    if rules.form in _IN_WORDS or rules.form is Form.TOOL:
        return _as_it_is(schema, rules, rules.form)
    if not rules.rewrites:
        return Adapted(Form.SCHEMA, schema, strict and is_strict(schema))
    if rules.has_strict and not strict:
        return _as_it_is(schema, rules, rules.otherwise)
    try:
        marked, unkept = rewrite(schema, rules)
        sent = strip(marked)
        check_limits(sent, rules)
        restore = make_restore(marked)
    except SchemaNotSupportedError as error:
        return _as_it_is(schema, rules, rules.otherwise, str(error))
    words = _in_words(sent) if rules.in_prompt else None
    return Adapted(Form.SCHEMA, sent, rules.has_strict, words, restore, unkept)


def tell(conversation: Conversation, adapted: Adapted | None) -> Conversation:
    """The conversation with what has to stand in the prompt, at the end of its system message."""
    if adapted is None or adapted.instruction is None:
        return conversation
    first, *others = conversation.messages
    if first.role == Role.SYSTEM and isinstance(first.content, str):
        told = first.model_copy(update={"content": f"{first.content}\n\n{adapted.instruction}"})
        return conversation.model_copy(update={"messages": [told, *others]})
    told = Message(role=Role.SYSTEM, content=adapted.instruction)
    return conversation.model_copy(update={"messages": [told, *conversation.messages]})


def is_strict(schema: dict[str, Any]) -> bool:
    """Whether a schema meets OpenAI's rules as it is."""
    try:
        marked, _ = rewrite(schema, OPENAI)
        check_limits(schema, OPENAI)
    except SchemaNotSupportedError:
        return False
    return bool(marked == schema)


def _as_it_is(
    schema: dict[str, Any], rules: SchemaProfile, form: Form, reason: str | None = None
) -> Adapted:
    if form in _IN_WORDS:
        return Adapted(form, None, instruction=_in_words(schema), reason=reason)
    restore = None
    if rules.object_root and schema.get("type") != "object":
        wrapped = wrap(schema)
        schema, restore = strip(wrapped), make_restore(wrapped)
    words = _in_words(schema) if rules.in_prompt else None
    return Adapted(form, schema, False, words, restore, reason=reason)


def _unchanged(value: Any) -> Any:
    return value


def _in_words(schema: dict[str, Any]) -> str:
    text = orjson.dumps(schema).decode()
    return f"Answer with JSON only, without any other text, that meets this JSON schema:\n{text}"
