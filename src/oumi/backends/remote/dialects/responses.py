"""OpenAI's Responses API: a request to a body, a reply to a completion.

https://platform.openai.com/docs/api-reference/responses
"""

from __future__ import annotations

from oumi.backends.remote.dialects.model_list import decode_models
from oumi.backends.remote.dialects.responses_decode import decode, stream_decoder
from oumi.backends.remote.dialects.responses_encode import (
    adapted,
    check,
    encode,
    headers,
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

models_path = "/models"


def path(config: InferenceConfig, *, stream: bool = False) -> str:
    """The same for all models, streamed or not."""
    return "/responses"
