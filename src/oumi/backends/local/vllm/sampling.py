"""Settings of a generation as vLLM's sampling parameters."""

from __future__ import annotations

from typing import Any

from oumi.backends.local.vllm.arguments import GUIDANCE
from oumi.backends.local.vllm.versions import (
    RequestOutputKind,
    SamplingParams,
    StructuredOutputsParams,
)
from oumi.core.configs import GenerationParams, GuidedDecodingParams
from oumi.core.json_schema.regex import expand_classes
from oumi.errors import ConfigError, UnsupportedError
from oumi.structured.schema.grammar import to_lark


def sampling_params(
    generation: GenerationParams,
    *,
    stream: bool = False,
    schema: dict[str, Any] | None = None,
    backend: str = GUIDANCE,
    special_tokens: bool = False,
) -> SamplingParams:
    """The parameters of a request. Raises ConfigError for a value that vLLM refuses.

    `schema` is that of calls the answer has to be, `backend` what vLLM keeps answers to their form
    by; with `special_tokens` the text holds them.
    """
    try:
        return SamplingParams(
            max_tokens=generation.max_new_tokens,
            temperature=generation.temperature,
            top_p=1.0 if generation.top_p is None else generation.top_p,
            top_k=generation.top_k or 0,
            min_p=generation.min_p,
            frequency_penalty=generation.frequency_penalty,
            presence_penalty=generation.presence_penalty,
            seed=generation.seed,
            stop=generation.stop_strings,
            stop_token_ids=generation.stop_token_ids,
            logit_bias=_logit_bias(generation.logit_bias),
            logprobs=generation.logprobs,
            skip_special_tokens=generation.skip_special_tokens and not special_tokens,
            output_kind=RequestOutputKind.DELTA if stream else RequestOutputKind.FINAL_ONLY,
            structured_outputs=_constraint(generation.guided_decoding, schema, backend),
        )
    except (ConfigError, UnsupportedError):
        raise
    except Exception as error:  # the classes of vLLM's errors differ from version to version
        raise ConfigError(f"generation: vLLM refuses a setting: {error}") from error


def _logit_bias(biases: dict[str | int, float]) -> dict[int, float] | None:
    words = [token for token in biases if not str(token).isdigit()]
    if words:
        raise ConfigError(f"generation.logit_bias: VLLM takes token ids only, not {words[0]!r}")
    return {int(token): bias for token, bias in biases.items()} or None


def _constraint(
    guided: GuidedDecodingParams | None, schema: dict[str, Any] | None, backend: str
) -> StructuredOutputsParams | None:
    if schema is not None:
        return StructuredOutputsParams(json=schema)
    if guided is None:
        return None
    if guided.form == "json" and backend == GUIDANCE:
        # Its own way with a schema leaves no white space, which models seldom do.
        return StructuredOutputsParams(grammar=to_lark(guided))
    if guided.regex is not None:
        return StructuredOutputsParams(regex=expand_classes(guided.regex))
    return StructuredOutputsParams(**{guided.form: getattr(guided, guided.form)})
