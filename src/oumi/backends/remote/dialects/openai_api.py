"""What OpenAI's two APIs, of chats and of prompts as they are, have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from oumi.backends.remote.dialects.reply import decode_object, no_answer
from oumi.backends.remote.dialects.stream import ReplyStream, decode_stream, is_stream
from oumi.backends.remote.errors import UnreadableAnswerError
from oumi.backends.setting_map import field
from oumi.core.configs import InferenceConfig
from oumi.core.json_text import write_json
from oumi.core.types.completion import Completion

ChoiceT = TypeVar("ChoiceT", bound=Mapping[str, Any])


def write_body(body: dict[str, Any], *, stream: bool) -> bytes:
    """The text of a body, with what makes its answer a stream."""
    if stream:
        body["stream"] = True
    else:
        body.pop("stream_options", None)  # no one else may ask for usage
    return write_json(body)


def decode_reply(
    body: bytes,
    config: InferenceConfig,
    stream_decoder: Callable[[InferenceConfig], ReplyStream],
    find_choice: Callable[[Any], ChoiceT | None],
    decode_choice: Callable[[ChoiceT, Any, InferenceConfig], Completion],
) -> Completion:
    """The completion in a reply: in the choice that is found among its `choices`.

    Raises BadReplyError for a body without an answer, UnreadableAnswerError for a strange one.
    """
    if is_stream(body):
        return decode_stream(stream_decoder(config), body)
    data = decode_object(body)
    choice = find_choice(data.get("choices"))
    if choice is None:
        raise no_answer(body)
    try:
        return decode_choice(choice, data.get("usage"), config)
    except Exception as error:
        raise UnreadableAnswerError(f"an answer in a strange form: {error}", body) from error


# Values that change nothing are left out, because not every server knows every field.
SAMPLING = {
    "generation.temperature": field("temperature"),
    "generation.top_p": field("top_p"),
    "generation.top_k": field("top_k"),
    "generation.min_p": field("min_p", unless=0),
    "generation.frequency_penalty": field("frequency_penalty", unless=0),
    "generation.presence_penalty": field("presence_penalty", unless=0),
    "generation.seed": field("seed"),
    "generation.repetition_penalty": field("repetition_penalty", unless=1.0),
    "generation.min_tokens": field("min_tokens", unless=0),
    "generation.stop_strings": field("stop", unless=[]),
    "generation.stop_token_ids": field("stop_token_ids", unless=[]),
    "generation.logit_bias": field("logit_bias", unless={}),
    "generation.skip_special_tokens": field("skip_special_tokens", unless=True),
}
