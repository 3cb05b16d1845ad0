"""How each setting reaches Transformers and our own sampler. Importing this loads no runtime.

Names: https://huggingface.co/docs/transformers/main_classes/model#transformers.PreTrainedModel.from_pretrained
"""

from __future__ import annotations

from oumi.backends.setting_map import SettingMap, field
from oumi.backends.settings import LOADING_KWARGS

# Arguments of `from_pretrained` of everything that is loaded: settings, tokenizer, weights.
HUB = SettingMap(
    {
        "model.model_revision": field("revision", unless=""),
        "model.trust_remote_code": field("trust_remote_code", unless=False),
    }
)
# Arguments of a model's `from_pretrained`.
LOADING = SettingMap(
    {
        "model.torch_dtype": field("dtype"),
        "model.device_map": field("device_map"),
        "model.attn_implementation": field("attn_implementation", unless=""),
        "model.model_kwargs": dict,
    }
)
# Arguments of a tokenizer's, and of a processor's.
TOKENIZER = SettingMap({"model.tokenizer_kwargs": dict})
PROCESSOR = SettingMap({"model.processor_kwargs": dict})

READ_BY_BACKEND = frozenset(
    {
        # loading.py
        "model.model_name",
        "model.adapter_model",
        "model.chat_template",
        "model.model_max_length",
        "model.tokenizer_name",
        "model.tokenizer_pad_token",
        # special_tokens.py, continuation.py and truncation.py
        "generation.allow_special_tokens",
        "generation.apply_chat_template",  # raw_prompt.py
        "generation.continue_final_message",
        "generation.truncate_prompt",
        # chat_template.py and thinking.py
        "generation.enable_thinking",
        "generation.max_thinking_tokens",
        "generation.reasoning_effort",
        # prompt.py and tool_calls.py
        "model.chat_template_kwargs",
        "generation.parallel_tool_calls",
        "generation.tool_choice",
        # scheduler.py
        "generation.batch_size",
        # sampling.py
        "generation.frequency_penalty",
        "generation.logit_bias",
        "generation.logprobs",
        "generation.min_p",
        "generation.min_tokens",
        "generation.presence_penalty",
        "generation.repetition_penalty",
        "generation.temperature",
        "generation.top_k",
        "generation.top_p",
        "generation.typical_p",
        # sequence.py and detokenizer.py
        "generation.guided_decoding.choice",
        "generation.guided_decoding.grammar",
        "generation.guided_decoding.json",
        "generation.guided_decoding.regex",
        "generation.max_new_tokens",
        "generation.seed",
        "generation.skip_special_tokens",
        "generation.stop_strings",
        "generation.stop_token_ids",
        # static_batch.py
        "generation.num_beams",
    }
)
"""Settings that our own modules use: answers are sampled here, not in Transformers."""

SETTINGS = (
    HUB.settings | LOADING.settings | TOKENIZER.settings | PROCESSOR.settings | READ_BY_BACKEND
)

SETTINGS_IN_KWARGS = LOADING_KWARGS | {"dtype": "torch_dtype"}
"""With names of Transformers."""
