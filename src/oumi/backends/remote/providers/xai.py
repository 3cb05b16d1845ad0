"""xAI. https://docs.x.ai/docs/api-reference#chat-completions"""

from oumi.backends import settings
from oumi.backends.provider import Provider, ResponsesApi
from oumi.structured.schema import profiles

PROVIDER = Provider(
    name="XAI",
    class_name="XAIInferenceEngine",
    summary="the xAI API",
    supports=settings.CHAT - settings.LOGIT_BIAS | settings.EFFORT,
    # https://docs.x.ai/docs/api-reference#create-new-response
    responses=ResponsesApi.IF_SET,
    url="https://api.x.ai/v1",
    url_env="XAI_BASE_URL",
    key_env=("XAI_API_KEY",),
    price_list="x-ai",
    schema_profile=profiles.XAI,
)
