"""Groups of settings, from which a provider selects those that it takes (`Provider.supports`).

What can be selected is what the provider's dialect can send: its `settings`.
"""

TEXT = frozenset(
    {
        "model.model_name",
        "model.model_kwargs",
        "generation.max_new_tokens",
        "generation.temperature",
        "generation.top_p",
        "generation.stop_strings",
    }
)
TOOLS = frozenset({"generation.tool_choice", "generation.parallel_tool_calls"})
PENALTIES = frozenset({"generation.frequency_penalty", "generation.presence_penalty"})
SEED = frozenset({"generation.seed"})
LOGIT_BIAS = frozenset({"generation.logit_bias"})
LOGPROBS = frozenset({"generation.logprobs"})
JSON_SCHEMA = frozenset(
    {
        "generation.guided_decoding.json",
        "generation.guided_decoding.choice",
        "generation.guided_decoding.regex",
    }
)
"""What a JSON schema can express: a choice is an `enum`, a regular expression a `pattern`."""

CHAT = TEXT | TOOLS | PENALTIES | SEED | LOGIT_BIAS | LOGPROBS | JSON_SCHEMA
"""What OpenAI's own models take."""

TOP_K = frozenset({"generation.top_k"})
MIN_P = frozenset({"generation.min_p"})
REPETITION_PENALTY = frozenset({"generation.repetition_penalty"})
SAMPLER = (
    TOP_K | MIN_P | REPETITION_PENALTY | {"generation.stop_token_ids", "generation.min_tokens"}
)
EFFORT = frozenset({"generation.reasoning_effort"})
ENABLE_THINKING = frozenset({"generation.enable_thinking"})
MAX_THINKING = frozenset({"generation.max_thinking_tokens"})
PREFILL = frozenset({"generation.continue_final_message"})
TEMPLATE_KWARGS = frozenset({"model.chat_template_kwargs"})
RAW_PROMPT = frozenset({"generation.apply_chat_template"})
"""What providers take that have the completions API besides that of chats."""
GRAMMAR = frozenset({"generation.guided_decoding.grammar"})
SERVER = (
    GRAMMAR
    | TEMPLATE_KWARGS
    | PREFILL
    | EFFORT
    | ENABLE_THINKING
    | {"model.adapter_model", "generation.skip_special_tokens"}
)
"""What servers take besides that run any model of the Hugging Face hub."""

LOADING = frozenset(
    {
        "model.attn_implementation",
        "model.device_map",
        "model.model_max_length",
        "model.tokenizer_name",
        "model.torch_dtype",
        "model.trust_remote_code",
        "generation.batch_size",
    }
)
"""What is decided where the model is loaded: ignored by every API, with a warning."""

LOADING_KWARGS = {
    "attn_implementation": "attn_implementation",
    "device_map": "device_map",
    "revision": "model_revision",
    "torch_dtype": "torch_dtype",
    "trust_remote_code": "trust_remote_code",
}
"""Arguments of Transformers' `from_pretrained` that have a setting of their own here."""

OF_RUN = frozenset({"generation.num_samples"})
"""What no engine is sent, as the run itself sees to it: each engine honours it."""
