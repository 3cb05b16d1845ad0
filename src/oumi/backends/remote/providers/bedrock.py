"""Amazon Bedrock.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

import re

from oumi.backends import settings
from oumi.backends.provider import AuthMethod, BatchLimits, Constraint, Provider
from oumi.structured.schema import profiles

PROVIDER = Provider(
    name="BEDROCK",
    class_name="BedrockInferenceEngine",
    summary="Amazon Bedrock",
    supports=settings.TEXT
    | settings.JSON_SCHEMA
    | settings.PREFILL
    | settings.EFFORT
    | settings.ENABLE_THINKING
    | settings.MAX_THINKING
    | {"generation.tool_choice"},
    # https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html
    supports_audio=True,
    supports_pdf=True,
    # https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html
    caches_marked=re.compile(r"claude-(?:3-7-sonnet|3-5-haiku|(?!instant|v?[23]))"),
    dialect="bedrock",
    url="https://bedrock-runtime.{region}.amazonaws.com",
    url_env="AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
    url_parts={"region": ("AWS_REGION", "AWS_DEFAULT_REGION")},
    key_env=("AWS_BEARER_TOKEN_BEDROCK",),
    needs_key=False,
    auth_method=AuthMethod.AWS,
    extra="bedrock",
    constraint=Constraint.BEDROCK,
    price_list="aws",
    schema_profile=profiles.ANTHROPIC,
    # https://docs.aws.amazon.com/general/latest/gr/bedrock.html: 1 GB a file. Most models take
    # 50,000 records, and none takes fewer than 100.
    batch=BatchLimits("bedrock", max_bytes=1_000_000_000, needs=("batch_storage", "batch_role")),
)
