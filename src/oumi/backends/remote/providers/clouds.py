"""Clouds that serve models of many makers to their own customers."""

from oumi.backends.remote.providers import settings
from oumi.backends.remote.providers.row import AuthMethod, Constraint, Provider
from oumi.core.configs import InferenceEngineType
from oumi.structured.schema import profiles

CLOUDS = (
    # https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle
    Provider(
        InferenceEngineType.AZURE,
        "AzureOpenAIInferenceEngine",
        "OpenAI's models on Azure; `model_name` is the name of a deployment",
        supports=settings.CHAT,
        url="https://{resource}.openai.azure.com/openai/v1",
        url_env="AZURE_OPENAI_ENDPOINT",
        url_parts={"resource": ("AZURE_RESOURCE_NAME",)},
        # A deployment's name does not tell of its model, and all models take this one.
        renames={"max_tokens": "max_completion_tokens"},
        version_env="OPENAI_API_VERSION",
        versioned_path="/openai/deployments/{model}",
        key_env=("AZURE_OPENAI_API_KEY",),
        bearer_env="AZURE_OPENAI_AD_TOKEN",
        key_header="api-key",
        proof=AuthMethod.AZURE,
        price_list="azure",
        rules=profiles.OPENAI,
        ignores=settings.LOADING,
    ),
    # https://cloud.google.com/vertex-ai/generative-ai/docs/start/openai
    Provider(
        InferenceEngineType.GOOGLE_VERTEX,
        "GoogleVertexInferenceEngine",
        "Google's Vertex AI",
        supports=settings.TEXT
        | settings.PENALTIES
        | settings.SEED
        | settings.JSON_SCHEMA
        | {"generation.tool_choice"},
        url="https://{region}-aiplatform.googleapis.com/v1"
        "/projects/{project}/locations/{region}/endpoints/openapi",
        url_env="GOOGLE_VERTEX_BASE_URL",
        url_parts={
            "project": ("PROJECT_ID", "GOOGLE_CLOUD_PROJECT"),
            "region": ("REGION", "GOOGLE_CLOUD_LOCATION", "GOOGLE_CLOUD_REGION"),
        },
        proof=AuthMethod.GOOGLE,
        extra="google",
        lists_models=False,
        price_list="google",
        rules=profiles.GEMINI,
        ignores=settings.LOADING,
    ),
    # https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
    Provider(
        InferenceEngineType.BEDROCK,
        "BedrockInferenceEngine",
        "Amazon Bedrock",
        supports=settings.TEXT | settings.JSON_SCHEMA | {"generation.tool_choice"},
        dialect="bedrock",
        url="https://bedrock-runtime.{region}.amazonaws.com",
        url_env="AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
        url_parts={"region": ("AWS_REGION", "AWS_DEFAULT_REGION")},
        key_env=("AWS_BEARER_TOKEN_BEDROCK",),
        proof=AuthMethod.AWS,
        extra="bedrock",
        constraint=Constraint.BEDROCK,
        price_list="aws",
        rules=profiles.ANTHROPIC,
        ignores=settings.LOADING,
    ),
)
