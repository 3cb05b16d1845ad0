"""Generation settings as vLLM's sampling parameters."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from oumi.backends.local.vllm.settings import GUIDANCE, SAMPLING
from oumi.backends.local.vllm.versions import (
    RequestOutputKind,
    SamplingParams,
    StructuredOutputsParams,
)
from oumi.core.configs import GenerationParams
from oumi.errors import ConfigError, UnsupportedError
from oumi.structured.room import Room


def sampling_params(
    generation: GenerationParams,
    *,
    stream: bool = False,
    calls: str | dict[str, Any] | None = None,
    room: Room | None = None,
    backend: str = GUIDANCE,
    keep_special_tokens: bool = False,
) -> SamplingParams:
    """The parameters of a request.

    `calls` is the grammar or the JSON schema of forced tool calls, `room` that of a constrained
    answer. `backend` is vLLM's backend for structured outputs. With `keep_special_tokens` they stay
    in the text, for a parser to find. Raises ConfigError for a value that vLLM refuses.
    """
    try:
        args = SAMPLING.encode(
            SimpleNamespace(generation=generation), generation.guided_decoding, backend, room
        )
        structured = args.pop("structured_outputs", None)
        if calls is not None:
            structured = {"grammar" if isinstance(calls, str) else "json": calls}
        if keep_special_tokens:
            args["skip_special_tokens"] = False
        return SamplingParams(
            **args,
            output_kind=RequestOutputKind.DELTA if stream else RequestOutputKind.FINAL_ONLY,
            structured_outputs=StructuredOutputsParams(**structured) if structured else None,
        )
    except (ConfigError, UnsupportedError):
        raise
    except Exception as error:  # the classes of vLLM's errors differ from version to version
        raise ConfigError(f"generation: vLLM refuses a setting: {error}") from error
