"""Bedrock's Converse: a request to a body, a reply to a completion.

https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference.html
"""

from __future__ import annotations

from oumi.backends.remote.dialects.bedrock_decode import decode, decode_models, stream_decoder
from oumi.backends.remote.dialects.bedrock_encode import (
    adapted,
    check,
    encode,
    headers,
    model_id,
    settings,
    shared_body,
)
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

# https://docs.aws.amazon.com/bedrock/latest/APIReference/API_ListFoundationModels.html
models_path = "/foundation-models"


def path(config: InferenceConfig, *, stream: bool = False) -> str:
    """Holds the model."""
    verb = "converse-stream" if stream else "converse"
    return f"/model/{model_id(config)}/{verb}"
