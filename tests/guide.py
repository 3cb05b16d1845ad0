"""The guide's block on structured outputs, as it stands there but for the engine's class."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import BaseModel

from oumi.core.configs import (
    GenerationParams,
    GuidedDecodingParams,
    InferenceConfig,
    ModelParams,
)
from oumi.core.types.conversation import Conversation, Message, Role
from oumi.inference import InferenceEngine


class ProductInfo(BaseModel):
    """What an answer has to look like."""

    name: str
    price: float
    features: list[str]
    color: str


def extract_product(
    engine_class: Callable[..., InferenceEngine], model: ModelParams
) -> tuple[InferenceEngine, Conversation, ProductInfo]:
    """The engine, which is the caller's to close, the conversation, and the product in it."""
    config = InferenceConfig(
        model=model,
        generation=GenerationParams(
            max_new_tokens=512,
            temperature=0,
            guided_decoding=GuidedDecodingParams(json=ProductInfo.model_json_schema()),
        ),
    )
    engine = engine_class(
        model_params=config.model,
        remote_params=config.remote_params,
    )
    text = (
        "I'd like to tell you about the new iPhone 15. It's priced at $999 and comes with "
        "some amazing features including the A17 Pro chip, USB-C connectivity, and a premium "
        "Titanium design."
    )
    conversation = Conversation(
        messages=[
            Message(role=Role.USER, content=f"Extract product information as JSON from: {text}")
        ]
    )
    result = engine.infer([conversation], inference_config=config)
    product = ProductInfo.model_validate_json(result[0].messages[-1].content or "")
    return engine, result[0], product
