"""A schema, scripted replies of a server to it, and short ways to make engines and settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from oumi.core.configs import (
    GenerationParams,
    GuidedDecodingParams,
    InferenceConfig,
    ModelParams,
    RemoteParams,
)
from oumi.core.types import Conversation
from oumi.inference import OpenAIInferenceEngine
from tests.conftest import ask
from tests.fault_server import FaultServer

LAMP = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "price": {"type": "number"}},
    "required": ["name", "price"],
    "additionalProperties": False,
}
GOOD = '{"name": "lamp", "price": 9}'
WRONG = '{"name": "lamp", "price": "nine"}'


def reply(text: str | None, finish_reason: str = "stop", **message: Any) -> dict[str, Any]:
    """A step of a row's script: the server replies with this text."""
    message = {"content": text, **message}
    return {"kind": "answer", "message": message, "finish_reason": finish_reason}


def engine(server: FaultServer, **remote: Any) -> OpenAIInferenceEngine:
    params = RemoteParams(api_url=server.api_url, api_key="sk-test", **remote)
    return OpenAIInferenceEngine(ModelParams(model_name="gpt-4o-mini"), remote_params=params)


def settings(max_repairs: int = 1, **fields: Any) -> InferenceConfig:
    guided = GuidedDecodingParams(json=LAMP, max_repairs=max_repairs)
    generation = GenerationParams(max_new_tokens=100, guided_decoding=guided)
    return InferenceConfig(generation=generation, **fields)


def rows(count: int) -> list[Conversation]:
    return [ask(f"row-{i}", conversation_id=f"id-{i}") for i in range(count)]


def write_rows(path: Path, count: int) -> Path:
    path.write_text("".join(row.to_json() + "\n" for row in rows(count)))
    return path


def bodies(server: FaultServer) -> list[dict[str, Any]]:
    """The bodies of the requests that the server received, at most the last twenty."""
    return [json.loads(seen["body"]) for seen in server.stats()["last"]]
