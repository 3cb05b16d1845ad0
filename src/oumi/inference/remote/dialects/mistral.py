"""The Mistral API: the OpenAI chat API but for some names.

https://docs.mistral.ai/api/endpoint/chat
"""

from __future__ import annotations

from typing import Any

from oumi.core.configs import InferenceConfig
from oumi.inference.remote.dialects import chat
from oumi.inference.remote.providers import Provider

models_path = chat.models_path
path = chat.path
check = chat.check
adapted = chat.adapted
headers = chat.headers
encode = chat.encode
decode = chat.decode
stream_decoder = chat.stream_decoder
decode_models = chat.decode_models


def shared_body(config: InferenceConfig, provider: Provider) -> dict[str, Any]:
    """What all bodies have in common: a stream tells its usage unasked."""
    body = chat.shared_body(config, provider)
    del body["stream_options"]
    if "seed" in body:
        body["random_seed"] = body.pop("seed")
    return body
