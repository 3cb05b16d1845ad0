"""The sessions of requests for embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oumi.core.configs import EmbeddingParams, InferenceConfig
from oumi.errors import UnsupportedError
from oumi.runner.session import Session
from oumi.server.http.errors import wrong_field

if TYPE_CHECKING:
    from oumi.server.models import Model


def embedding_params(model: Model, dimensions: int | None) -> EmbeddingParams:
    """The settings of a model for vectors of a length, None for that of the settings."""
    given = EmbeddingParams() if dimensions is None else EmbeddingParams(dimensions=dimensions)
    return model.config.embedding.merge(given)


def embedding_session(model: Model, dimensions: int | None) -> Session:
    """The session of a model and a length. Raises HttpError, which names the field, where the
    engine makes no such vectors.
    """
    config = InferenceConfig(embedding=embedding_params(model, dimensions))
    try:
        return model.engine.embedding_session(config)
    except UnsupportedError as error:
        is_able = model.engine.row().embeddings is not None
        field = "dimensions" if is_able and dimensions is not None else "model"
        raise wrong_field(field, str(error)) from error
