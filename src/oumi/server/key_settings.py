"""What is set of a key: its secret, its limits, its budget."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, StringConstraints, field_validator

from oumi.core.configs.base import Settings

NAME = r"[A-Za-z0-9_.-]{1,64}"
SHORTEST = 8

KeyName = Annotated[str, StringConstraints(pattern=rf"^{NAME}$")]


class KeySettings(Settings):
    """A key of a client, with its limits and its budget. None: no such limit."""

    key: SecretStr | None = None
    """What clients send. None: it stands under the same name in OUMI_API_KEYS."""

    requests_per_minute: int | None = Field(default=None, ge=1)
    """Most requests in any 60 seconds."""

    input_tokens_per_minute: int | None = Field(default=None, ge=1)
    """Most prompt tokens in any 60 seconds."""

    output_tokens_per_minute: int | None = Field(default=None, ge=1)
    """Most answer tokens in any 60 seconds."""

    max_in_flight: int | None = Field(default=None, ge=1)
    """Most requests at once."""

    max_cost_usd: float | None = Field(default=None, ge=0.0)
    """Most dollars for its answers, at the prices of the models."""

    max_total_tokens: int | None = Field(default=None, ge=1)
    """Most tokens of its prompts and answers together."""

    budget_per: Literal["total", "day"] = "total"
    """Whether `max_cost_usd` and `max_total_tokens` are for ever, or for each day (in UTC)."""

    @property
    def has_budget(self) -> bool:
        """Whether anything limits what it may spend."""
        return self.max_cost_usd is not None or self.max_total_tokens is not None

    @property
    def has_limits(self) -> bool:
        """Whether anything limits how much it may ask at a time."""
        limits = (
            self.requests_per_minute,
            self.input_tokens_per_minute,
            self.output_tokens_per_minute,
            self.max_in_flight,
        )
        return any(limit is not None for limit in limits)

    @field_validator("key")
    @classmethod
    def _check_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not is_good_key(value.get_secret_value()):
            raise ValueError(f"expected at least {SHORTEST} ASCII characters without white space")
        return value


def is_good_key(key: str) -> bool:
    """Whether a key can be sent in a header, and is not too short to be guessed."""
    return len(key) >= SHORTEST and key.isascii() and key.isprintable() and " " not in key
