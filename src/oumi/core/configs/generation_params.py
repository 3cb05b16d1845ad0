"""How an answer is generated."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from oumi.core.configs.base import Settings, unused
from oumi.core.configs.guided_decoding_params import GuidedDecodingParams

MOST_SAMPLES = 10_000
"""Estimates of pass@k take some hundreds; far beyond, the number is a mistake, found unpaid."""


class GenerationParams(Settings):
    """How an answer is generated."""

    renamed: ClassVar[dict[str, str]] = {"n": "num_samples"}

    max_new_tokens: int = Field(default=1024, ge=1)
    """Most tokens of an answer."""

    adapter: str | None = Field(default=None, min_length=1)
    """Which of `model.adapters` answers. None: `model.adapter_model`, or the model itself."""

    batch_size: int | None = Field(default=None, ge=1)
    """Most rows that a local engine works on at once. None: as many as fit into its memory."""

    seed: int | None = Field(default=None, ge=-(2**63), lt=2**63)
    """Seed of the sampler. None: a fresh one each time."""

    num_samples: int = Field(default=1, ge=1, le=MOST_SAMPLES)
    """Answers a row, each asked for by itself with a seed of its own; `n` for short."""

    temperature: float = Field(default=0.0, ge=0.0)
    """Randomness: at 0 the likeliest token is always chosen."""

    top_p: float | None = Field(default=None, ge=0.0, le=1.0)
    """Sample from the likeliest tokens that together have at least this probability; at 0 the
    likeliest one is always chosen."""

    top_k: int | None = Field(default=None, ge=1)
    """Sample from this many of the likeliest tokens."""

    min_p: float = Field(default=0.0, ge=0.0, le=1.0)
    """Leave out tokens less likely than this fraction of the likeliest one."""

    frequency_penalty: float = Field(default=0.0, ge=-2.0, le=2.0)
    """Penalty on a token for each time that it is already in the answer."""

    presence_penalty: float = Field(default=0.0, ge=-2.0, le=2.0)
    """Penalty on a token that is already in the answer, however often."""

    repetition_penalty: float = Field(default=1.0, gt=0.0, le=10.0)
    """Divides the score of a token that prompt or answer already hold; 1 is none."""

    min_tokens: int = Field(default=0, ge=0)
    """Fewest tokens of an answer."""

    typical_p: float | None = Field(default=None, gt=0.0, le=1.0)
    """Sample from the tokens of typical probability that together have at least this one."""

    dry_multiplier: float = Field(default=0.0, ge=0.0)
    """Strength of DRY, which lowers the score of a token that would go on with a repetition; 0 is
    none."""

    dry_base: float = Field(default=1.75, ge=1.0)
    """By which DRY's penalty grows with each token of the repetition."""

    dry_allowed_length: int = Field(default=2, ge=0)
    """The longest repetition, in tokens, that DRY leaves alone."""

    xtc_probability: float = Field(default=0.0, ge=0.0, le=1.0)
    """How likely XTC takes away, at each token, the likeliest choices but the last one of them."""

    xtc_threshold: float = Field(default=0.1, ge=0.0, le=1.0)
    """The probability from which a token counts for XTC; above 0.5 there is no second one."""

    mirostat: Literal[0, 1, 2] = 0
    """The version of Mirostat, which aims at an even surprise, in place of `top_k`, `top_p`,
    `min_p` and `typical_p`; 0 is none."""

    mirostat_tau: float = Field(default=5.0, ge=0.0)
    """The surprise that Mirostat aims at, in bits."""

    mirostat_eta: float = Field(default=0.1, ge=0.0, le=1.0)
    """How fast Mirostat gets there."""

    stop_strings: list[str] | None = None
    """Texts that end the answer; they are not part of it."""

    stop_token_ids: list[int] | None = None
    """Token ids that end the answer."""

    logit_bias: dict[str | int, float] = Field(default_factory=dict)
    """Added to the logit of a token, by token id (local engines also accept its text)."""

    num_beams: int = Field(default=1, ge=1)
    """Number of beams of a beam search; 1 means none."""

    skip_special_tokens: bool = True
    """Whether special tokens are left out of the text."""

    apply_chat_template: bool = True
    """Whether the model's chat template makes the prompt. Else it is the text of the only message,
    as it is, special tokens included."""

    allow_special_tokens: bool = False
    """Whether special tokens written in a message, such as `<|im_end|>`, are the model's own. Else
    they are text, which opens no turn."""

    continue_final_message: bool = False
    """Whether a last message of the assistant is continued; the answer is one message with it."""

    truncate_prompt: Literal["left", "right", "middle"] | None = None
    """Where the longest message is cut if prompt and answer do not fit into the context: at its
    start, its end or its middle. None: the row fails."""

    enable_thinking: bool | None = None
    """Whether the model thinks before it answers. None: as it does by itself."""

    reasoning_effort: str | None = Field(default=None, min_length=1)
    """How much a model thinks: `none`, `minimal`, `low`, `medium`, `high` or whatever it takes."""

    max_thinking_tokens: int | None = Field(default=None, ge=0)
    """Most tokens of a thought, which is then closed; they count as tokens of the answer."""

    tool_choice: Any = None
    """`auto`, `none`, `required`, or `{"type": "function", "function": {"name": …}}`."""

    parallel_tool_calls: bool = True
    """Whether the model may make several tool calls in one turn."""

    logprobs: int | None = Field(default=None, ge=0, le=20)
    """Return the log-probability of each token and of this many alternatives to it."""

    guided_decoding: GuidedDecodingParams | None = None
    """A schema, grammar or expression that the answer has to match."""

    @field_validator("stop_strings")
    @classmethod
    def _check_stop_strings(cls, value: list[str] | None) -> list[str] | None:
        if value and "" in value:
            raise ValueError("an empty text would end each answer before it begins")
        return value

    exclude_prompt_from_response: bool = unused(default=True)
    use_cache: bool = unused(default=False)
    use_sampling: bool = unused(default=False)
