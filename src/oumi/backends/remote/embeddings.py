"""Requests to the embeddings API of a provider, and its replies. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oumi.backends.openai_embeddings import decode_embeddings
from oumi.backends.provider import Provider
from oumi.backends.remote.dialects.reply import decode_object, no_answer
from oumi.core.json_text import write_json
from oumi.core.types.embedding import Embeddings
from oumi.runner.embedding_request import EmbeddingRequest

PATH = "/embeddings"
"""Below the base."""


def shared_body(request: EmbeddingRequest, provider: Provider) -> dict[str, Any]:
    """The fields that say which model makes which vectors."""
    config, support = request.config, provider.embeddings
    body: dict[str, Any] = {"model": config.model.model_name}
    if support is not None and support.sends_base64:
        body["encoding_format"] = "base64"
    dimensions = config.embedding.dimensions
    if dimensions is not None and support is not None and support.dimensions_field is not None:
        body[support.dimensions_field] = dimensions
    return {**body, **config.model.model_kwargs}


def encode(request: EmbeddingRequest, shared: Mapping[str, Any]) -> bytes:
    """The body of a request."""
    return write_json({"input": request.texts, **shared})


def decode(request: EmbeddingRequest, body: bytes) -> Embeddings:
    """The vectors in a reply with status 200. Raises BadReplyError for a body without them."""
    data = decode_object(body)
    try:
        return decode_embeddings(data, len(request.texts))
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise no_answer(body) from error
