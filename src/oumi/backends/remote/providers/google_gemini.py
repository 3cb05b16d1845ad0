"""Google's Gemini. https://ai.google.dev/gemini-api/docs/openai

It refuses a request with a field that it does not know.
"""

from oumi.backends import settings
from oumi.backends.embedding_support import EmbeddingSupport
from oumi.backends.provider import BatchLimits, PdfPart, Provider
from oumi.structured.schema import profiles

PROVIDER = Provider(
    name="GOOGLE_GEMINI",
    aliases=("GEMINI",),
    class_name="GoogleGeminiInferenceEngine",
    summary="Google's Gemini API",
    supports=settings.TEXT | settings.JSON_SCHEMA | {"generation.tool_choice"} | settings.EFFORT,
    # https://ai.google.dev/gemini-api/docs/openai#audio-understanding
    supports_audio=True,
    # It takes in a data URL what Vertex takes.
    supports_pdf=True,
    pdf_part=PdfPart.IMAGE_URL,
    # https://ai.google.dev/gemini-api/docs/openai#embeddings; at most 100 texts: "BatchEmbedText",
    # https://ai.google.dev/api/python/google/generativeai/protos/BatchEmbedTextRequest
    embeddings=EmbeddingSupport(max_texts=100, dimensions_field="dimensions"),
    url="https://generativelanguage.googleapis.com/v1beta/openai",
    url_env="GOOGLE_GEMINI_BASE_URL",
    key_env=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    price_list="google",
    schema_profile=profiles.GEMINI,
    # https://ai.google.dev/gemini-api/docs/batch-api#technical-details: 2 GB, and no limit in
    # requests; more of them at once are harder to have again where a batch fails.
    batch=BatchLimits("gemini", max_requests=200_000, max_bytes=2_000_000_000),
)
