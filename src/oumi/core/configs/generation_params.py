"""How an answer is generated."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from oumi.core.configs.base import Settings
from oumi.core.configs.guided_decoding_params import GuidedDecodingParams


class GenerationParams(Settings):
    """How an answer is generated."""

    without_effect: ClassVar[frozenset[str]] = frozenset(
        {"exclude_prompt_from_response", "use_cache", "use_sampling"}
    )

    max_new_tokens: int = Field(default=1024, ge=1)
    """Most tokens of an answer."""

    batch_size: int | None = Field(default=None, ge=1)
    """Most rows worked on at once by a local engine. None: as many as it has room for."""

    seed: int | None = None
    """Seed of the sampler. None: a fresh one each time."""

    temperature: float = Field(default=0.0, ge=0.0)
    """Randomness: 0 always takes the likeliest token."""

    top_p: float | None = Field(default=None, gt=0.0, le=1.0)
    """Sample from the likeliest tokens that together have this probability."""

    top_k: int | None = Field(default=None, ge=1)
    """Sample from this many of the likeliest tokens."""

    min_p: float = Field(default=0.0, ge=0.0, le=1.0)
    """Leave out tokens less likely than this share of the likeliest one."""

    frequency_penalty: float = Field(default=0.0, ge=-2.0, le=2.0)
    """Penalty on a token for each time it stands in the answer already."""

    presence_penalty: float = Field(default=0.0, ge=-2.0, le=2.0)
    """Penalty on a token for standing in the answer already."""

    stop_strings: list[str] | None = None
    """Texts that end the answer; they are not part of it."""

    stop_token_ids: list[int] | None = None
    """Token ids that end the answer."""

    logit_bias: dict[str | int, float] = Field(default_factory=dict)
    """Added to the score of a token, by token id (local engines also take its text)."""

    num_beams: int = Field(default=1, ge=1)
    """Beams of a beam search; 1 is no beam search."""

    skip_special_tokens: bool = True
    """Whether special tokens are left out of the text."""

    tool_choice: Any = None
    """`auto`, `none`, `required`, or `{"type": "function", "function": {"name": …}}`."""

    parallel_tool_calls: bool = True
    """Whether the model may make several tool calls in one turn."""

    logprobs: int | None = Field(default=None, ge=0, le=20)
    """Give the log-probability of each token, and of this many others at its place."""

    guided_decoding: GuidedDecodingParams | None = None
    """What the answer has to look like."""
