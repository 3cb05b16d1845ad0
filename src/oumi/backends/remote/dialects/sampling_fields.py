"""How settings of sampling are sent to OpenAI's APIs, and to servers that take more of them."""

from __future__ import annotations

from oumi.backends.setting_map import field

# Values that change nothing are left out, because not every server knows every field.
SAMPLING = {
    "generation.temperature": field("temperature"),
    "generation.top_p": field("top_p"),
    "generation.top_k": field("top_k"),
    "generation.min_p": field("min_p", unless=0),
    "generation.frequency_penalty": field("frequency_penalty", unless=0),
    "generation.presence_penalty": field("presence_penalty", unless=0),
    "generation.seed": field("seed"),
    "generation.repetition_penalty": field("repetition_penalty", unless=1.0),
    "generation.min_tokens": field("min_tokens", unless=0),
    "generation.stop_strings": field("stop", unless=[]),
    "generation.stop_token_ids": field("stop_token_ids", unless=[]),
    "generation.logit_bias": field("logit_bias", unless={}),
    "generation.skip_special_tokens": field("skip_special_tokens", unless=True),
}
