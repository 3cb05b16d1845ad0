"""Settings as arguments of vLLM's engine, and as sampling parameters of a request."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
from typing import Any

from vllm import SamplingParams
from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.sampling_params import RequestOutputKind

from oumi.core.configs import EMBEDDED_MODEL, GenerationParams, GuidedDecodingParams, ModelParams
from oumi.core.configs.base import nearest
from oumi.errors import ConfigError, ModelNotFoundError, UnsupportedError
from oumi.models import TINY

# Set from other settings.
_OWNED = {
    "model": "use model_name",
    "tokenizer": "use tokenizer_name",
    "dtype": "use torch_dtype",
    "max_model_len": "use model_max_length",
    "enable_lora": "use adapter_model",
}


def engine_args(model: ModelParams) -> AsyncEngineArgs:
    """The arguments for loading a model. Raises ConfigError for an unknown `model_kwargs` name."""
    known = {field.name for field in dataclasses.fields(AsyncEngineArgs)}
    for name in model.model_kwargs:
        _check_name(name, known)
    args: dict[str, Any] = {
        "model": str(TINY / "hf") if model.model_name == EMBEDDED_MODEL else model.model_name,
        "dtype": model.torch_dtype,
        "trust_remote_code": model.trust_remote_code,
        "enable_prefix_caching": True,
        # The default, xgrammar, lets control characters through where a string has a length.
        # Free white space between the parts of a JSON text invites endless runs of it.
        "structured_outputs_config": {"backend": "guidance", "disable_any_whitespace": True},
        "disable_log_stats": True,
        "tokenizer": model.tokenizer_name,
        "max_model_len": model.model_max_length,
        "revision": model.model_revision,
        **_adapter_args(model.adapter_model),
        **model.model_kwargs,
    }
    given = {name: value for name, value in args.items() if value is not None and name in known}
    try:
        return AsyncEngineArgs(**given)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"model: vLLM refuses these settings: {error}") from error


def sampling_params(generation: GenerationParams, *, stream: bool) -> SamplingParams:
    """The parameters of a request. Raises ConfigError for a value that vLLM refuses."""
    try:
        return _sampling_params(generation, stream=stream)
    except ConfigError:
        raise
    except Exception as error:  # the classes of vLLM's errors differ from version to version
        raise ConfigError(f"generation: vLLM refuses a setting: {error}") from error


def _sampling_params(generation: GenerationParams, *, stream: bool) -> SamplingParams:
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
        skip_special_tokens=generation.skip_special_tokens,
        output_kind=RequestOutputKind.DELTA if stream else RequestOutputKind.FINAL_ONLY,
        **_constraint(generation.guided_decoding),
    )


def _check_name(name: str, known: set[str]) -> None:
    if name in _OWNED:
        raise ConfigError(f"model.model_kwargs.{name}: {_OWNED[name]}")
    if name not in known:
        guess = nearest(name, known)
        hint = f"; did you mean {guess!r}?" if guess else ""
        raise ConfigError(f"model.model_kwargs.{name}: vLLM has no such argument{hint}")


def _adapter_args(adapter: str | None) -> dict[str, Any]:
    """What vLLM has to know of an adapter beforehand; its rank stands in its own settings."""
    if adapter is None:
        return {}
    try:
        with open(f"{adapter}/adapter_config.json", encoding="utf-8") as file:
            rank = int(json.load(file)["r"])
    except (OSError, ValueError, KeyError) as error:
        reason = f"no adapter_config.json with a rank: {error}"
        raise ModelNotFoundError(f"{adapter}: {reason}") from error
    allowed = next((size for size in (8, 16, 32, 64, 128, 256, 320, 512) if size >= rank), rank)
    # With a single place vLLM mixes rows up on the CPU.
    return {"enable_lora": True, "max_lora_rank": allowed, "max_loras": 2}


def _logit_bias(biases: dict[str | int, float]) -> dict[int, float] | None:
    words = [token for token in biases if not str(token).isdigit()]
    if words:
        raise ConfigError(f"generation.logit_bias: VLLM takes token ids only, not {words[0]!r}")
    return {int(token): bias for token, bias in biases.items()} or None


def _constraint(guided: GuidedDecodingParams | None) -> dict[str, Any]:
    if guided is None:
        return {}
    try:
        from vllm.sampling_params import StructuredOutputsParams
    except ImportError as error:
        version = importlib.metadata.version("vllm")
        raise UnsupportedError(
            f"VLLM {version} cannot honour guided_decoding; it needs vLLM 0.11 or later"
        ) from error
    wanted = {guided.form: getattr(guided, guided.form)}
    return {"structured_outputs": StructuredOutputsParams(**wanted)}
