"""A value of each setting of model and generation, other than its default."""

from __future__ import annotations

from typing import Any

from oumi.core.configs import (
    GenerationParams,
    GuidedDecodingParams,
    InferenceConfig,
    ModelParams,
)
from oumi.core.configs.base import Settings
from tests.remote.talks import SCHEMA

VALUES: dict[str, Any] = {
    "model.model_name": "another-model",
    "model.adapter_model": "an/adapter",
    "model.adapters": {"one": "an/adapter"},
    "model.tokenizer_name": "a/tokenizer",
    "model.tokenizer_kwargs": {"use_fast": True},
    "model.tokenizer_pad_token": "<pad>",
    "model.processor_kwargs": {"max_pixels": 100},
    "model.model_max_length": 777,
    "model.torch_dtype": "float32",
    "model.device_map": "cpu",
    "model.trust_remote_code": True,
    "model.chat_template": "{{ messages }}",
    "model.chat_template_kwargs": {"enable_thinking": False},
    "model.attn_implementation": "sdpa",
    "model.model_revision": "a-branch",
    "model.tool_call_parser": "hermes",
    "model.model_kwargs": {"subfolder": "a-folder"},
    "generation.max_new_tokens": 77,
    "generation.adapter": "one",
    "generation.batch_size": 3,
    "generation.seed": 4321,
    "generation.temperature": 0.25,
    "generation.top_p": 0.35,
    "generation.top_k": 7,
    "generation.min_p": 0.15,
    "generation.frequency_penalty": 0.45,
    "generation.presence_penalty": 0.55,
    "generation.repetition_penalty": 1.3,
    "generation.min_tokens": 3,
    "generation.typical_p": 0.6,
    "generation.dry_multiplier": 0.8,
    "generation.dry_base": 2.5,
    "generation.dry_allowed_length": 3,
    "generation.xtc_probability": 0.55,
    "generation.xtc_threshold": 0.2,
    "generation.mirostat": 2,
    "generation.mirostat_tau": 3.5,
    "generation.mirostat_eta": 0.2,
    "generation.stop_strings": ["the-end"],
    "generation.stop_token_ids": [31337],
    "generation.logit_bias": {"50": -3.0},
    "generation.num_beams": 2,
    "generation.skip_special_tokens": False,
    "generation.allow_special_tokens": True,
    "generation.apply_chat_template": False,
    "generation.continue_final_message": True,
    "generation.truncate_prompt": "left",
    "generation.enable_thinking": False,
    "generation.reasoning_effort": "low",
    "generation.max_thinking_tokens": 2000,
    "generation.tool_choice": "required",
    "generation.parallel_tool_calls": False,
    "generation.logprobs": 2,
    "generation.guided_decoding.json": SCHEMA,
    "generation.guided_decoding.regex": "r[a-z]+",
    "generation.guided_decoding.choice": ["red", "blue"],
    "generation.guided_decoding.grammar": 'root ::= "yes" | "no"',
}

GROUPS: dict[str, type[Settings]] = {
    "model": ModelParams,
    "generation": GenerationParams,
    "generation.guided_decoding": GuidedDecodingParams,
}
NOT_OF_ENGINES = {
    # without effect on inference
    *(f"{group}.{name}" for group, kind in GROUPS.items() for name in kind.unused_fields()),
    "generation.guided_decoding",  # the group itself
    "generation.num_samples",  # of the run, which asks once for each
    "generation.guided_decoding.max_repairs",  # of the run, which asks again
    "generation.guided_decoding.applies_to",  # says which part of an answer is judged
    "generation.guided_decoding.grammar_format",  # says how a grammar is read
    "generation.guided_decoding.strict",  # says how a schema is sent, and is no constraint itself
}


def config_of(values: dict[str, Any]) -> InferenceConfig:
    """A config with these settings, by their paths."""
    groups: dict[str, dict[str, Any]] = {name: {} for name in GROUPS}
    for path, value in values.items():
        group, _, name = path.rpartition(".")
        groups[group][name] = value
    guided = groups["generation.guided_decoding"]
    if guided:
        groups["generation"]["guided_decoding"] = GuidedDecodingParams(**guided)
    return InferenceConfig(
        model=ModelParams(**groups["model"]), generation=GenerationParams(**groups["generation"])
    )
