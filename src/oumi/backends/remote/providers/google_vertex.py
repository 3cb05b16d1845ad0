"""Google's Vertex AI. https://cloud.google.com/vertex-ai/generative-ai/docs/start/openai"""

from oumi.backends import settings
from oumi.backends.provider import AuthMethod, BatchLimits, PdfPart, Provider
from oumi.structured.schema import profiles

PROVIDER = Provider(
    name="GOOGLE_VERTEX",
    class_name="GoogleVertexInferenceEngine",
    summary="Google's Vertex AI",
    supports=settings.TEXT
    | settings.PENALTIES
    | settings.SEED
    | settings.JSON_SCHEMA
    | {"generation.tool_choice"}
    | settings.EFFORT,
    # https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/call-gemini-using-openai-library
    supports_audio=True,
    supports_pdf=True,
    pdf_part=PdfPart.IMAGE_URL,
    url="https://{region}-aiplatform.googleapis.com/v1"
    "/projects/{project}/locations/{region}/endpoints/openapi",
    url_env="GOOGLE_VERTEX_BASE_URL",
    url_parts={
        "project": ("PROJECT_ID", "GOOGLE_CLOUD_PROJECT"),
        "region": ("REGION", "GOOGLE_CLOUD_LOCATION", "GOOGLE_CLOUD_REGION"),
    },
    needs_key=False,
    auth_method=AuthMethod.GOOGLE,
    extra="google",
    lists_models=False,
    price_list="google",
    schema_profile=profiles.GEMINI,
    # https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/batch-prediction-gemini
    batch=BatchLimits(
        "vertex", max_requests=200_000, max_bytes=1_000_000_000, needs=("batch_storage",)
    ),
)
