"""How an API is reached, and which limits are kept to."""

from __future__ import annotations

from pydantic import Field, SecretStr, field_validator

from oumi.core.configs.base import Settings
from oumi.core.url import check_url


class RemoteParams(Settings):
    """How an API is reached, and which limits are kept to."""

    api_url: str | list[str] | None = None
    """Address of the API: a host, a base ending in `/v1`, or the full endpoint. A list names
    replicas of one server. None: the provider's own."""

    api_key: SecretStr | None = None
    """The API key. It is masked when printed and never written to a file."""

    api_key_env_varname: str | None = None
    """Environment variable that holds the API key. None: the provider's own."""

    max_retries: int = Field(default=3, ge=0)
    """Most retries of a failed request."""

    retry_backoff_base: float = Field(default=1.0, ge=0.0)
    """Seconds before the first retry; doubled for each one after it."""

    retry_backoff_max: float = Field(default=30.0, ge=0.0)
    """Longest wait before a retry, in seconds."""

    connection_timeout: float = Field(default=300.0, gt=0.0)
    """Seconds after which a request without an answer is given up."""

    num_workers: int = Field(default=32, ge=1)
    """Most requests in flight."""

    politeness_policy: float = Field(default=0.0, ge=0.0)
    """Seconds in which at most `num_workers` requests start, and the shortest wait after
    a failed one."""

    requests_per_minute: int | None = Field(default=None, ge=1)
    """Most requests started in any 60 seconds."""

    input_tokens_per_minute: int | None = Field(default=None, ge=1)
    """Most prompt tokens in any 60 seconds."""

    output_tokens_per_minute: int | None = Field(default=None, ge=1)
    """Most answer tokens in any 60 seconds."""

    batch_completion_window: str = "24h"
    """Time within which a batch job has to be completed."""

    use_adaptive_concurrency: bool = True
    """Whether the number of requests in flight adapts to the server's load."""

    @field_validator("api_url")
    @classmethod
    def _check_urls(cls, value: str | list[str] | None) -> str | list[str] | None:
        for url in [value] if isinstance(value, str) else value or ():
            check_url(url)
        return value
