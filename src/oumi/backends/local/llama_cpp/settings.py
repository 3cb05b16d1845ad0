"""How each setting reaches llama.cpp. Importing this loads no runtime.

Fields: https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md
"""

from __future__ import annotations

from typing import Any

from oumi.backends.local.model_files import find_adapter, find_gguf
from oumi.backends.setting_map import SettingMap, field
from oumi.backends.settings import LOADING_KWARGS
from oumi.core.configs import GuidedDecodingParams, InferenceConfig, ModelParams
from oumi.structured.room import Room

LLGUIDANCE = "%llguidance {}\n"
"""By this beginning llama.cpp knows a grammar in llguidance's notation from one in its own."""


def _max_tokens(value: int, *_: Any) -> dict[str, Any]:
    # How far back penalties look: over the whole answer.
    return {"max_tokens": value, "repeat_last_n": value}


def _logit_bias(biases: dict[str | int, float], *_: Any) -> dict[str, Any]:
    """Pairs of token and bias; the token is an id, or a text that stands for all its tokens."""
    pairs = [
        [int(token) if str(token).isdigit() else token, bias] for token, bias in biases.items()
    ]
    return {"logit_bias": pairs} if pairs else {}


def _logprobs(likeliest: int, *_: Any) -> dict[str, Any]:
    return {"logprobs": True, "top_logprobs": likeliest}


def _n_probs(likeliest: int) -> dict[str, Any]:
    return {"n_probs": max(likeliest, 1)}  # 0 means no log-probabilities at all


def llguidance(guided: GuidedDecodingParams, room: Room | None) -> str:
    """The grammar of a constraint, in the notation that llama.cpp hands to llguidance."""
    from oumi.structured.sampler.grammar import to_lark  # loads llguidance

    return LLGUIDANCE + to_lark(guided, room)


def _grammar(_: Any, guided: GuidedDecodingParams, room: Room | None) -> dict[str, Any]:
    return {"grammar": llguidance(guided, room)}


def _template_kwargs(_: Any, config: InferenceConfig) -> dict[str, Any]:
    """The variables of the chat template that one setting or another gives."""
    from oumi.backends.local.chat_template import thinking_arguments  # loads a template's engine

    given = config.model.chat_template_kwargs or {}
    arguments = {**thinking_arguments(config.generation), **given}
    return {"chat_template_kwargs": arguments} if arguments else {}


def _path(_: Any, model: ModelParams) -> dict[str, Any]:
    return {"path": str(find_gguf(model))}


def _adapter_path(name: str, _: ModelParams) -> dict[str, Any]:
    return {"adapter_path": str(find_adapter(name))}


def _lora(_: Any, config: InferenceConfig) -> dict[str, Any]:
    """The adapter that is applied to a request, by its place among those that were loaded: those
    that a request does not name are not applied to it.
    """
    model, name = config.model, config.generation.adapter
    if not model.adapters:
        return {}
    places = [*([None] if model.adapter_model else []), *model.adapters]
    # An empty list would stand for all of them.
    chosen = (places.index(name), 1.0) if name in places else (0, 0.0)
    return {"lora": [{"id": chosen[0], "scale": chosen[1]}]}


def _adapter_paths(adapters: dict[str, str], _: ModelParams) -> dict[str, Any]:
    paths = [str(find_adapter(path)) for path in adapters.values()]
    return {"adapter_paths": paths} if paths else {}


def _gpu_layers(device: str, _: ModelParams) -> dict[str, Any]:
    return {"n_gpu_layers": 0} if device == "cpu" else {}


def _without_filename(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in kwargs.items() if name != "filename"}


# Fields of each request.
REQUEST = SettingMap(
    {
        "generation.max_new_tokens": _max_tokens,
        "generation.temperature": field("temperature"),
        "generation.top_p": field("top_p"),
        "generation.top_k": field("top_k"),
        "generation.min_p": field("min_p"),
        "generation.frequency_penalty": field("frequency_penalty"),
        "generation.presence_penalty": field("presence_penalty"),
        "generation.seed": field("seed"),
        "generation.repetition_penalty": field("repeat_penalty", unless=1.0),
        "generation.typical_p": field("typical_p"),
        "generation.dry_multiplier": field("dry_multiplier", unless=0),
        "generation.dry_base": field("dry_base", unless=1.75),
        "generation.dry_allowed_length": field("dry_allowed_length", unless=2),
        "generation.xtc_probability": field("xtc_probability", unless=0),
        "generation.xtc_threshold": field("xtc_threshold", unless=0.1),
        "generation.mirostat": field("mirostat", unless=0),
        "generation.mirostat_tau": field("mirostat_tau", unless=5),
        "generation.mirostat_eta": field("mirostat_eta", unless=0.1),
        "generation.stop_strings": field("stop", unless=[]),
        "generation.logit_bias": _logit_bias,
        "generation.guided_decoding.json": _grammar,
        "generation.guided_decoding.regex": _grammar,
        "generation.guided_decoding.choice": _grammar,
        "generation.guided_decoding.grammar": _grammar,
    }
)
# Fields of each request that name what was loaded.
ADAPTERS = SettingMap({"model.adapters": _lora, "generation.adapter": _lora})
# Fields of a request that is a prompt alone.
COMPLETION = SettingMap({"generation.logprobs": _n_probs})
# Fields of a request that is a conversation, from which llama.cpp makes the prompt.
CHAT = SettingMap(
    {
        "generation.logprobs": _logprobs,
        "model.chat_template_kwargs": _template_kwargs,
        "generation.enable_thinking": _template_kwargs,
        "generation.reasoning_effort": _template_kwargs,
    }
)
# Fields of such a request whose conversation has tools.
TOOLS = SettingMap(
    {
        "generation.parallel_tool_calls": field("parallel_tool_calls"),
        "generation.tool_choice": field("tool_choice"),
    }
)
# Facts that `make_params` makes the parameters of a model from.
LOADING = SettingMap(
    {
        "model.model_name": _path,
        "model.model_revision": _path,  # the same file at another revision
        "model.adapter_model": _adapter_path,
        "model.adapters": _adapter_paths,
        "model.device_map": _gpu_layers,
        "model.chat_template": field("chat_template", unless=""),
        "model.model_max_length": field("context_length"),
    }
)
# Parameters under llama.cpp's own names.
PARAMETERS = SettingMap({"model.model_kwargs": _without_filename})

READ_BY_BACKEND = frozenset(
    {
        "generation.allow_special_tokens",  # prompt.py
        "generation.apply_chat_template",  # raw_prompt.py
        "generation.batch_size",  # backend.py: how many requests are in flight
        "generation.continue_final_message",  # continuation.py
        "generation.truncate_prompt",  # truncation.py
        "generation.max_thinking_tokens",  # thinking.py
    }
)
"""Settings that our own modules use, which llama.cpp is not sent."""

SETTINGS = (
    REQUEST.settings
    | ADAPTERS.settings
    | CHAT.settings
    | TOOLS.settings
    | LOADING.settings
    | PARAMETERS.settings
    | READ_BY_BACKEND
)

SETTINGS_IN_KWARGS = LOADING_KWARGS | {"lora_path": "adapter_model", "n_ctx": "model_max_length"}
"""With names of llama-cpp-python."""
