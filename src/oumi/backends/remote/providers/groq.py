"""Groq. https://console.groq.com/docs/api-reference#chat-create"""

from oumi.backends import settings
from oumi.backends.provider import BatchLimits, Provider
from oumi.structured.schema import profiles

PROVIDER = Provider(
    name="GROQ",
    class_name="GroqInferenceEngine",
    summary="the Groq API",
    supports=settings.CHAT - settings.PENALTIES - settings.LOGIT_BIAS - settings.LOGPROBS
    | settings.EFFORT,
    user_field="user",
    url="https://api.groq.com/openai/v1",
    url_env="GROQ_BASE_URL",
    key_env=("GROQ_API_KEY",),
    price_list="groq",
    schema_profile=profiles.GROQ,
    batch=BatchLimits(),  # https://console.groq.com/docs/batch
)
