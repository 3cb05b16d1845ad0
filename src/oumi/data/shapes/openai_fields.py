"""The fields of OpenAI's requests that are settings here: of a batch file's line, or of a request.

https://platform.openai.com/docs/api-reference/chat/create
Those beyond OpenAI's own are named as vLLM and other servers of this kind name them:
https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_SAME = frozenset(
    {
        *("temperature", "top_p", "seed", "frequency_penalty", "presence_penalty", "logit_bias"),
        *("tool_choice", "parallel_tool_calls", "reasoning_effort"),
        *("top_k", "min_p", "typical_p", "repetition_penalty", "min_tokens", "stop_token_ids"),
        *("skip_special_tokens", "enable_thinking", "max_thinking_tokens"),
        *("continue_final_message", "truncate_prompt"),
    }
)
"""Fields that have the same name here."""


def read_settings(fields: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The settings that these fields are, and the name of the field that each setting is from.

    Fields that are no settings are passed over, as is null. Raises ValueError, which names the
    field, for a value that means none.
    """
    settings: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for name, value in fields.items():
        if value is None:
            continue
        if name in _SAME:
            settings[name], origins[name] = value, name
        elif name in _RENAMED:
            setting, read = _RENAMED[name]
            if (found := read(value)) is not None:
                settings[setting], origins[setting] = found, name
    if fields.get("logprobs"):
        settings["logprobs"], origins["logprobs"] = fields.get("top_logprobs") or 0, "logprobs"
    return settings, origins


def _stops(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _guided(form: Any) -> dict[str, Any] | None:
    match form:
        case {"type": "text"}:
            return None
        case {"type": "json_object"}:
            return {"json": {"type": "object"}}
        case {"type": "json_schema", "json_schema": {"schema": schema, **more}}:
            return {"json": schema, "strict": _strict(more.get("strict"))}
    raise ValueError("response_format: expected text, json_object or a json_schema")


def _strict(value: Any) -> bool:
    return True if value is None else bool(value)


def _constraint(value: Any) -> Any:
    if not isinstance(value, dict):
        raise ValueError("structured_outputs: expected one of json, regex, choice and grammar")
    return value


def _effort(value: Any) -> Any:
    """The effort in OpenRouter's and the Responses API's object."""
    if not isinstance(value, dict):
        raise ValueError('reasoning: expected an object such as {"effort": "low"}')
    return value.get("effort")


_RENAMED: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "max_tokens": ("max_new_tokens", lambda value: value),
    "max_completion_tokens": ("max_new_tokens", lambda value: value),
    "max_output_tokens": ("max_new_tokens", lambda value: value),
    "stop": ("stop_strings", _stops),
    "response_format": ("guided_decoding", _guided),
    "structured_outputs": ("guided_decoding", _constraint),
    "reasoning": ("reasoning_effort", _effort),
}

SETTING_FIELDS = _SAME | _RENAMED.keys() | {"logprobs", "top_logprobs"}
"""The names of all of them."""
