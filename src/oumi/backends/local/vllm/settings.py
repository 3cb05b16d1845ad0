"""How each setting reaches vLLM. Importing this loads no runtime.

Names: https://docs.vllm.ai/en/latest/api/vllm/sampling_params/ and
https://docs.vllm.ai/en/latest/api/vllm/engine/arg_utils/
"""

from __future__ import annotations

from typing import Any

from oumi.backends.local.model_files import find_gguf
from oumi.backends.local.vllm.transformers_kwargs import GGUF, is_gguf, translate_kwargs
from oumi.backends.setting_map import SettingMap, field
from oumi.backends.settings import LOADING_KWARGS
from oumi.core.configs import EMBEDDED_MODEL, GuidedDecodingParams, ModelParams
from oumi.core.json_schema.regex import expand_classes
from oumi.core.json_schema.regex_forms import without_assertions
from oumi.errors import ConfigError
from oumi.models import tiny_folder
from oumi.structured.room import Room

GUIDANCE = "guidance"
"""vLLM's backend for structured outputs unless `model_kwargs` name another one."""


def _logit_bias(biases: dict[str | int, float], *_: Any) -> dict[str, Any]:
    texts = [token for token in biases if not str(token).isdigit()]
    if texts:
        raise ConfigError(f"generation.logit_bias: VLLM takes token ids only, not {texts[0]!r}")
    return {"logit_bias": {int(token): bias for token, bias in biases.items()} or None}


def _schema(
    schema: Any, guided: GuidedDecodingParams, backend: str, room: Room | None
) -> dict[str, Any]:
    if backend != GUIDANCE:
        return {"structured_outputs": {"json": schema}}
    from oumi.structured.sampler.grammar import to_lark  # loads llguidance

    # Given a schema, this backend allows no white space, which models nearly always write. Our
    # grammar of the schema allows some.
    return {"structured_outputs": {"grammar": to_lark(guided, room)}}


def _regex(
    regex: str, guided: GuidedDecodingParams, backend: str, room: Room | None
) -> dict[str, Any]:
    if backend == GUIDANCE:
        return _schema(regex, guided, backend, room)
    return {"structured_outputs": {"regex": expand_classes(without_assertions(regex))}}


def _choice(
    choice: list[str], guided: GuidedDecodingParams, backend: str, room: Room | None
) -> dict[str, Any]:
    if backend == GUIDANCE:
        return _schema(choice, guided, backend, room)
    return {"structured_outputs": {"choice": choice}}


def _grammar(
    grammar: str, guided: GuidedDecodingParams, backend: str, room: Room | None
) -> dict[str, Any]:
    if backend == GUIDANCE:
        return _schema(grammar, guided, backend, room)
    return {"structured_outputs": {"grammar": grammar}}


def _model(name: str, model: ModelParams) -> dict[str, Any]:
    if is_gguf(model):
        return {"model": str(find_gguf(model)), "quantization": GGUF}
    return {"model": str(tiny_folder()) if name == EMBEDDED_MODEL else name}


def _kwargs(kwargs: dict[str, Any], _: ModelParams) -> dict[str, Any]:
    return translate_kwargs(kwargs)


# Arguments of SamplingParams. That of `structured_outputs` is made into a class of vLLM's.
SAMPLING = SettingMap(
    {
        "generation.max_new_tokens": field("max_tokens"),
        "generation.temperature": field("temperature"),
        "generation.top_p": field("top_p"),
        "generation.top_k": field("top_k"),
        "generation.min_p": field("min_p"),
        "generation.frequency_penalty": field("frequency_penalty"),
        "generation.presence_penalty": field("presence_penalty"),
        "generation.seed": field("seed"),
        "generation.repetition_penalty": field("repetition_penalty"),
        "generation.min_tokens": field("min_tokens"),
        "generation.stop_strings": field("stop"),
        "generation.stop_token_ids": field("stop_token_ids"),
        "generation.logit_bias": _logit_bias,
        "generation.logprobs": field("logprobs"),
        "generation.skip_special_tokens": field("skip_special_tokens"),
        "generation.guided_decoding.json": _schema,
        "generation.guided_decoding.regex": _regex,
        "generation.guided_decoding.choice": _choice,
        "generation.guided_decoding.grammar": _grammar,
    }
)
# Arguments of AsyncEngineArgs. An adapter takes several, made from its own settings.
LOADING = SettingMap(
    {
        "model.model_name": _model,
        "model.torch_dtype": field("dtype"),
        "model.trust_remote_code": field("trust_remote_code"),
        "model.tokenizer_name": field("tokenizer"),
        "model.model_max_length": field("max_model_len"),
        "model.model_revision": field("revision"),
        "model.processor_kwargs": field("mm_processor_kwargs", unless={}),
        "model.model_kwargs": _kwargs,
    }
)

READ_BY_BACKEND = frozenset(
    {
        "model.adapter_model",  # arguments.py and runtime.py
        "model.adapters",  # arguments.py and runtime.py
        "generation.adapter",  # backend.py
        "model.chat_template",  # prompt.py
        "model.chat_template_kwargs",  # prompt.py
        "model.tool_call_parser",  # parsing.py
        "generation.allow_special_tokens",  # special_tokens.py
        "generation.apply_chat_template",  # raw_prompt.py
        "generation.continue_final_message",  # continuation.py
        "generation.truncate_prompt",  # truncation.py
        "generation.enable_thinking",  # chat_template.py and thinking.py
        "generation.max_thinking_tokens",  # thinking.py
        "generation.reasoning_effort",  # chat_template.py
        "generation.batch_size",  # backend.py: how many requests are in flight
        "generation.parallel_tool_calls",  # tool_calls.py
        "generation.tool_choice",  # tool_calls.py
    }
)
"""Settings that our own modules use, of which vLLM has no argument of its own."""

SETTINGS = SAMPLING.settings | LOADING.settings | READ_BY_BACKEND

SETTINGS_IN_KWARGS = LOADING_KWARGS | {
    "dtype": "torch_dtype",
    "max_model_len": "model_max_length",
    "tokenizer": "tokenizer_name",
}
"""With names of vLLM's own arguments."""
