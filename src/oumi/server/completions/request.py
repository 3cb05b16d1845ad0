"""Requests for completions.

https://platform.openai.com/docs/api-reference/completions/create
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from oumi.core.types.conversation import Conversation, Message, Role
from oumi.server.bodies import Body, read_body, read_fields
from oumi.server.http.errors import wrong_field
from oumi.server.openai_chat.request import check_only
from oumi.server.query import Query

_MOST_ANSWERS = 128
"""As many as OpenAI gives to a prompt, here of all prompts together."""

_WITHOUT_EFFECT = frozenset({"user"})
"""Fields that shape no answer. They are taken, and change nothing."""

_ONLY: dict[str, tuple[Any, ...]] = {"best_of": (1,), "suffix": ("",)}
"""Fields that have to have a value which asks for nothing."""

ECHO = "echo"
"""The fact of a query whose replies begin with the prompt."""


class CompletionBody(Body):
    """The body of a request; the settings in it are in `model_extra`."""

    model: str | None = None
    prompt: Any = None
    n: int | None = Field(default=None, ge=1, le=_MOST_ANSWERS)
    echo: bool | None = None
    logprobs: int | None = Field(default=None, ge=0, le=20)
    stream: bool | None = None
    stream_options: dict[str, Any] | None = None


def read_query(body: bytes) -> Query:
    """The query in a body. Raises HttpError, which names the field."""
    found = read_body(CompletionBody, body)
    first, *further = [_conversation(prompt) for prompt in _prompts(found.prompt)]
    fields = dict(found.model_extra or {})
    check_only(fields, _ONLY)
    settings, origins = read_fields(fields, _WITHOUT_EFFECT, CompletionBody)
    settings["apply_chat_template"], origins["apply_chat_template"] = False, "prompt"
    if found.logprobs is not None:
        if found.echo:  # which asks for those of the prompt
            raise wrong_field("echo", "it is not supported here together with logprobs")
        settings["logprobs"], origins["logprobs"] = found.logprobs, "logprobs"
    query = Query(
        found.model,
        first,
        settings,
        origins,
        further,
        samples=found.n or 1,
        stream=bool(found.stream),
        shows_usage=bool((found.stream_options or {}).get("include_usage")),
        facts={ECHO: bool(found.echo)},
    )
    if query.answers > _MOST_ANSWERS:
        raise wrong_field("n", f"{query.answers} answers; {_MOST_ANSWERS} are given at most")
    return query


def echoed(query: Query, index: int) -> str:
    """What an answer begins with, by its number: the prompt, where that is asked for."""
    if not query.facts[ECHO]:
        return ""
    asked = (query.conversation, *query.further)[index // query.samples]
    return asked.messages[0].compute_flattened_text_content("")


def _prompts(given: Any) -> list[str]:
    prompts = [given] if isinstance(given, str) else given
    if not isinstance(prompts, list) or not prompts:
        raise wrong_field("prompt", "expected a text, or a list of texts")
    for prompt in prompts:
        if isinstance(prompt, int | list):
            raise wrong_field("prompt", "token ids are not supported here: send the text")
        if not isinstance(prompt, str):
            raise wrong_field("prompt", "expected a text, or a list of texts")
    return prompts


def _conversation(prompt: str) -> Conversation:
    message = Message(role=Role.USER, content=prompt)
    return Conversation.model_construct(messages=[message], metadata={}, tools=None)
