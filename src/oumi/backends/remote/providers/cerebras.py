"""Cerebras. https://inference-docs.cerebras.ai/api-reference/chat-completions"""

from oumi.backends import settings
from oumi.backends.provider import Provider
from oumi.structured.schema import profiles

PROVIDER = Provider(
    name="CEREBRAS",
    class_name="CerebrasInferenceEngine",
    summary="the Cerebras API",
    supports=settings.CHAT - settings.PENALTIES - settings.LOGIT_BIAS
    | settings.EFFORT
    | settings.RAW_PROMPT,
    url="https://api.cerebras.ai/v1",
    url_env="CEREBRAS_BASE_URL",
    key_env=("CEREBRAS_API_KEY",),
    price_list="cerebras",
    schema_profile=profiles.CEREBRAS,
)
