"""Any server that speaks the OpenAI chat API.

https://platform.openai.com/docs/api-reference/chat/create
"""

from oumi.backends import settings
from oumi.backends.embedding_support import EmbeddingSupport
from oumi.backends.provider import BatchLimits, Provider, ResponsesApi

PROVIDER = Provider(
    name="REMOTE",
    class_name="RemoteInferenceEngine",
    summary="any server that speaks the OpenAI chat API",
    supports=settings.CHAT | settings.SAMPLER,
    responses=ResponsesApi.IF_SET,
    # Whether it takes them is the server's to say.
    supports_audio=True,
    supports_pdf=True,
    supports_cache_control=True,
    user_field="user",
    # Whether it has the endpoint is the server's to say.
    embeddings=EmbeddingSupport(max_texts=2048, dimensions_field="dimensions", sends_base64=True),
    url_env="OPENAI_BASE_URL",
    key_env=("OPENAI_API_KEY",),
    needs_key=False,
    price_list=None,
    batch=BatchLimits(),
)
