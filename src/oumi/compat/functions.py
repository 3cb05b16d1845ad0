"""Functions that the upstream library has and this one does not need itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from oumi.backends.openai_chat import encode_messages
from oumi.backends.registry import find_engine
from oumi.core.configs import (
    GenerationParams,
    InferenceConfig,
    InferenceEngineType,
    ModelParams,
    RemoteParams,
)
from oumi.core.types.conversation import Conversation, Message
from oumi.inference import InferenceEngine, build_engine
from oumi.inference.build import load_class


class _EngineMap(Mapping[InferenceEngineType, type[InferenceEngine]]):
    """The class of each engine. Only the one that is asked for is loaded."""

    def __getitem__(self, engine: InferenceEngineType) -> type[InferenceEngine]:
        return load_class(find_engine(engine))

    def __iter__(self) -> Iterator[InferenceEngineType]:
        return iter(InferenceEngineType)

    def __len__(self) -> int:
        return len(InferenceEngineType)


ENGINE_MAP = _EngineMap()


def build_inference_engine(
    engine_type: InferenceEngineType | str,
    model_params: ModelParams,
    remote_params: RemoteParams | None = None,
    generation_params: GenerationParams | None = None,
) -> InferenceEngine:
    """An engine by its type. Raises ConfigError for a name that no engine has."""
    return build_engine(
        InferenceConfig(
            engine=engine_type,
            model=model_params,
            generation=generation_params or GenerationParams(),
            remote_params=remote_params,
        )
    )


def create_list_of_message_json_dicts(
    messages: Sequence[Message], *, group_adjacent_same_role_turns: bool
) -> list[dict[str, Any]]:
    """Messages as dicts in the form of OpenAI's chat API, images as data URLs.

    If asked to, neighbours of one role become one message with all their parts, unless they call
    tools or answer a call.
    """
    if not group_adjacent_same_role_turns:
        return encode_messages(Conversation(messages=list(messages)))
    grouped: list[dict[str, Any]] = []
    for (role, is_plain), group in groupby(messages, lambda m: (m.role, _is_plain(m))):
        dicts = encode_messages(Conversation(messages=list(group)))
        if is_plain and len(dicts) > 1:
            parts = [part for message in dicts for part in _parts(message["content"])]
            dicts = [{"role": role.value, "content": parts}]
        grouped += dicts
    return grouped


def load_file(filename: str | Path, encoding: str = "utf-8") -> str:
    """The text of a file."""
    return Path(filename).read_text(encoding)


def load_json(filename: str | Path) -> Any:
    """The value of a JSON file."""
    return json.loads(load_file(filename))


def save_json(data: Any, filename: str | Path, indent: int = 2) -> None:
    """Write a value to a JSON file."""
    Path(filename).write_text(json.dumps(data, indent=indent), "utf-8")


def load_jsonlines(filename: str | Path) -> list[dict[str, Any]]:
    """The values of a JSONL file; empty lines are passed over."""
    return [json.loads(line) for line in load_file(filename).split("\n") if line.strip()]


def save_jsonlines(filename: str | Path, data: Sequence[Mapping[str, Any]]) -> None:
    """Write values to a JSONL file, one a line."""
    Path(filename).write_text("".join(json.dumps(value) + "\n" for value in data), "utf-8")


def _is_plain(message: Message) -> bool:
    return not (message.tool_calls or message.tool_call_id)


def _parts(content: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content
