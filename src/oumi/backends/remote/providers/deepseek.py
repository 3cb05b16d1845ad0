"""DeepSeek. https://api-docs.deepseek.com/api/create-chat-completion

It takes no schemas, it can only be asked for JSON: a schema goes into the prompt.
"""

from oumi.backends import settings
from oumi.backends.provider import Provider, ThinkingForm
from oumi.structured.schema import profiles

PROVIDER = Provider(
    name="DEEPSEEK",
    class_name="DeepSeekInferenceEngine",
    summary="the DeepSeek API",
    thinking=ThinkingForm.TYPE,
    supports=settings.TEXT
    | settings.PENALTIES
    | settings.LOGPROBS
    | settings.JSON_SCHEMA
    | {"generation.tool_choice"}
    | settings.ENABLE_THINKING,
    url="https://api.deepseek.com/v1",
    url_env="DEEPSEEK_BASE_URL",
    key_env=("DEEPSEEK_API_KEY",),
    # https://api-docs.deepseek.com/guides/thinking_mode#tool-calls
    reasoning_field="reasoning_content",
    reasoning_required=True,
    supports_images=False,
    price_list="deepseek",
    schema_profile=profiles.JSON_OBJECT,
)
