"""Anthropic's messages API: a request to a body, a reply to a completion.

https://platform.claude.com/docs/en/api/messages
"""

from __future__ import annotations

from oumi.backends.remote.dialects.anthropic_decode import decode, stream_decoder
from oumi.backends.remote.dialects.anthropic_encode import (
    adapted,
    check,
    encode,
    headers,
    settings,
    shared_body,
)
from oumi.backends.remote.dialects.model_list import decode_models
from oumi.core.configs.inference_config import InferenceConfig

__all__ = [
    "adapted",
    "check",
    "decode",
    "decode_models",
    "encode",
    "headers",
    "models_path",
    "path",
    "settings",
    "shared_body",
    "stream_decoder",
]

models_path = "/models?limit=1000"


def path(config: InferenceConfig, *, stream: bool = False) -> str:
    """The same for all models, streamed or not."""
    return "/messages"
