"""Anthropic. https://platform.claude.com/docs/en/api/messages/create"""

import re

from oumi.backends import settings
from oumi.backends.provider import BatchLimits, Constraint, Provider
from oumi.structured.schema import profiles

PROVIDER = Provider(
    name="ANTHROPIC",
    class_name="AnthropicInferenceEngine",
    summary="the Anthropic API",
    supports=settings.TEXT
    | settings.TOOLS
    | settings.TOP_K
    | settings.JSON_SCHEMA
    | settings.PREFILL
    | settings.EFFORT
    | settings.ENABLE_THINKING
    | settings.MAX_THINKING,
    # https://platform.claude.com/docs/en/build-with-claude/pdf-support
    supports_pdf=True,
    caches_marked=re.compile(""),
    user_field="metadata.user_id",
    dialect="anthropic",
    url="https://api.anthropic.com/v1",
    url_env="ANTHROPIC_BASE_URL",
    url_env_lacks="/v1",
    key_env=("ANTHROPIC_API_KEY",),
    key_header="x-api-key",
    constraint=Constraint.ANTHROPIC,
    price_list="anthropic",
    schema_profile=profiles.ANTHROPIC,
    # https://platform.claude.com/docs/en/build-with-claude/batch-processing
    batch=BatchLimits("anthropic", max_requests=100_000, max_bytes=255_000_000),
)
