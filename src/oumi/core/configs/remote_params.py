"""How an API is reached, and which limits are kept to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pydantic import Field, SecretStr, field_serializer, field_validator

from oumi.core.configs.base import Settings
from oumi.core.configs.headers import check_headers, masked_headers
from oumi.core.reply_size import MAX_REPLY_BYTES
from oumi.core.urls import check_url, mask_url

if TYPE_CHECKING:
    ApiKey = SecretStr | str  # a text is taken too, and becomes secret
else:
    ApiKey = SecretStr


# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
# https://cloud.google.com/storage/docs/buckets#naming
_BUCKET = re.compile(r"(?:s3|gs)://[a-z0-9][a-z0-9._-]{1,221}(?:/[^?#]*)?")


class Api(StrEnum):
    """Which API of a provider is asked."""

    CHAT = "chat"
    """Chat completions."""

    RESPONSES = "responses"
    """OpenAI's Responses API, which some models need."""


class RemoteParams(Settings):
    """How an API is reached, and which limits are kept to."""

    api_url: str | list[str] | None = None
    """Address of the API: a host, a base ending in `/v1`, or the full endpoint. A list names
    replicas of one server. None: the provider's own."""

    api: Api | None = None
    """Which API of the provider is asked: `chat` (chat completions) or `responses` (OpenAI's
    Responses API). None: the one that serves the model."""

    api_key: ApiKey | None = None
    """The API key. It is masked when printed and never written to a file."""

    api_key_env_varname: str | None = None
    """Environment variable that holds the API key. None: the provider's own."""

    user_id: str | None = None
    """Which of your own users a request is for, so that a provider can tell abuse by one from
    abuse by all. It is no part of a row's key."""

    headers: dict[str, str] = Field(default_factory=dict)
    """Further headers of each request, such as a gateway asks for. They are laid over our own, and
    are no part of a row's key. Values of those that may hold a key, by their names, are masked when
    printed and never written to a file."""

    max_retries: int = Field(default=3, ge=0)
    """Most retries of a failed request, where the request itself may be to blame."""

    retry_backoff_base: float = Field(default=1.0, ge=0.0)
    """Seconds before the first retry; doubled for each one after it."""

    retry_backoff_max: float = Field(default=30.0, ge=0.0)
    """Longest wait before a retry, in seconds."""

    max_outage_s: float = Field(default=900.0, ge=0.0)
    """Longest time, in seconds, that a run waits for a server which is away, or for a row that is
    answered with 429, 503 or 529 again and again."""

    max_wait_s: float = Field(default=3600.0, gt=0.0)
    """Longest wait, in seconds, that a server may ask for. One that asks for more ends the run."""

    connection_timeout: float = Field(default=300.0, gt=0.0)
    """Seconds after which a request without a whole answer is given up, and a stream from which
    nothing comes."""

    max_reply_bytes: int = Field(default=MAX_REPLY_BYTES, ge=1)
    """Most bytes of a reply, a streamed one, or a line of a batch's results, once decompressed;
    a row whose reply is larger fails."""

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

    prompt_caching: bool = True
    """Whether Anthropic's API, and Claude on Bedrock, are told what they may cache: tools, system
    prompts, and what rows have in common. Other APIs decide that by themselves."""

    batch_completion_window: str = "24h"
    """Time within which a batch job has to be completed."""

    batch_storage: str | None = None
    """Where a batch's requests and answers lie for an API that reads and writes them in a bucket:
    `s3://bucket/folder` for BEDROCK, `gs://bucket/folder` for GOOGLE_VERTEX."""

    batch_role: str | None = None
    """The role (an ARN) under which BEDROCK reads and writes the bucket of a batch."""

    batch_poll_s: float = Field(default=30.0, gt=0.0)
    """Longest time, in seconds, between two looks at a batch job that a run waits for."""

    use_adaptive_concurrency: bool = True
    """Whether the number of requests in flight adapts to the server's load."""

    @property
    def revealed_api_key(self) -> str | None:
        """The API key as it is sent. Never to be printed or written."""
        key = self.api_key
        return key.get_secret_value() if isinstance(key, SecretStr) else key

    @field_validator("batch_completion_window", mode="before")
    @classmethod
    def _usual_window(cls, value: Any) -> Any:
        """An empty value in a file stands for the usual time."""
        return cls.model_fields["batch_completion_window"].default if value is None else value

    @field_validator("batch_storage")
    @classmethod
    def _check_storage(cls, value: str | None) -> str | None:
        if value is not None and not _BUCKET.fullmatch(value):
            raise ValueError("expected s3://bucket/folder or gs://bucket/folder")
        return value

    @field_validator("api_url")
    @classmethod
    def _check_urls(cls, value: str | list[str] | None) -> str | list[str] | None:
        for url in [value] if isinstance(value, str) else value or ():
            check_url(url)
        return value

    @field_validator("headers")
    @classmethod
    def _check_headers(cls, value: dict[str, str]) -> dict[str, str]:
        return check_headers(value)

    @field_serializer("headers", when_used="json")
    def _mask_headers(self, value: dict[str, str]) -> dict[str, str]:
        return masked_headers(value)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """The fields; a password in an address is masked, as the key is."""
        for name, value in super().__repr_args__():
            yield name, _mask_urls(value) if name == "api_url" else value


def _mask_urls(value: Any) -> Any:
    return list(map(mask_url, value)) if isinstance(value, list) else value and mask_url(value)
