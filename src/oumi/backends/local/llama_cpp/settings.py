"""How each setting reaches llama.cpp. Importing this loads no runtime.

Fields: https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md
"""

from __future__ import annotations

from typing import Any

from oumi.backends.local.model_files import find_adapter, find_gguf
from oumi.backends.setting_map import SettingMap, field
from oumi.backends.settings import LOADING_KWARGS
from oumi.core.configs import GuidedDecodingParams, ModelParams
from oumi.structured.room import Room


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


def _grammar(_: Any, guided: GuidedDecodingParams, room: Room | None) -> dict[str, Any]:
    from oumi.structured.sampler.grammar import to_lark  # loads llguidance

    return {"grammar": "%llguidance {}\n" + to_lark(guided, room)}


def _path(_: Any, model: ModelParams) -> dict[str, Any]:
    return {"path": str(find_gguf(model))}


def _adapter_path(name: str, _: ModelParams) -> dict[str, Any]:
    return {"adapter_path": str(find_adapter(name))}


def _gpu_layers(device: str, _: ModelParams) -> dict[str, Any]:
    return {"n_gpu_layers": 0} if device == "cpu" else {}


def _without_filename(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in kwargs.items() if name != "filename"}


# Fields of each request.
REQUEST = SettingMap(
    {
        "model.chat_template_kwargs": field("chat_template_kwargs", unless={}),
        "generation.max_new_tokens": _max_tokens,
        "generation.temperature": field("temperature"),
        "generation.top_p": field("top_p"),
        "generation.top_k": field("top_k"),
        "generation.min_p": field("min_p"),
        "generation.frequency_penalty": field("frequency_penalty"),
        "generation.presence_penalty": field("presence_penalty"),
        "generation.seed": field("seed"),
        "generation.stop_strings": field("stop", unless=[]),
        "generation.logit_bias": _logit_bias,
        "generation.logprobs": _logprobs,
        "generation.guided_decoding.json": _grammar,
        "generation.guided_decoding.regex": _grammar,
        "generation.guided_decoding.choice": _grammar,
        "generation.guided_decoding.grammar": _grammar,
    }
)
# Fields of a request whose conversation has tools.
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
        "model.device_map": _gpu_layers,
        "model.chat_template": field("chat_template", unless=""),
        "model.model_max_length": field("context_length"),
    }
)
# Parameters under llama.cpp's own names.
PARAMETERS = SettingMap({"model.model_kwargs": _without_filename})

READ_BY_BACKEND = frozenset({"generation.batch_size"})
"""How many requests are in flight, which llama.cpp is not sent."""

SETTINGS = (
    REQUEST.settings | TOOLS.settings | LOADING.settings | PARAMETERS.settings | READ_BY_BACKEND
)

SETTINGS_IN_KWARGS = LOADING_KWARGS | {"lora_path": "adapter_model", "n_ctx": "model_max_length"}
"""With names of llama-cpp-python."""
