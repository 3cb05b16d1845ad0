"""The engine for any API; those of named providers extend it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from oumi.core.configs import GenerationParams, InferenceEngineType, ModelParams, RemoteParams
from oumi.inference.engine import InferenceEngine

if TYPE_CHECKING:
    from oumi.backends.remote.http.transport import Transport


class RemoteInferenceEngine(InferenceEngine):
    """Any server that speaks the OpenAI chat API; `remote_params` say where, and how gently.

    `transport` may be handed in; it is then the caller's to close.
    """

    engine_type: ClassVar[str] = InferenceEngineType.REMOTE

    def __init__(
        self,
        model_params: ModelParams | None = None,
        *,
        generation_params: GenerationParams | None = None,
        remote_params: RemoteParams | None = None,
        transport: Transport | None = None,
    ):
        super().__init__(
            model_params,
            generation_params=generation_params,
            remote_params=remote_params,
            transport=transport,
        )
