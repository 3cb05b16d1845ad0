"""The one-line way in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

from oumi.core.configs import GenerationParams, InferenceConfig
from oumi.core.types.conversation import Conversation, Message, Role
from oumi.inference import InferenceEngine, build_engine

Question = str | Conversation


@overload
def infer(
    input: Question,
    config: InferenceConfig | None = ...,
    *,
    engine: InferenceEngine | None = ...,
    **generation: Any,
) -> Conversation: ...
@overload
def infer(
    input: Sequence[Question] | None = ...,
    config: InferenceConfig | None = ...,
    *,
    engine: InferenceEngine | None = ...,
    **generation: Any,
) -> Sequence[Conversation]: ...
def infer(
    input: Question | Sequence[Question] | None = None,  # noqa: A002
    config: InferenceConfig | None = None,
    *,
    engine: InferenceEngine | None = None,
    **generation: Any,
) -> Conversation | Sequence[Conversation]:
    """Answer questions: texts or conversations, one or many, or the file of `config.input_path`.

    `oumi.infer("What is 2+2?", max_new_tokens=32)` gives the finished conversation; a list gives
    a list. Further arguments are generation settings. An engine that is not handed in is made
    for this call from `config`, and closed. Raises InferenceError where rows failed.
    """
    config = (config or InferenceConfig()).merge(
        InferenceConfig(generation=GenerationParams(**generation))
    )
    questions = [input] if isinstance(input, Question) else input
    conversations = None if questions is None else [_conversation(q) for q in questions]
    if engine is not None:
        answers = engine.infer(conversations, config)
    else:
        with build_engine(config) as own:
            answers = own.infer(conversations, config)
    return answers[0] if isinstance(input, Question) else answers


def _conversation(question: Question) -> Conversation:
    if isinstance(question, Conversation):
        return question
    return Conversation(messages=[Message(role=Role.USER, content=question)])
