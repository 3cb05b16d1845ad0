"""OpenAI's models on Azure.

https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle
"""

from oumi.backends import settings
from oumi.backends.embedding_support import EmbeddingSupport
from oumi.backends.provider import AuthMethod, BatchLimits, Provider, ResponsesApi
from oumi.structured.schema import profiles

PROVIDER = Provider(
    name="AZURE",
    class_name="AzureOpenAIInferenceEngine",
    summary="OpenAI's models on Azure; `model_name` is the name of a deployment",
    supports=settings.CHAT | settings.EFFORT | settings.RAW_PROMPT,
    # https://learn.microsoft.com/azure/ai-foundry/openai/how-to/responses
    responses=ResponsesApi.IF_NEEDED,
    # https://learn.microsoft.com/azure/ai-foundry/openai/audio-completions-quickstart
    supports_audio=True,
    # https://learn.microsoft.com/azure/ai-foundry/openai/how-to/reasoning
    supports_developer=True,
    user_field="user",
    # "Best practices": https://learn.microsoft.com/azure/ai-foundry/openai/how-to/embeddings
    embeddings=EmbeddingSupport(max_texts=2048, dimensions_field="dimensions", sends_base64=True),
    url="https://{resource}.openai.azure.com/openai/v1",
    url_env="AZURE_OPENAI_ENDPOINT",
    url_parts={"resource": ("AZURE_RESOURCE_NAME",)},
    # The name of a deployment does not say which model it is, and all models take this field.
    field_aliases={"max_tokens": "max_completion_tokens"},
    version_env="OPENAI_API_VERSION",
    versioned_path="/openai/deployments/{model}",
    key_env=("AZURE_OPENAI_API_KEY",),
    bearer_env="AZURE_OPENAI_AD_TOKEN",
    needs_key=False,
    key_header="api-key",
    auth_method=AuthMethod.AZURE,
    price_list="azure",
    schema_profile=profiles.OPENAI,
    # https://learn.microsoft.com/azure/ai-foundry/openai/how-to/batch#error-codes
    batch=BatchLimits("azure", max_requests=100_000),
)
