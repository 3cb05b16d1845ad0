"""Requests for chat completions.

https://platform.openai.com/docs/api-reference/chat/create
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from oumi.core.types.conversation import Conversation, Message
from oumi.core.types.tool_call import ToolDefinition
from oumi.server.bodies import Body, read_body, read_fields
from oumi.server.http.errors import wrong_field
from oumi.server.query import Query

_MOST_SAMPLES = 128
"""As many as OpenAI takes."""

WITHOUT_EFFECT = frozenset(
    {
        *("user", "safety_identifier", "metadata"),  # say whom a request is for
        *("prompt_cache_key", "prompt_cache_retention", "prediction"),  # save time, if anything
    }
)
"""Fields that shape no answer. They are taken, and change nothing."""

_ONLY: dict[str, tuple[Any, ...]] = {
    "store": (False,),
    "service_tier": ("auto", "default"),
    "modalities": (["text"],),
    "verbosity": ("medium",),
}
"""Fields that have to have a value which asks for nothing."""


class ChatBody(Body):
    """The body of a request; the settings in it are in `model_extra`."""

    model: str | None = None
    messages: list[Message] = Field(min_length=1)
    tools: list[ToolDefinition] | None = None
    n: int | None = Field(default=None, ge=1, le=_MOST_SAMPLES)
    stream: bool | None = None
    stream_options: dict[str, Any] | None = None


def read_query(body: bytes) -> Query:
    """The query in a body. Raises HttpError, which names the field."""
    found = read_body(ChatBody, body)
    fields = dict(found.model_extra or {})
    check_only(fields)
    settings, origins = read_fields(fields, WITHOUT_EFFECT, ChatBody)
    options = found.stream_options or {}
    return Query(
        found.model,
        Conversation.of_valid(found.messages, found.tools),
        settings,
        origins,
        samples=found.n or 1,
        stream=bool(found.stream),
        shows_usage=bool(options.get("include_usage")),
    )


def check_only(fields: dict[str, Any], more: Mapping[str, tuple[Any, ...]] | None = None) -> None:
    """Take out the fields that ask for nothing. Raises HttpError where one asks for something.

    `more` are further ones that an API has, with the values that they may have.
    """
    only = _ONLY if more is None else {**_ONLY, **more}
    for name in fields.keys() & only.keys():
        value, values = fields.pop(name), only[name]
        if value is not None and value not in values:
            said = " or ".join(str(one) for one in values)
            raise wrong_field(name, f"only {said} is supported here")
