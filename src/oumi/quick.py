"""The one-line way in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, overload

from oumi.backends.engine_choice import with_engine
from oumi.core.configs import (
    GenerationParams,
    GuidedDecodingParams,
    InferenceConfig,
    ModelParams,
)
from oumi.core.types.conversation import ContentItem, Conversation, Message, Role, Type
from oumi.data.conversation_like import ConversationLike, Conversations, is_one, to_conversations
from oumi.inference import InferenceEngine, build_engine


@overload
def infer(
    input: Conversations,
    config: InferenceConfig | None = ...,
    *,
    n: int,
    model: str | None = ...,
    system: str | None = ...,
    schema: Any = ...,
    engine: InferenceEngine | str | None = ...,
    system_prompt: str | None = ...,
    input_image_bytes: Sequence[bytes] | None = ...,
    progress: bool | None = ...,
    **generation: Any,
) -> Sequence[Conversation]: ...
@overload
def infer(
    input: Conversation | str | Mapping[str, Any],
    config: InferenceConfig | None = ...,
    *,
    model: str | None = ...,
    system: str | None = ...,
    schema: Any = ...,
    engine: InferenceEngine | str | None = ...,
    system_prompt: str | None = ...,
    input_image_bytes: Sequence[bytes] | None = ...,
    progress: bool | None = ...,
    **generation: Any,
) -> Conversation: ...
@overload
def infer(
    input: Conversations | None = ...,
    config: InferenceConfig | None = ...,
    *,
    inputs: Iterable[ConversationLike] | None = ...,
    model: str | None = ...,
    system: str | None = ...,
    schema: Any = ...,
    engine: InferenceEngine | str | None = ...,
    inference_engine: InferenceEngine | None = ...,
    system_prompt: str | None = ...,
    input_image_bytes: Sequence[bytes] | None = ...,
    progress: bool | None = ...,
    **generation: Any,
) -> Sequence[Conversation]: ...
@overload
def infer(
    input: InferenceConfig,
    config: Iterable[ConversationLike] | None = ...,
    *,
    inputs: Iterable[ConversationLike] | None = ...,
    inference_engine: InferenceEngine | None = ...,
    system_prompt: str | None = ...,
    input_image_bytes: Sequence[bytes] | None = ...,
) -> Sequence[Conversation]: ...
def infer(
    input: Conversations | InferenceConfig | None = None,  # noqa: A002
    config: InferenceConfig | Conversations | None = None,
    *,
    inputs: Iterable[ConversationLike] | None = None,
    model: str | None = None,
    system: str | None = None,
    schema: Any = None,
    engine: InferenceEngine | str | None = None,
    inference_engine: InferenceEngine | None = None,
    system_prompt: str | None = None,
    input_image_bytes: Sequence[bytes] | None = None,
    progress: bool | None = None,
    **generation: Any,
) -> Conversation | Sequence[Conversation]:
    """Answer texts, conversations or lists of messages, one or many, or the file of `input_path`.

    `oumi.infer("What is 2+2?", max_new_tokens=32)` gives the finished conversation; a list gives
    a list. `model` is a model's name, `system` a system prompt in front of each question, `schema`
    whatever `guided_decoding.json` takes, such as a Pydantic model; further arguments are
    generation settings. With `num_samples`, or `n` for short, a list holds so many answers to each
    question, one after the other. `engine` is an engine or the name of one; unless an engine is
    handed in, one is made for this call and closed. `progress` is that of `InferenceEngine.infer`.

    `infer(config, inputs)` is the same in the order of the upstream library, whose names
    `inference_engine` and `system_prompt` are taken too. Raises InferenceError where rows failed.
    """
    given, settings = _in_order(input, config)
    rows = given if inputs is None else inputs
    engine = engine if inference_engine is None else inference_engine
    name = engine if isinstance(engine, str) else None
    merged = settings.merge(_settings(model, name, schema, generation))
    is_sampled = "num_samples" in merged.generation.model_fields_set
    single = rows is not None and is_one(rows) and not is_sampled
    system = system if system is not None else system_prompt
    if rows is not None and (system or input_image_bytes):
        asked = to_conversations(rows)
        rows = [_prepend(row, system, input_image_bytes or ()) for row in asked]
    answers = _answers(rows, merged, engine, progress)
    return answers[0] if single else answers


def get_engine(config: InferenceConfig) -> InferenceEngine:
    """The engine that the settings name, or that fits their model."""
    return build_engine(config)


def _in_order(
    first: Conversations | InferenceConfig | None, second: InferenceConfig | Conversations | None
) -> tuple[Conversations | None, InferenceConfig]:
    """The rows and the settings, whichever of both came first."""
    if isinstance(first, InferenceConfig):
        first, second = second, first
    if isinstance(first, InferenceConfig) or not isinstance(second, InferenceConfig | None):
        raise TypeError("expected one InferenceConfig, and the conversations beside it")
    return first, second or InferenceConfig()


def _settings(
    model: str | None, engine: str | None, schema: Any, generation: dict[str, Any]
) -> InferenceConfig:
    """The arguments of a call as settings; only those that are given are set."""
    if schema is not None:
        generation = {**generation, "guided_decoding": GuidedDecodingParams(json=schema)}
    given: dict[str, Any] = {"generation": GenerationParams(**generation)}
    if model is not None:
        given["model"] = ModelParams(model_name=model)
    if engine is not None:
        given["engine"] = engine
    return InferenceConfig(**given)


def _answers(
    rows: Conversations | None,
    config: InferenceConfig,
    engine: InferenceEngine | str | None,
    progress: bool | None,
) -> Sequence[Conversation]:
    if isinstance(engine, InferenceEngine):
        return engine.infer(rows, config, progress=progress)
    config = with_engine(config)
    with build_engine(config) as own:
        return own.infer(rows, config, progress=progress)


def _prepend(row: Conversation, system_prompt: str | None, images: Sequence[bytes]) -> Conversation:
    """The conversation with a system message at its beginning, and images in its last message."""
    messages = list(row.messages)
    if images:
        items = [ContentItem(type=Type.IMAGE_BINARY, binary=image) for image in images]
        content = [*items, *messages[-1].content_items]
        messages[-1] = messages[-1].model_copy(update={"content": content})
    if system_prompt:
        messages.insert(0, Message(role=Role.SYSTEM, content=system_prompt))
    return row.model_copy(update={"messages": messages})
