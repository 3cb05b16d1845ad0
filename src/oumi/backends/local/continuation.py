"""Answers that go on from a text: a last message of the assistant, or what was generated before."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from llguidance import LLMatcher, LLTokenizer

from oumi.backends.local.reasoning import split_reasoning
from oumi.core.configs import GenerationParams, GuidedDecodingParams
from oumi.errors import RequestError
from oumi.runner.prefill import prefill_of
from oumi.runner.request import Request
from oumi.structured.sampler.grammar import to_lark


def continue_final_message(request: Request) -> tuple[Request, str | None]:
    """The request whose answer begins with the assistant's last message, and that message's text.

    The request as it is, and None, where it is not to be continued. Raises RequestError for a
    message that cannot be.
    """
    text = prefill_of(request.conversation, request.config.generation)
    if text is None:
        return request, None
    messages = request.conversation.messages[:-1]
    conversation = request.conversation.model_copy(update={"messages": messages})
    request = request._replace(conversation=conversation, begun=text)
    check_start(request)
    return request, text


def form_of_rest(request: Request) -> GuidedDecodingParams | None:
    """The form of what is still to be generated; None where nothing is asked of it.

    For samplers that start a form anew. Of a form that the answer as a whole has to have, they can
    keep to the rest of a choice; of others the whole is validated.
    """
    guided = request.config.generation.guided_decoding
    start = begun_form(request)
    if guided is None or not start:
        return guided
    if guided.choice is None:
        return None
    rests = [text[len(start) :] for text in guided.choice if text.startswith(start)]
    return GuidedDecodingParams(regex="|".join(f"({re.escape(rest)})" for rest in rests))


def with_form_of_rest(request: Request) -> GenerationParams:
    """The generation settings with that form in place of the whole one."""
    generation, form = request.config.generation, form_of_rest(request)
    if form is generation.guided_decoding:
        return generation
    return generation.model_copy(update={"guided_decoding": form})


def begun_form(request: Request) -> str:
    """How the part of the answer begins that has to have a form; a thought is no part of it."""
    guided = request.config.generation.guided_decoding
    if guided is None or guided.applies_to == "continuation":
        return ""
    return split_reasoning(request.begun)[1]


def check_start(request: Request) -> None:
    """Raise RequestError for an answer that begins as no text of its form does."""
    guided, start = request.config.generation.guided_decoding, begun_form(request)
    if guided is None or not start:
        return
    tokenizer, matcher = _matcher(to_lark(guided))
    tokens = tokenizer.tokenize_bytes(start.encode())
    if matcher.deep_copy().try_consume_tokens(tokens) < len(tokens):
        raise RequestError(
            f"no answer of the form begins with the message to be continued, {start!r:.80}; with "
            "guided_decoding.applies_to: continuation only what is added has to have the form"
        )


@lru_cache(maxsize=64)
def _matcher(lark: str) -> tuple[Any, Any]:
    tokenizer = LLTokenizer("byte")
    return tokenizer, LLMatcher(tokenizer, lark, log_level=0)
