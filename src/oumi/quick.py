"""The one-line way in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, overload

from oumi.core.configs import GenerationParams, InferenceConfig
from oumi.core.types.conversation import Conversation
from oumi.data.conversation_like import Conversations, is_one
from oumi.inference import InferenceEngine, build_engine


@overload
def infer(
    input: Conversation | str | Mapping[str, Any],
    config: InferenceConfig | None = ...,
    *,
    engine: InferenceEngine | None = ...,
    **generation: Any,
) -> Conversation: ...
@overload
def infer(
    input: Conversations | None = ...,
    config: InferenceConfig | None = ...,
    *,
    engine: InferenceEngine | None = ...,
    **generation: Any,
) -> Sequence[Conversation]: ...
def infer(
    input: Conversations | None = None,  # noqa: A002
    config: InferenceConfig | None = None,
    *,
    engine: InferenceEngine | None = None,
    **generation: Any,
) -> Conversation | Sequence[Conversation]:
    """Answer texts, conversations or lists of messages, one or many, or the file of `input_path`.

    `oumi.infer("What is 2+2?", max_new_tokens=32)` gives the finished conversation; a list gives
    a list. Further arguments are generation settings. An engine that is not handed in is made
    for this call from `config`, and closed. Raises InferenceError where rows failed.
    """
    config = (config or InferenceConfig()).merge(
        InferenceConfig(generation=GenerationParams(**generation))
    )
    if engine is not None:
        answers = engine.infer(input, config)
    else:
        with build_engine(config) as own:
            answers = own.infer(input, config)
    return answers[0] if input is not None and is_one(input) else answers
